package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapdeck/cmd/internal/callview"
	"tapdeck/controller/switchsim"
)

// stepPlans are plans of steps, as short as they can be. Only nine plays prompts, each of which takes the
// simulated switch 3.5 s; digits that are pressed before it listens count, so that its time is no matter.
const stepPlans = `
  quiet: {steps: [answer, {tone: {frequency: 400, duration: 100ms}}]}
  busy: {steps: [{hangup: USER_BUSY}]}
  away: {steps: [{transfer: "5000"}]}
  stopped: {steps: [answer, stream, {listen: 1400ms}, {stream: stop}, {tone: {frequency: 400, duration: 100ms}}, hangup]}
  twice: {steps: [answer, stream, {listen: 1s}, {stream: stop}, {pause: 400ms}, stream, {listen: 1s}]}
  onward: {steps: [answer, stream, {listen: 1400ms}, {transfer: "5000"}]}
  nine:
    typeahead: true
    stream: {mix: stereo}
    steps:
      - answer
      - stream
      - play: ask.wav
      - listen: {for: 2h, finish_on: "1"}
      - tone: {frequency: 800, duration: 100ms}
      - play: ask-more.wav
      - listen: {for: 2h, finish_on: "#"}
      - set: answered=yes
      - hangup
`

// A demo says of every plan what it has proven, and fails for none for what the plan leaves out.
func TestDemoOfSteps(t *testing.T) {
	t.Parallel()
	const equal, none = "2 of 2 recordings hold exactly what was said", "2 of 2 calls ended as their plan says; it has no stream"
	for plan, want := range map[string]struct{ sum, line string }{
		"quiet":   {none, `completed +0\.00 +- +no stream in this plan +-`},
		"busy":    {none, `completed +0\.00 +- +no stream in this plan +-`},
		"away":    {none, `transferred +0\.00 +- +no stream in this plan +-`},
		"stopped": {equal, "all equal"},
		"twice":   {equal, "all equal"},
		"onward":  {equal, "transferred .*all equal"},
		"nine":    {equal, "all equal"},
	} {
		t.Run(plan, func(t *testing.T) {
			t.Parallel()
			code, out := demo(t, stepPlans, plan, "--digits", "500ms=1,4500ms=#")
			if code != exitDone || !strings.Contains(out, want.sum) || len(regexp.MustCompile(want.line).FindAllString(out, -1)) != 2 {
				t.Errorf("exit %d, no %q, %q\n%s", code, want.sum, want.line, out)
			}
		})
	}
}

// Nor do the figures of the load generator.
func TestCallOfSteps(t *testing.T) {
	t.Parallel()
	s := serve(t, withStepPlans)
	for plan, want := range map[string]string{
		"quiet":   "2 of 2 calls went as they should have; 0 recordings compared and equal\n2 calls had no stream",
		"busy":    "2 calls had no stream",
		"away":    "2 calls had no stream",
		"stopped": "2 recordings compared and equal\ncommands",
		"onward":  "2 recordings compared and equal\ncommands",
	} {
		code, stdout, stderr := runProgram(t, t.Context(), "call", "--to", s.esl+"/"+plan, "-n", "2", "--recordings", s.dir)
		if code != exitDone || !strings.Contains(stdout, want) {
			t.Errorf("%s: exit %d\n%s%s", plan, code, stdout, stderr)
		}
	}
}

const withStepPlans = brief + stepPlans

// The doctor's test call proves the stream by any plan that has one, and says of others that they
// prove none.
func TestDoctorCallOfSteps(t *testing.T) {
	for plan, want := range map[string][]string{
		"quiet": {"test recording: unknown"}, "busy": {"test recording: unknown"}, "away": {"test recording: unknown"},
		"stopped": nil, "twice": nil, "onward": nil,
	} {
		t.Run(plan, func(t *testing.T) {
			t.Parallel()
			e := newExaminedOf(t, withStepPlans, switchsim.Faults{})
			e.facts.Extensions[0].Actions[0].Data = e.esl + "/" + plan + " async full"
			e.sw.SetFacts(e.facts)
			code, findings := e.examine("--call", "9999")
			if d := cmp.Diff(want, amiss(findings)); d != "" || code != exitDone {
				t.Fatalf("exit code %d (-want +got):\n%s%+v", code, d, findings)
			}
			if found, _ := filepath.Glob(filepath.Join(e.dir, "*", "*.wav")); len(found) != 1-len(want) {
				t.Errorf("%d recordings", len(found))
			}
			e.wait("no call", func(p *callview.Page) bool { return len(p.Running) == 0 })
		})
	}
}
