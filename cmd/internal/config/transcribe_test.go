package config

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller/flow"
	"tapdeck/controller/transcript"
)

// Both forms of a plan have a service, and what a plan does not state of it is that of plan default.
func TestTranscribe(t *testing.T) {
	l := mustParse(t, `
plans:
  default:
    transcribe: {url: "wss://api.deepgram.com/v1/listen", model: nova-3, language: no, parameters: {punctuate: "true", endpointing: 300}}
  flat: {transcribe: {interim: false, parameters: {tag: x}}}
  steps: {transcribe: {url: "ws://127.0.0.1:2700", format: vosk, language: "", reconnect: 0, buffer: 1m, final_timeout: 0s}, steps: [answer, stream, listen: 5s]}
  off: {transcribe: {url: ""}}
`, Options{})
	common := transcript.DefaultService()
	common.URL, common.Model, common.Language = "wss://api.deepgram.com/v1/listen", "nova-3", "no"
	common.Parameters = map[string]string{"punctuate": "true", "endpointing": "300"}
	flat, steps, off := common, common, common
	flat.Interim, flat.Parameters = false, map[string]string{"tag": "x"}
	steps.URL, steps.Format, steps.Language, steps.Reconnect, steps.Buffer, steps.FinalTimeout = "ws://127.0.0.1:2700", transcript.FormatVosk, "", 0, time.Minute, 0
	off.URL = ""
	for name, want := range map[string]transcript.Service{"default": common, "flat": flat, "steps": steps, "off": off} {
		plan, _ := l.Plan(name)
		called, warnings := l.ForCall(variables{}, name)
		if diff := cmp.Diff([]transcript.Service{want, want}, []transcript.Service{plan.Transcribe, called.Transcribe}); diff != "" || len(warnings) > 0 {
			t.Errorf("%s: %v (-want +got):\n%s", name, warnings, diff)
		}
	}
	if len(l.Warnings) > 0 {
		t.Errorf("warnings: %v", l.Warnings)
	}
}

