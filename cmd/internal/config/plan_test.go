package config

import (
	"iter"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/transcript"
)

const twoPlans = `
plans:
  default:
    answer_pause: 1s
  survey:
    listen: 30s
    stream: {mix: stereo, restarts: 0}
`

// variables makes the lookup of a call's channel variables.
type variables map[string]string

func (v variables) Get(name string) string { return v[name] }

func (v variables) Names(prefix string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range v {
			if strings.HasPrefix(name, prefix) && !yield(name) {
				return
			}
		}
	}
}

// A variable whose name is written wrong changes nothing, and says so.
func TestUnknownVariable(t *testing.T) {
	l := mustParse(t, twoPlans, Options{})
	all := variables{"tapdeck_lisen": "9s", "tapdeck_xyzzy": "1", "sip_h_X-tapdeck_listen": "1s"}
	for _, name := range newSchema(stepTypes()).variables() { // each is known
		all[name] = ""
	}
	got, warnings := l.ForCall(all, "")
	if want, _ := l.Plan(DefaultPlan); !reflect.DeepEqual(got, want) {
		t.Errorf("plan %+v, want %+v", got, want)
	}
	want := `tapdeck_lisen: "9s": no such variable; the nearest known is tapdeck_listen
tapdeck_xyzzy: "1": no such variable`
	if diff := cmp.Diff(want, joinWarnings(warnings)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPlanStatesOnlyWhatDiffers(t *testing.T) {
	l := mustParse(t, twoPlans, Options{})
	got, ok := l.Plan("survey")
	want := controller.Plan{
		Name: "survey",
		Stream: controller.StreamPlan{
			Mix: "stereo", SampleRate: 8000, Buffer: 20 * time.Millisecond,
			ConnectTimeout: 3 * time.Second, StopTimeout: 3 * time.Second, Restarts: 0,
		},
		OnStreamFailure: controller.FailureHangup, Transcribe: transcript.DefaultService(), LogTranscripts: true,
		Steps: flow.Flat{
			AnswerPause: time.Second, Tone: flow.Tone{Frequency: 800, Duration: 500 * time.Millisecond},
			Prompt: "ivr/ivr-please_state_your_name_and_reason_for_calling.wav", Listen: flow.Listen{For: 30 * time.Second, UntilSaid: []string{}, SilenceLevel: flow.Level{DBFS: -40}},
		}.Steps(),
	}
	if diff := cmp.Diff(want, got, whole()); diff != "" || !ok {
		t.Errorf("%v (-want +got):\n%s", ok, diff)
	}
	if _, ok := l.Plan("none"); ok {
		t.Error("a plan that is not there is found")
	}
	if diff := cmp.Diff([]string{"default", "survey"}, l.PlanNames()); diff != "" {
		t.Error(diff)
	}
}

func TestWhichPlanACallHas(t *testing.T) {
	l := mustParse(t, twoPlans, Options{})
	for name, c := range map[string]struct {
		vars, path, plan, warning string
	}{
		"none":                  {"", "", "default", ""},
		"by path":               {"", "survey", "survey", ""},
		"by path with slashes":  {"", "/survey/", "survey", ""},
		"by variable":           {"survey", "", "survey", ""},
		"the variable is first": {"default", "survey", "default", ""},
		"unknown variable":      {"servey", "survey", "default", `tapdeck_plan: "servey": no such plan, using default; the nearest known is survey`},
		"unknown path":          {"", "x/y", "default", `socket_path: "x/y": no such plan, using default`},
		"path of slashes":       {"", "//", "default", ""},
		"hostile":               {"a\r\nb", "", "default", `tapdeck_plan: "a\r\nb": no such plan, using default`},
	} {
		t.Run(name, func(t *testing.T) {
			p, warnings := l.ForCall(variables(map[string]string{PlanVariable: c.vars}), c.path)
			if p.Name != c.plan {
				t.Errorf("plan %q, want %q", p.Name, c.plan)
			}
			if diff := cmp.Diff(c.warning, joinWarnings(warnings)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func joinWarnings(list []error) string {
	var lines []string
	for _, w := range list {
		lines = append(lines, w.Error())
	}
	return strings.Join(lines, "\n")
}

func TestValuesOfOneCall(t *testing.T) {
	l := mustParse(t, twoPlans, Options{})
	got, warnings := l.ForCall(variables(map[string]string{
		"tapdeck_plan": "survey", "tapdeck_answer_pause": "0s", "tapdeck_tone_frequency": "440", "tapdeck_tone_duration": "1s",
		"tapdeck_stream_mix": "mixed", "tapdeck_stream_sample_rate": "16000", "tapdeck_stream_buffer": "100ms",
		"tapdeck_stream_connect_timeout": "1s", "tapdeck_stream_stop_timeout": "2s", "tapdeck_stream_restarts": "7",
		"tapdeck_prompt": "a b.wav", "tapdeck_listen": "5s", "tapdeck_finish_on": "*#", "tapdeck_silence": "1s", "tapdeck_on_stream_failure": "continue",
		"tapdeck_stop_on": "9", "tapdeck_silence_level": "auto", "tapdeck_no_input": "4s", "tapdeck_typeahead": "true", "tapdeck_dtmf": "inband",
	}), "")
	want := controller.Plan{
		Name: "survey", OnStreamFailure: controller.FailureContinue, Typeahead: true, InbandDTMF: true, Transcribe: transcript.DefaultService(), LogTranscripts: true,
		Stream: controller.StreamPlan{
			Mix: "mixed", SampleRate: 16000, Buffer: 100 * time.Millisecond,
			ConnectTimeout: time.Second, StopTimeout: 2 * time.Second, Restarts: 7,
		},
		Steps: flow.Flat{
			Tone: flow.Tone{Frequency: 440, Duration: time.Second}, Prompt: "a b.wav", StopOn: "9",
			Listen: flow.Listen{For: 5 * time.Second, FinishOn: "*#", UntilSaid: []string{}, Silence: time.Second, SilenceLevel: flow.Level{Auto: true}, NoInput: 4 * time.Second},
		}.Steps(),
	}
	if diff := cmp.Diff(want, got, whole()); diff != "" || len(warnings) > 0 {
		t.Errorf("%s (-want +got):\n%s", joinWarnings(warnings), diff)
	}
	if l.Config.Plans["survey"].Listen != 30*time.Second {
		t.Error("one call's values have changed the plan")
	}
}

// A bad value is a warning, and the plan's own value stays; the good ones beside
// it are taken.
func TestBadValuesOfOneCall(t *testing.T) {
	l := mustParse(t, twoPlans, Options{})
	got, warnings := l.ForCall(variables(map[string]string{
		"tapdeck_listen": "15", "tapdeck_stream_sample_rate": "8k", "tapdeck_prompt": "x\r\nexecute-app-name: system",
		"tapdeck_answer_pause": "2s", "tapdeck_on_stream_failure": "hangu", "tapdeck_finish_on": strings.Repeat("9", 500),
	}), "survey")
	want := `tapdeck_answer_pause ok
tapdeck_stream_sample_rate: "8k": must be a whole number in plain decimal digits: 8000 or 16000; in Hz: mod_audio_stream only stretches the audio to other multiples of 8000, and refuses the rest, with the socket left open
tapdeck_prompt: "x\r\nexecute-app-name: system": must be one line without control characters
tapdeck_listen: "15": a duration needs a unit; write 15s or 15ms
tapdeck_finish_on: "` + strings.Repeat("9", 100) + `…": must be at most 16 bytes long
tapdeck_on_stream_failure: "hangu": must be hangup, continue or dialplan; the nearest known is hangup`
	if diff := cmp.Diff(want, "tapdeck_answer_pause ok\n"+joinWarnings(warnings)); diff != "" {
		t.Error(diff)
	}
	plan, _ := l.Plan("survey")
	plan.Steps = flow.Flat{
		AnswerPause: 2 * time.Second, Tone: flow.Tone{Frequency: 800, Duration: 500 * time.Millisecond},
		Prompt: "ivr/ivr-please_state_your_name_and_reason_for_calling.wav", Listen: flow.Listen{For: 30 * time.Second, UntilSaid: []string{}, SilenceLevel: flow.Level{DBFS: -40}},
	}.Steps()
	if diff := cmp.Diff(plan, got, whole()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestVariablesAreWhatACallIsAskedFor(t *testing.T) {
	l := mustParse(t, "", Options{})
	a := &asker{}
	l.ForCall(a, "")
	if diff := cmp.Diff(newSchema(stepTypes()).variables(), a.asked); diff != "" {
		t.Error(diff)
	}
	if len(a.asked) != 22 {
		t.Errorf("%d variables: %v", len(a.asked), a.asked)
	}
}

// asker notes what it is asked for.
type asker struct {
	variables
	asked []string
}

func (a *asker) Get(name string) string {
	a.asked = append(a.asked, name)
	return ""
}

func TestDiff(t *testing.T) {
	before := mustParse(t, "admin: {token: old-secret}\nlog: {level: info}\nplans: {default: {listen: 15s}, a: {}, gone: {}, own: {listen: 15s}}", Options{})
	after := mustParse(t, "admin: {token: new-secret}\nlog: {level: debug}\nesl: {allow: [10.0.0.1]}\nplans: {default: {listen: 20s}, a: {tone: {frequency: 440}}, new: {}, own: {listen: 16s}}", Options{})
	want := []Change{
		{"esl.allow", "127.0.0.0/8, ::1", "10.0.0.1", ReloadNow},
		{"admin.token", "***", "***", ReloadRestart},
		{"log.level", "info", "debug", ReloadNow},
		{"plans.default.listen", "15s", "20s", ReloadNextCall},
		{"plans.a.tone.frequency", "800", "440", ReloadNextCall},
		{"plans.gone", "present", "absent", ReloadNextCall},
		{"plans.new", "absent", "present", ReloadNextCall},
		{"plans.own.listen", "15s", "16s", ReloadNextCall},
	}
	if diff := cmp.Diff(want, Diff(before, after)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if changes := Diff(before, before); len(changes) > 0 {
		t.Errorf("the same configuration differs: %v", changes)
	}
}

func TestSecretsAreMasked(t *testing.T) {
	l := mustParse(t, "admin: {token: s3cret}", Options{})
	if value, _ := origin(t, l, "admin.token"); value != "***" {
		t.Errorf("the token is shown as %q", value)
	}
	none := mustParse(t, "", Options{})
	if value, _ := origin(t, none, "admin.token"); value != "" {
		t.Errorf("no token is shown as %q", value)
	}
	want := []Change{{"admin.token", "", "***", ReloadRestart}}
	if diff := cmp.Diff(want, Diff(none, l)); diff != "" {
		t.Error(diff)
	}
}
