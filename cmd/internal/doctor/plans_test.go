package doctor

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/flow"
)

// plans gives the examination these plans of steps beside those of the configuration, or in their
// stead.
func (l *setup) plans(instead bool, plans map[string][]flow.Step) *setup {
	tune := l.tune
	l.tune = func(x *examination) {
		tune(x)
		if instead {
			x.plans = nil
		}
		for name, steps := range plans {
			x.plans = append(x.plans, controller.Plan{Name: name, Stream: controller.StreamPlan{Buffer: 20 * time.Millisecond}, Steps: steps})
		}
	}
	return l
}

// fax is a step of which nothing but this test knows.
type fax struct{ flow.Hangup }

func (*fax) Name() string { return "fax" }

func (*fax) Needs() flow.Needs {
	return flow.Needs{Modules: []flow.Module{{Name: "mod_spandsp", Does: "sends the fax"}}, Prompts: []string{"fax/wait.wav"}}
}

func (*fax) Length() flow.Length { return flow.Length{Known: time.Hour, Prompts: 2} }

func (*fax) Run(context.Context, flow.Channel) error { return nil }

// What a step of a new type needs is looked for, though nothing in the doctor knows of the type.
func TestStepOfAnotherType(t *testing.T) {
	l := newSetup(t).plans(false, map[string][]flow.Step{"fax": {&flow.Answer{}, &fax{}}})
	l.facts.Missing = []string{"mod_spandsp"}
	l.facts.Files = func(path string) bool { return !strings.Contains(path, "fax") }
	longest := ""
	tune := l.tune
	l.tune = func(x *examination) {
		tune(x)
		longest = x.longestText()
	}
	l.expect(
		amiss{"module mod_spandsp", Fail, "sends the fax of plan fax", "load mod_spandsp"},
		amiss{"prompt of plan fax", Fail, "callie/fax/wait.wav", "name another prompt"},
	)
	if longest != "1h0m0s and its prompts" {
		t.Errorf("longest: %s", longest)
	}
}

// Every prompt of a plan is looked for, once.
func TestSeveralPrompts(t *testing.T) {
	question := &flow.Play{Files: []string{"ask.wav", "/srv/pling.mp3"}}
	l := newSetup(t).plans(false, map[string][]flow.Step{"ask": {
		&flow.Answer{}, &flow.Tone{Frequency: 400, Duration: time.Second}, question, &flow.Stream{}, &flow.Listen{For: time.Second},
		&flow.Tone{Frequency: 800, Duration: time.Second}, question, &flow.Listen{For: time.Second}, &flow.Play{Files: []string{"thanks.wav"}},
	}})
	l.facts.Missing = []string{"mod_shout"}
	l.facts.Files = func(path string) bool {
		return !strings.Contains(path, "thanks") && !strings.Contains(path, "ask")
	}
	l.expect(
		amiss{"module mod_shout", Fail, "plays the prompt of plan ask", "load mod_shout"},
		amiss{"prompt of plan ask", Fail, "callie/ask.wav", ""},
		amiss{"prompt of plan ask", Fail, "callie/thanks.wav", ""},
	)
}

// Without a plan that streams nothing of the stream is missed, and nothing is said of it but that.
func TestNoPlanStreams(t *testing.T) {
	l := newSetup(t).plans(true, map[string][]flow.Step{"busy": {&flow.Hangup{Cause: "USER_BUSY"}}})
	l.facts.Missing, l.facts.NoStreamAPI = []string{streamModule}, true
	l.loaded.Config.Sink.Advertise = "wss://sink.example.invalid"
	l.expect()
	if !l.has(amiss{"API uuid_audio_stream", Pass, "no plan has a stream", ""}) {
		t.Error(l.text())
	}
	for _, f := range l.findings {
		if slices.Contains([]string{"module " + streamModule, "sink address", "stream limit"}, f.Check) {
			t.Errorf("%+v", f)
		}
	}
}

