package config

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"tapdeck/controller/flow"
)

// Whatever a file holds, reading it ends in errors that name the file or in a
// configuration that is valid, says where its values come from, and reads back.
func FuzzLoad(f *testing.F) {
	f.Add(Example())
	for _, seed := range []string{
		"", "---\n---\n", "esl: {allow: [10.0.0.0/8, '::1']}", "plans: {a: &a {listen: 1s}, b: *a, c: {<<: *a}}",
		"plans:\n  survey:\n    listen: 15\n    stream: {sample_rate: 8k, buffer: 30ms}\n    prompt: \"a\\r\\nb\"",
		"sink: {advertise: 'wss://[::1]:1', tls: {certificate: a, key: b}, min_free: 99999999999TiB}",
		"plans: {a: {listen: 1m, agent: {url: wss://b/x?y=z, parameters: {from: \"{caller}, \\\"x\\\"\", \"1\": 2}, permitted_hosts: [\"*.b\"]}}}", "player: {directory: /, method: files}",
		"plans: {c: {transcribe: {url: \"wss://s/x?y=z\", format: vosk, parameters: {phrase_list: \"[\\\"a\\\"]\", words: 1}}}, d: {transcribe: {url: wss://s, parameters: {x: 2, y: \"\"}, final_timeout: 0s}}}",
		"plans: {b: {steps: [answer, stream, agent: {url: ws://1.2.3.4, insecure: true, parameters: {a: \"{call}\"}}]}}",
		"admin: {listen: ':1', token: x}\nlog: {level: }", "? [a]\n: {b: c}", "a: !!binary x", "esl: ~", "\xff\xfe", "*x", "\t",
		"{FFF\r\n\r\n\n\"\n\n\n\r}", "{\"a\\n\u2028b\": 1}", "esl: {listen: \"[fe80::1%a\\nb]:80\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Parse("f.yaml", data, Options{})
		if err != nil {
			checkErrors(t, err)
			return
		}
		checkAccepted(t, l)
	})
}

func checkErrors(t *testing.T, err error) {
	for _, line := range messages(err) {
		if strings.ContainsAny(line, "\r\n\x00") {
			t.Errorf("an error of more than one line: %q", line)
		}
	}
	var e *FieldError
	if !errors.As(err, &e) || (e.File != "f.yaml") {
		t.Errorf("an error without its place: %v", err)
	}
}

func checkAccepted(t *testing.T, l *Loaded) {
	for _, v := range l.Values() {
		if strings.ContainsAny(v.Value, "\r\n\x00") {
			t.Errorf("%s has a control character: %q", v.Key, v.Value)
		}
	}
	flags, plans := map[string]string{}, ""
	for _, v := range l.Values() {
		flags[v.Key] = v.Value
	}
	flags["admin.token"] = l.Config.Admin.Token
	for _, name := range l.PlanNames() {
		plans += "  " + strconv.Quote(name) + ": {}\n"
	}
	again, err := Parse("again.yaml", []byte("plans:\n"+plans), Options{Flags: flags})
	if err != nil {
		t.Fatalf("accepted, but not valid: %v", err)
	}
	if changes := append(Diff(l, l), Diff(l, again)...); len(changes) > 0 {
		t.Errorf("differs from itself: %v", changes)
	}
	for _, name := range l.PlanNames() {
		plan, warnings := l.ForCall(variables{}, name)
		if want, _ := l.Plan(name); !reflect.DeepEqual(plan, want) || len(warnings) > 0 {
			t.Errorf("plan %s of a call: %+v, want %+v (%v)", name, plan, want, warnings)
		}
		lines := Timeline(plan)
		if flat := l.Config.Plans[name].Steps == nil; flat && (lines[0].Text != "answer" || lines[len(lines)-1].Text != "hangup") {
			t.Errorf("the timeline of plan %s is not from answer to hangup: %v", name, lines)
		}
		if err := errors.Join(flow.Check(plan.Steps)...); err != nil || len(lines) < len(plan.Steps)/2 {
			t.Errorf("plan %s: %v, %v", name, err, lines)
		}
	}
}

// FuzzSteps is FuzzLoad of a plan's steps.
func FuzzSteps(f *testing.F) {
	for _, seed := range []string{
		"answer", "answer, pause: 500ms, hangup: USER_BUSY", "answer, play: {file: [a.wav, 'b c'], stop_on: \"*#\"}, tone: 1s",
		"answer, stream, listen: {for: 1m, finish_on: 08, silence: 1s, silence_level: auto, no_input: 1s}, stream: stop",
		"answer, stream, listen: {for: 1m, until_said: [stop, 'thank you', \"it's\", 5, ÄÖ, \"no\"]}, listen: {for: 1s, until_said: []}",
		"set: a=b", "set: {name: a, value: 'ä\u00a0\U0001f600'}", "transfer: {number: 0800, dialplan: XML, context: \"-\"}", "transfer: -08",
		"answer: 3, [a], {}, ~, {a: b, c: d}, play", "answer, play: \"=\", play: \"~\", play: null, play: .5, play: \"<<\", play: \"? a\"", "hangup, hangup",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, steps string) {
		l, err := Parse("f.yaml", []byte("plans:\n  default: {transcribe: {url: wss://s}}\n  x: {steps: [\n"+steps+"\n]}"), Options{})
		if err != nil {
			checkErrors(t, err)
			return
		}
		checkAccepted(t, l)
	})
}

// FuzzCall gives a call hostile channel variables: they end in warnings, or in
// values that the file could have held.
func FuzzCall(f *testing.F) {
	f.Add("survey", "/survey", "tapdeck_listen", "30s")
	f.Add("", "", "tapdeck_prompt", "x\r\nexecute-app-name: system")
	f.Add("x", "..", "tapdeck_stream_sample_rate", "8k")
	f.Add("", "", "tapdeck_lisen\n", "30s")
	f.Add("", "", "tapdeck_until_said", "stop, thank you")
	l, err := Parse("", []byte("plans: {survey: {}}"), Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, plan, path, name, value string) {
		vars := variables{name: value, PlanVariable: plan}
		_, warnings := l.ForCall(vars, path)
		of := l.planName(&decoder{}, plan, path)
		got := l.Config.Plans[of]
		l.setValues(&decoder{}, vars, of, &got)
		flags, holder := map[string]string{}, reflect.ValueOf(got)
		for _, set := range l.schema.call {
			flags[planKey(DefaultPlan, set.path)] = format(set.of(holder))
		}
		if _, err := Parse("", nil, Options{Flags: flags}); err != nil {
			t.Fatalf("a call has a plan that the file can't have: %v", err)
		}
		for _, w := range warnings {
			if strings.ContainsAny(w.Error(), "\r\n\x00") || len(w.Error()) > 2000 {
				t.Errorf("warning %q", w.Error())
			}
		}
	})
}