// Whether transcripts are logged is for all plans, and holds from the next call.
func TestLogTranscripts(t *testing.T) {
	on, off := mustParse(t, "", Options{}), mustParse(t, "log: {transcripts: false}", Options{})
	for l, want := range map[*Loaded]bool{on: true, off: false} {
		plan, _ := l.Plan(DefaultPlan)
		if called, _ := l.ForCall(variables{}, ""); plan.LogTranscripts != want || called.LogTranscripts != want {
			t.Errorf("want %v: plan %v, call %v", want, plan.LogTranscripts, called.LogTranscripts)
		}
	}
	if diff := cmp.Diff([]Change{{"log.transcripts", "true", "false", ReloadNextCall}}, Diff(on, off)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Services that can't work are refused where they are stated, and once.
func TestBadServices(t *testing.T) {
	good, spaced := tokenFile(t, "secret\n"), tokenFile(t, "two words")
	const (
		deepgram = "url: wss://d"
		vosk     = "format: vosk, url: ws://127.0.0.1"
	)
	for _, c := range []struct {
		file string
		want []string
	}{
		{`plans: {x: {transcribe: {` + deepgram + `, key_file: ` + good + `}}}`, nil},
		{`plans: {x: {transcribe: {` + deepgram + `, key_env: PATH}}}`, nil},
		{`plans: {x: {transcribe: {key_file: /no/such, key_env: NO_SUCH_KEY}}}`, nil}, // there is no service
		{`plans: {x: {transcribe: {` + deepgram + `, key_file: ` + good + `, key_env: PATH}}}`, []string{`f:1: plans.x.transcribe.key_env: "PATH": can't stand beside key_file; one source of the key is enough: remove one of them`}},
		{`plans: {x: {transcribe: {` + deepgram + `, key_file: /no/such}}}`, []string{`f:1: plans.x.transcribe.key_file: "/no/such": the key can't be read: no such file or directory; write the key there, in a file that tapdeck's user may read`}},
		{`plans: {x: {transcribe: {` + deepgram + `, key_file: ` + spaced + `}}}`, []string{`f:1: plans.x.transcribe.key_file: "` + spaced + `": the key can't be read: must hold one line of printable ASCII without blanks; write the key there, in a file that tapdeck's user may read`}},
		{`plans: {x: {transcribe: {` + deepgram + `, key_env: NO_SUCH_KEY}}}`, []string{`f:1: plans.x.transcribe.key_env: "NO_SUCH_KEY": the key can't be read: holds nothing; set the variable for tapdeck, or name a file by key_file`}},
		{`plans: {x: {transcribe: {url: ws://1.2.3.4}}}`, []string{`f:1: plans.x.transcribe.url: "ws://1.2.3.4": ws:// is for this machine and private addresses: everyone on the way could listen; write wss://, or insecure: true`}},
		{`plans: {x: {transcribe: {url: ws://1.2.3.4, insecure: true}}}`, nil},
		{`plans: {x: {transcribe: {` + vosk + `, language: en}}}`, []string{`f:1: plans.x.transcribe.language: "en": has no effect: Vosk's server has one model, of one language; choose the server by url, and leave this empty`}},
		{`plans: {x: {transcribe: {` + vosk + `, model: small, parameters: {max_alternatives: 3, phrase_list: '["a"]', encoding: x, interim_results: x, channels: 1}}}}`, nil},
		{"plans:\n  x:\n    transcribe:\n      " + `url: ws://h
      format: vosk
      parameters:
        words: "true"
        sample_rate: 8000
        model: m
        language: en
`, []string{
			`f:7: plans.x.transcribe.parameters.words: "true": is sent by tapdeck itself; remove it: words and their times are always asked for`,
			`f:8: plans.x.transcribe.parameters.sample_rate: "8000": is sent by tapdeck itself; remove it: the audio is as the plan's stream brings it`,
			`f:9: plans.x.transcribe.parameters.model: "m": is sent by tapdeck itself; write transcribe.model, a key of its own`,
			`f:10: plans.x.transcribe.parameters.language: "en": has no effect: Vosk's server has one model, of one language; remove it, and choose the server by url`,
		}},
		{`plans: {x: {transcribe: {` + deepgram + `, parameters: {encoding: a, sample_rate: 1, channels: 1, multichannel: b, interim_results: c, model: d, language: e, words: f, punctuate: g}}}}`, []string{
			`f:1: plans.x.transcribe.parameters.channels: "1": is sent by tapdeck itself; remove it: the audio is as the plan's stream brings it`,
			`f:1: plans.x.transcribe.parameters.encoding: "a": is sent by tapdeck itself; remove it: the audio is as the plan's stream brings it`,
			`f:1: plans.x.transcribe.parameters.interim_results: "c": is sent by tapdeck itself; write transcribe.interim, a key of its own`,
			`f:1: plans.x.transcribe.parameters.language: "e": is sent by tapdeck itself; write transcribe.language, a key of its own`,
			`f:1: plans.x.transcribe.parameters.model: "d": is sent by tapdeck itself; write transcribe.model, a key of its own`,
			`f:1: plans.x.transcribe.parameters.multichannel: "b": is sent by tapdeck itself; remove it: the audio is as the plan's stream brings it`,
			`f:1: plans.x.transcribe.parameters.sample_rate: "1": is sent by tapdeck itself; remove it: the audio is as the plan's stream brings it`,
		}},
		{`plans: {x: {transcribe: {url: "wss://d/?interim_results=true&keyterm=a&language=en"}}}`, []string{
			`f:1: plans.x.transcribe.url: "wss://d/?interim_results=true&keyterm=a&language=en": the query's interim_results is sent by tapdeck itself; write transcribe.interim, a key of its own`,
			`f:1: plans.x.transcribe.url: "wss://d/?interim_results=true&keyterm=a&language=en": the query's language is sent by tapdeck itself; write transcribe.language, a key of its own`,
		}},
		{`plans: {x: {transcribe: {format: vosk, url: "ws://h/?sample_rate=8000&model=x"}}}`, nil}, // whose query says nothing
		{`plans: {x: {transcribe: wss://d}}`, []string{`f:1: plans.x.transcribe: "wss://d": needs keys below it, not a single value`}},
		{`plans: {x: {transcribe: {` + deepgram + `, modell: x}}}`, []string{`f:1: plans.x.transcribe.modell: unknown key; the nearest known is plans.x.transcribe.model`}},
		{`plans: {x: {transcribe: {` + deepgram + `, format: vsk, parameters: {words: 1, model: x}}}}`, []string{`f:1: plans.x.transcribe.format: "vsk": must be deepgram or vosk; the nearest known is vosk`}},
	} {
		_, err := Parse("f", []byte(c.file), Options{})
		if diff := cmp.Diff(c.want, messages(err)); diff != "" {
			t.Errorf("%s\n(-want +got):\n%s", c.file, diff)
		}
	}
}

// What is wrong with plan default's service is said once; what is wrong only in another plan, there.
func TestBadInheritedServices(t *testing.T) {
	const language, parameter = `"en": has no effect: Vosk's server`, `"x": is sent by tapdeck itself; remove it: the audio`
	for file, want := range map[string][]string{
		"plans:\n  default: {transcribe: {url: wss://d, parameters: {encoding: x}}}\n  x: {}\n  y: {transcribe: {interim: false}}":                          {"f:2: plans.default.transcribe.parameters.encoding: " + parameter},
		"plans:\n  default: {transcribe: {parameters: {encoding: x}}}\n  x: {}\n  y: {transcribe: {url: wss://d}}":                                          {"f:2, by plan default: plans.y.transcribe.parameters.encoding: " + parameter},
		"plans:\n  default: {transcribe: {url: ws://h, language: en}}\n  x: {}\n  y: {transcribe: {format: vosk}}":                                          {"f:2, by plan default: plans.y.transcribe.language: " + language},
		"plans:\n  default: {transcribe: {url: ws://h, format: vosk, language: en}}\n  x: {}\n  y: {transcribe: {language: \"\"}}":                          {"f:2: plans.default.transcribe.language: " + language},
		"plans:\n  default: {transcribe: {url: ws://h, parameters: {words: x}}}\n  y: {transcribe: {format: vosk, parameters: {}}}":                         nil,
		"plans:\n  default: {transcribe: {url: ws://1.2.3.4, insecure: true}}\n  y: {transcribe: {insecure: false}}":                                        {`f:2, by plan default: plans.y.transcribe.url: "ws://1.2.3.4": ws:// is for this machine`},
		"plans:\n  default: {transcribe: {url: wss://d, key_env: PATH}}\n  y: {transcribe: {key_file: /no/such}}":                                           {`f:2, by plan default: plans.y.transcribe.key_env: "PATH": can't stand beside key_file`, `f:3: plans.y.transcribe.key_file: "/no/such": the key can't be read`},
		"plans:\n  default: {transcribe: {url: wss://d, key_env: NO_SUCH_KEY}}\n  y: {transcribe: {interim: false}}\n  z: {transcribe: {url: wss://other}}": {`f:2: plans.default.transcribe.key_env: "NO_SUCH_KEY": the key can't be read`, `f:4: plans.z.transcribe.url: "wss://other": has another host`},
		"plans:\n  default: {transcribe: {url: wss://d, parameters: {encoding: x}}}\n  y: {transcribe: {url: \"\"}}":                                        {"f:2: plans.default.transcribe.parameters.encoding: " + parameter},
	} {
		_, err := Parse("f", []byte(file), Options{})
		got := messages(err)
		for i := range min(len(want), len(got)) {
			if strings.HasPrefix(got[i], want[i]) {
				got[i] = want[i]
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n(-want +got):\n%s", file, diff)
		}
	}
}

// What a plan has from plan default can't be removed there: the hint says what can be done.
func TestInheritedIsToBeEmptied(t *testing.T) {
	for file, want := range map[string]string{
		"plans:\n  default: {transcribe: {url: wss://d, key_env: PATH, key_file: f.yaml}}":                               "remove one of them",
		"plans:\n  default: {transcribe: {url: wss://d, key_env: PATH}}\n  y: {transcribe: {key_file: f.yaml}}":          `key_env is inherited from plan default: write key_env: "" here`,
		"plans:\n  default: {transcribe: {url: wss://d, key_file: f.yaml}}\n  y: {transcribe: {key_env: PATH}}":          `key_file is inherited from plan default: write key_file: "" here`,
		"plans:\n  default: {transcribe: {language: en}}\n  y: {transcribe: {url: wss://d, format: vosk}}":               `language is inherited from plan default: write language: "" here`,
		"plans:\n  default: {transcribe: {language: en}}\n  y: {transcribe: {url: wss://d, format: vosk, language: de}}": "leave this empty",
	} {
		_, err := Parse("f", []byte(file), Options{})
		found := slices.ContainsFunc(fieldErrors(err), func(e *FieldError) bool { return strings.Contains(e.Hint, want) })
		if !found {
			t.Errorf("%s\n%v", file, err)
		}
	}
}

// A plan's own service is not sent the key of plan default's, unless it is on the same host.
func TestKeyOfAnotherService(t *testing.T) {
	key := tokenFile(t, "secret\n")
	refused := func(name, url string) []string {
		return []string{`f:3: plans.x.transcribe.url: "` + url + `": has another host than that of plan default, and would be sent its key: ` + name + ` is inherited; write ` + name + `: "" for no key, or name this service's own by ` + name}
	}
	byFile, byEnv := "url: wss://d/v1, key_file: "+key, "url: wss://d/v1, key_env: PATH"
	for _, c := range []struct {
		common, own string
		want        []string
	}{
		{byFile, "url: wss://other", refused("key_file", "wss://other")},
		{byFile, "url: wss://other, key_env: \"\"", refused("key_file", "wss://other")},
		{byEnv, "url: wss://d.other", refused("key_env", "wss://d.other")},
		{byFile, "url: \"wss://D:443/v2?a=b\"", nil},
		{byFile, "url: wss://other, key_file: " + key, nil}, // stated to be both's
		{byFile, "url: wss://other, key_file: \"\"", nil},
		{byFile, "url: wss://other, key_file: \"\", key_env: PATH", nil},
		{byEnv, "url: wss://other, key_env: HOME", nil},
		{byEnv, "url: \"\"", nil},
		{byEnv, "model: m", nil},
		{"url: wss://d", "url: wss://other", nil},
		{"key_file: " + key, "url: wss://other", nil}, // which is of no other service
		{"url: http://d, key_file: " + key, "url: wss://other", []string{`f:2: plans.default.transcribe.url: "http://d": must be a WebSocket URL, ws:// or wss:// and host[:port][/path]; such as wss://api.deepgram.com/v1/listen`}},
	} {
		_, err := Parse("f", []byte("plans:\n  default: {transcribe: {"+c.common+"}}\n  x: {transcribe: {"+c.own+"}}"), Options{})
		if diff := cmp.Diff(c.want, messages(err)); diff != "" {
			t.Errorf("%s\n%s\n(-want +got):\n%s", c.common, c.own, diff)
		}
	}
}

func TestServiceWarnings(t *testing.T) {
	const noStream = `: no step streams anything: nothing is transcribed; write the step stream where the recording begins, or remove this key`
	for file, want := range map[string]string{
		`plans: {x: {transcribe: {url: wss://d}, steps: [answer, listen: 1s]}}`:                     `plans.x.transcribe.url: "wss://d"` + noStream,
		`plans: {default: {transcribe: {url: wss://d}, steps: [hangup]}, y: {}}`:                    `plans.default.transcribe.url: "wss://d"` + noStream,
		`plans: {default: {transcribe: {url: wss://d}}, busy: {steps: [hangup]}}`:                   "", // for the other plans
		`plans: {x: {transcribe: {url: wss://d}, steps: [answer, stream, listen: 1s]}}`:             "",
		`plans: {x: {transcribe: {model: m, language: en}}}`:                                        `plans.x.transcribe.model: there is no transcription without its url; write transcribe.url, or remove this key`,
		`plans: {x: {transcribe: {insecure: true}, steps: [answer, stream, listen: 1s]}}`:           `plans.x.transcribe.insecure: there is no transcription without its url; write transcribe.url, or remove this key`,
		`plans: {x: {transcribe: {format: deepgram, parameters: {}}}}`:                              "",
		`plans: {default: {transcribe: {url: wss://d, model: m}}, x: {transcribe: {url: ""}}}`:      "",
		`plans: {default: {transcribe: {url: wss://d, model: m}}, x: {transcribe: {model: other}}}`: "",
	} {
		if diff := cmp.Diff(want, joinWarnings(mustParse(t, file, Options{}).Warnings)); diff != "" {
			t.Errorf("%s\n(-want +got):\n%s", file, diff)
		}
	}
}

// A call names neither a service nor a key, and turns none on or off.
func TestCallCantChangeItsService(t *testing.T) {
	l := mustParse(t, "plans: {x: {transcribe: {url: wss://d}}}", Options{})
	vars := variables{PlanVariable: "x"}
	for _, set := range l.schema.plan {
		if strings.HasPrefix(set.path, transcribeKey+".") {
			vars[VariablePrefix+strings.ReplaceAll(set.path, ".", "_")] = "wss://evil"
		}
	}
	plan, warnings := l.ForCall(vars, "")
	want, _ := l.Plan("x")
	if diff := cmp.Diff(want.Transcribe, plan.Transcribe); diff != "" || len(warnings) != len(vars)-1 || len(vars) < 13 {
		t.Errorf("%d variables, warnings %v (-want +got):\n%s", len(vars), warnings, diff)
	}
	for _, w := range warnings {
		if !strings.HasPrefix(w.Error(), "tapdeck_transcribe_") || !strings.Contains(w.Error(), ": no such variable") {
			t.Errorf("warning %v", w)
		}
	}
}

// The defaults of a service that a plan does not have are not shown.
func TestIdleServices(t *testing.T) {
	l := mustParse(t, "plans: {default: {transcribe: {reconnect: 1}}, x: {transcribe: {url: wss://d}}, y: {}}", Options{})
	got := map[string]int{}
	for _, v := range l.Values() {
		if name, _, is := strings.Cut(v.Key, ".transcribe."); is && !v.Idle() {
			got[name]++
		}
	}
	if diff := cmp.Diff(map[string]int{"plans.default": 2, "plans.x": 13, "plans.y": 2}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseService(t *testing.T) {
	key := tokenFile(t, "secret")
	got, err := ParseService(map[string]any{"url": "ws://127.0.0.1:2700", "format": "vosk", "key_file": key, "interim": false, "final_timeout": "30s", "parameters": map[string]string{"max_alternatives": "3"}})
	want := transcript.DefaultService()
	want.URL, want.Format, want.KeyFile, want.Interim, want.FinalTimeout = "ws://127.0.0.1:2700", transcript.FormatVosk, key, false, 30*time.Second
	want.Parameters = map[string]string{"max_alternatives": "3"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, c := range []struct {
		keys    map[string]any
		problem string
	}{
		{nil, `url: "": must not be empty`},
		{map[string]any{"url": ""}, `url: "": must not be empty`},
		{map[string]any{"url": "http://h"}, `url: "http://h": must be a WebSocket URL`},
		{map[string]any{"url": "wss://h", "format": "x"}, `format: "x": must be deepgram or vosk`},
		{map[string]any{"url": "wss://h", "key_file": "/no/such"}, `key_file: "/no/such": the key can't be read`},
		{map[string]any{"url": "wss://h", "parameters": map[string]string{"model": "m"}}, `parameters.model: "m": is sent by tapdeck itself`},
		{map[string]any{"url": "wss://h", "format": "vosk", "language": "en"}, `language: "en": has no effect: Vosk's server has one`},
	} {
		if got, err := ParseService(c.keys); err == nil || !strings.HasPrefix(err.Error(), c.problem) || got.URL != "" {
			t.Errorf("%v: %v, want %s", c.keys, err, c.problem)
		}
	}
	if _, err := ParseBot(map[string]any{"format": flow.FormatPCM}); err == nil || err.Error() != `url: "": must not be empty` {
		t.Errorf("a bot without a URL: %v", err)
	}
}

// Words that end listening, in both forms of a plan, and by a call's variable.
func TestUntilSaid(t *testing.T) {
	l := mustParse(t, `
plans:
  default: {transcribe: {url: wss://d}}
  flat: {until_said: [stop, Thank you, 5]}
  steps: {steps: [answer, stream, listen: {for: 1m, until_said: [stop, "it's 5"]}, listen: 2s]}
  inherits: {}
`, Options{})
	for name, want := range map[string][]string{"flat": {"stop", "Thank you", "5"}, "steps": {"stop", "it's 5"}, "inherits": {}} {
		plan, _ := l.Plan(name)
		if diff := cmp.Diff(want, firstListen(plan.Steps).UntilSaid); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if value, _ := origin(t, l, "plans.steps.steps"); !strings.Contains(value, `listen: {for: 1m, until_said: [stop, "it's 5"]}, listen: 2s`) {
		t.Errorf("the steps are shown as %s", value)
	}
	called, warnings := l.ForCall(variables{"tapdeck_until_said": "goodbye, that is all"}, "inherits")
	if diff := cmp.Diff([]string{"goodbye", "that is all"}, firstListen(called.Steps).UntilSaid); diff != "" || len(warnings) > 0 {
		t.Errorf("by a call: %v (-want +got):\n%s", warnings, diff)
	}
}

func firstListen(steps []flow.Step) *flow.Listen {
	for _, step := range steps {
		if listen, is := step.(*flow.Listen); is {
			return listen
		}
	}
	return &flow.Listen{}
}

// Words are waited for only if they are transcribed.
func TestUntilSaidNeedsTranscribe(t *testing.T) {
	const needs = "needs transcribe: there are no words without it; write transcribe.url in the plan, or remove this"
	for file, want := range map[string][]string{
		"plans: {x: {until_said: [stop]}}":                             {"f:1: plans.x.until_said: " + needs},
		"plans: {x: {until_said: [stop], transcribe: {url: wss://d}}}": nil,
		"plans: {x: {until_said: []}}":                                 nil,
		"plans:\n  x:\n    steps:\n    - answer\n    - stream\n    - listen:\n        for: 1m\n        until_said: [a]":                                                {"f:8: plans.x.steps[2].listen.until_said: " + needs},
		"plans: {x: {transcribe: {url: wss://d}, steps: [answer, listen: {for: 1m, until_said: [a]}]}}":                                                                {"f:1: plans.x.steps[1].listen: until_said needs a stream; write the step stream before it"},
		"plans:\n  default: {until_said: [stop]}\n  x: {}\n  y: {transcribe: {url: wss://d}}":                                                                          {"f:2: plans.default.until_said: " + needs},
		"plans:\n  default: {until_said: [stop], transcribe: {url: wss://d}}\n  x: {}\n  y: {transcribe: {url: \"\"}}\n  z: {transcribe: {url: \"\"}, until_said: []}": {"f:2, by plan default: plans.y.until_said: " + needs},
		"plans:\n  default: {transcribe: {url: wss://d}, steps: [answer, stream, listen: {for: 1m, until_said: [a]}]}\n  x: {}\n  y: {transcribe: {url: \"\"}}":        {"f:2, by plan default: plans.y.steps[2].listen.until_said: " + needs},
		"plans:\n  default: {transcribe: {url: http://d}}\n  x: {until_said: [stop]}":                                                                                  {`f:2: plans.default.transcribe.url: "http://d": must be a WebSocket URL, ws:// or wss:// and host[:port][/path]; such as wss://api.deepgram.com/v1/listen`},
		"plans:\n  x: {until_said: [stop], transcribe: wss://d}":                                                                                                       {`f:2: plans.x.transcribe: "wss://d": needs keys below it, not a single value`},
		"plans: {x: {until_said: stop, transcribe: {url: wss://d}}}":                                                                                                   {`f:1: plans.x.until_said: "stop": must be a list; such as [a, b]`},
		"plans: {x: {steps: [answr, listen: {for: 1m, until_said: [a]}]}}":                                                                                             {`f:1: plans.x.steps[0]: "answr": no such step; the nearest known is answer`, "f:1: plans.x.steps[1].listen.until_said: " + needs},
		"plans: {x: {transcribe: {url: wss://d}, until_said: [stop, '', 'a, b', '?', true, \"d\\u0101\", -, a-b]}}": {
			`f:1: plans.x.until_said[1]: "": must be words of letters and digits, with nothing but blanks, ' and - between them: other punctuation does not count`,
			`f:1: plans.x.until_said[2]: "a, b": must be words of letters and digits, with nothing but blanks, ' and - between them: other punctuation does not count`,
			`f:1: plans.x.until_said[3]: "?": must be words of letters and digits, with nothing but blanks, ' and - between them: other punctuation does not count`,
			`f:1: plans.x.until_said[4]: "true": a text is needed, and YAML takes this for a number, a truth value or a date; write it in quotes`,
			`f:1: plans.x.until_said[6]: "-": must be words of letters and digits, with nothing but blanks, ' and - between them: other punctuation does not count`,
		},
	} {
		_, err := Parse("f", []byte(file), Options{})
		if diff := cmp.Diff(want, messages(err)); diff != "" {
			t.Errorf("%s\n(-want +got):\n%s", file, diff)
		}
	}
}

// A call's variable does not have its plan wait for words that nobody writes down.
func TestCallWaitsForNoWordsWithoutTranscribe(t *testing.T) {
	l := mustParse(t, "plans: {steps: {steps: [answer, stream]}, bot: {listen: 1m, agent: {url: wss://b}}}", Options{})
	for name, want := range map[string]string{
		DefaultPlan: `tapdeck_until_said: "stop, please": needs transcribe: there are no words without it; name a plan that has it by tapdeck_plan, or remove the variable`,
		"steps":     `tapdeck_until_said: "stop, please": no effect on plan steps, which is made of steps; name a plan with the steps for this call by tapdeck_plan`,
		"bot":       "",
	} {
		plan, warnings := l.ForCall(variables{"tapdeck_until_said": "stop, please"}, name)
		if diff := cmp.Diff(want, joinWarnings(warnings)); diff != "" || flow.WaitForWords(plan.Steps) {
			t.Errorf("%s: words are waited for, or another warning (-want +got):\n%s", name, diff)
		}
	}
}
