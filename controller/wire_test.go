package controller_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
)

// recordWire is for whoever means a change of what flat plans say to the switch.
var recordWire = flag.Bool("record", false, "write testdata/flat-commands.txt instead of comparing with it")

const recorded = "testdata/flat-commands.txt"

// flatCalls are plans of the flat form, and what happens to their calls.
func flatCalls() []struct {
	name   string
	change func(s *setup)
	spec   switchsim.CallSpec
} {
	answered := []switchsim.Action{{Application: "answer"}}
	return []struct {
		name   string
		change func(s *setup)
		spec   switchsim.CallSpec
	}{
		{name: "all steps", change: func(*setup) {}},
		{name: "nothing but stream and listen", change: func(s *setup) {
			s.plan.AnswerPause, s.plan.Tone.Duration, s.plan.Prompt, s.plan.Listen = 0, 0, "", 0
		}},
		{name: "long times", change: func(s *setup) {
			s.plan.AnswerPause, s.plan.Tone, s.plan.Prompt, s.plan.Listen = 1234*time.Millisecond, flow.Tone{Frequency: 3400, Duration: 333 * time.Millisecond}, "", time.Hour
			s.plan.Stream.ConnectTimeout, s.plan.Stream.StopTimeout = 17*time.Second, 19*time.Second
			s.plan.FinishOn = "0123456789ABCD*#"
		}, spec: switchsim.CallSpec{DTMF: digits("5")}},
		{name: "stereo, 16000 Hz, frames of 120 ms", change: func(s *setup) {
			s.plan.Stream.Mix, s.plan.Stream.SampleRate, s.plan.Stream.Buffer = "stereo", 16000, 120*time.Millisecond
		}},
		{name: "stereo, answered before", change: func(s *setup) { s.plan.Stream.Mix = "stereo" }, spec: switchsim.CallSpec{Before: answered}},
		{name: "keys of the dialplan", change: func(*setup) {}, spec: switchsim.CallSpec{Variables: map[string]string{"playback_terminators": "#"}}},
		{name: "silence", change: func(s *setup) {
			s.plan.Listen, s.plan.Silence = time.Minute, time.Second
			s.behave = func(string, int) behaviour { return behaviour{quietAfter: 5} }
		}},
		{name: "a prompt that is missing", change: func(s *setup) { s.plan.Prompt = missingFile }},
		{name: "a caller who hangs up in the prompt", change: func(*setup) {}, spec: switchsim.CallSpec{Faults: switchsim.Faults{HangupIn: "playback"}}},
		{name: "no stream, hangup", change: func(*setup) {}, spec: switchsim.CallSpec{Faults: switchsim.Faults{RefuseStart: true}}},
		{name: "no stream, continue", change: func(s *setup) { s.plan.OnStreamFailure = controller.FailureContinue }, spec: switchsim.CallSpec{Faults: switchsim.Faults{RefuseStart: true}}},
		{name: "no stream, dialplan", change: func(s *setup) { s.plan.OnStreamFailure = controller.FailureDialplan }, spec: switchsim.CallSpec{Faults: switchsim.Faults{RefuseStart: true}}},
		{name: "the sink accepts none", change: func(s *setup) {
			s.refuse = func(controller.Info) error { return errDisk }
			s.plan.OnStreamFailure = controller.FailureContinue
		}},
	}
}

// ids are what differs from call to call in a command; every other byte is compared.
var ids = regexp.MustCompile(`ws://\S+|[0-9a-f]{8}-[0-9a-f-]{27}`)

// What a plan of the flat form says to the switch is what it has always said.
func TestFlatPlansOnTheWire(t *testing.T) {
	var got strings.Builder
	for _, c := range flatCalls() {
		s := good()
		c.change(&s)
		c.spec.Voice = switchsim.ToneVoice(8000, 440, 0.3)
		fmt.Fprintf(&got, "== %s\n%s\n", c.name, ids.ReplaceAllString(strings.Join(s.run(t, c.spec).report.Commands, "\n"), "…"))
	}
	if *recordWire {
		if err := os.WriteFile(recorded, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Errorf("(-recorded +now):\n%s", diff)
	}
}