// The test call says of a plan that records nothing what it is, and no more.
func TestCallWithoutStream(t *testing.T) {
	hello := []flow.Step{&flow.Answer{}, &flow.Play{Files: []string{"hello.wav"}}}
	for name, tt := range map[string]struct {
		instead     bool
		steps       []flow.Step
		answer      string
		result, err string
		said        amiss
		want        []amiss
	}{
		"beside others": {
			false, hello, "+OK x\n", "completed", "",
			amiss{testCall, Pass, "completed by plan quiet", ""},
			[]amiss{{testRecording, Unknown, "plan quiet has no stream", "default, survey"}},
		},
		"alone":     {true, hello, "+OK x\n", "completed", "", amiss{testRecording, Pass, "no plan has a stream", ""}, nil},
		"busy":      {true, []flow.Step{&flow.Hangup{Cause: "USER_BUSY"}}, "-ERR USER_BUSY\n", "completed", "", amiss{testCall, Pass, "completed by plan quiet", ""}, nil},
		"goes on":   {true, []flow.Step{&flow.Transfer{Number: "5000"}}, "+OK x\n", "transferred", "", amiss{testCall, Pass, "transferred by plan quiet, as that says", ""}, nil},
		"goes away": {true, []flow.Step{&flow.Transfer{Number: "5000"}}, "-ERR NO_ANSWER\n", "transferred", "", amiss{testRecording, Pass, "no plan has a stream", ""}, nil},
		"nowhere":   {true, []flow.Step{&flow.Transfer{Number: "5000"}}, "+OK x\n", "transferred", "there was nothing to transfer the call to", amiss{}, []amiss{{testCall, Fail, "ended with transferred: there was nothing", ""}}},
		"fails":     {true, hello, "+OK x\n", "switch_lost", "", amiss{}, []amiss{{testCall, Fail, "switch_lost", "its log says why"}}},
	} {
		t.Run(name, func(t *testing.T) {
			l, p := placed(t, tt.answer, over(fmt.Sprintf(`"result":%q,"plan":"quiet","err":%q`, tt.result, tt.err)))
			l.plans(tt.instead, map[string][]flow.Step{"quiet": tt.steps})
			l.expect(tt.want...)
			if tt.said.check != "" && !l.has(tt.said) {
				t.Errorf("no %+v in\n%s", tt.said, l.text())
			}
			if hungUp(p) != (tt.result == "transferred") {
				t.Errorf("the call is left up, or was over: %q", p.asked())
			}
		})
	}
}

// A stream that its plan stops and starts again is not broken.
func TestCallWithTwoStreams(t *testing.T) {
	stop := &flow.Stream{Action: "stop"}
	steps := []flow.Step{
		&flow.Answer{}, &flow.Stream{}, &flow.Listen{For: time.Second}, stop, &flow.Play{Files: []string{"a.wav"}},
		&flow.Stream{}, &flow.Listen{For: time.Second}, stop,
	}
	recording := write(t, 8000, 6*time.Second, cut(pattern(0.1, 0.25), 2, 4))
	l, _ := placed(t, "+OK x\n", over(fmt.Sprintf(
		`"result":"completed","plan":"two","mix":"mono","wav":%q,"timeline":{"stream_connected":500,"stop":2500,"stream_connected_2":4500,"stop_2":6500}`, filepath.Base(recording))))
	l.loaded.Config.Sink.Directory = filepath.Dir(recording)
	l.plans(false, map[string][]flow.Step{"two": steps})
	l.expect()
	if !l.has(amiss{testRecording, Pass, "pattern is in", ""}) || !l.has(amiss{"recording length", Pass, "6.00 s", ""}) {
		t.Error(l.text())
	}
}

// The modules of flat plans, by the words that they have always had.
func TestNeedsOfFlatPlans(t *testing.T) {
	l := newSetup(t)
	l.options.Call = "9999"
	want := []need{
		{"mod_event_socket", "hands calls to tapdeck"},
		{"mod_dptools", "has answer, playback and hangup"},
		{"mod_audio_stream", "streams the audio"},
		{"mod_tone_stream", "plays the tone of plan default"},
		{"mod_sndfile", "plays the prompt of plan default"},
		{"mod_loopback", "places the test call"},
	}
	if got := newExamination(l.options).needs(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
