package controller_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
)

// menu is a plan that waits for digits.
func menu() setup {
	return made(&flow.Answer{}, &flow.Play{Files: []string{promptFile}}, &flow.Listen{For: 300 * time.Millisecond, FinishOn: "#"})
}

// A caller whose side offers no telephone-event presses keys that nobody hears, and the log says so,
// once, if the plan waits for some.
func TestNoTelephoneEvent(t *testing.T) {
	t.Parallel()
	const line = "no telephone-event negotiated"
	for _, c := range []struct {
		name    string
		setup   setup
		offered bool
		want    int
	}{
		{"a plan that waits", menu(), false, 1},
		{"a caller who offers it", menu(), true, 0},
		{"a plan that waits for none", good(), false, 0},
		{"a plan that looks into the audio", func() setup { s := menu(); s.plan.InbandDTMF = true; return s }(), false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := c.setup.run(t, switchsim.CallSpec{NoTelephoneEvent: !c.offered})
			if e.outcome.Result != controller.Completed || e.count(line) != c.want {
				t.Errorf("outcome %+v, %d lines", e.outcome, e.count(line))
			}
			if c.want > 0 && !strings.Contains(field(e.line(t, line), "hint").(string), "dtmf: inband") {
				t.Errorf("line %v", e.line(t, line).ContextMap())
			}
		})
	}
}

// dtmf: inband starts the detection right after the answer. A key that comes by telephone-event and is
// found in the audio, too, is one; the same key pressed twice is two.
func TestInbandDigits(t *testing.T) {
	t.Parallel()
	both := func(call *switchsim.Call, digit string) {
		call.PressBy(digit, switchsim.TelephoneEvent)
		call.PressBy(digit, switchsim.InBand)
	}
	for _, c := range []struct {
		name  string
		press func(call *switchsim.Call)
		want  []string
	}{
		{"in the audio alone", func(call *switchsim.Call) { call.PressBy("5", switchsim.InBand) }, []string{"5"}},
		{"twice in the audio", func(call *switchsim.Call) {
			call.PressBy("5", switchsim.InBand)
			call.PressBy("5", switchsim.InBand)
		}, []string{"5", "5"}},
		{"both ways", func(call *switchsim.Call) { both(call, "5") }, []string{"5"}},
		{"both ways, two keys", func(call *switchsim.Call) { both(call, "5"); both(call, "6") }, []string{"5", "6"}},
		{"both ways, then in the audio", func(call *switchsim.Call) {
			both(call, "5")
			call.PressBy("5", switchsim.InBand)
		}, []string{"5", "5"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := menu()
			s.plan.InbandDTMF = true
			s.plan.Steps = append(s.plan.Steps, &flow.Pause{For: 500 * time.Millisecond})
			e := s.runWith(t, switchsim.CallSpec{Voice: voice()}, 1, "playing", promptFile, func(_ *testbed, call *switchsim.Call) { c.press(call) })
			if got := said(t, e.report); got[1] != "execute start_dtmf" {
				t.Errorf("commands %q", got)
			}
			var got []string
			for _, d := range e.outcome.Digits {
				got = append(got, d.Digit)
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("digits %q, want %q", got, c.want)
			}
		})
	}
}

// A key that is found in the audio long after its telephone-event is another press.
func TestInbandDigitMuchLater(t *testing.T) {
	t.Parallel()
	s := made(&flow.Answer{}, &flow.Listen{For: time.Minute, FinishOn: "#"})
	s.plan.InbandDTMF = true
	l := s.start(t)
	call := l.dial(switchsim.CallSpec{Voice: voice()})
	l.waitStep(t, "listen")
	digits := func(n int) func() bool { return func() bool { return l.logs.FilterMessage("digit").Len() == n } }
	call.Press("5")
	l.until(t, "the line of the first", digits(1))
	time.Sleep(750 * time.Millisecond) // longer than any echo takes
	call.PressBy("5", switchsim.InBand)
	l.until(t, "the line of the second", digits(2))
	call.Hangup()
	call.Wait()
	l.close()
	if e := l.ended(call.Report()); len(e.outcome.Digits) != 2 {
		t.Errorf("digits %+v", e.outcome.Digits)
	}
}

// Each digit has a line of its own, however fast they come; a caller who presses on without end has
// one a second.
func TestLinesOfDigits(t *testing.T) {
	t.Parallel()
	const pressed = 120
	s := made(&flow.Answer{}, &flow.Play{Files: []string{promptFile}}, &flow.Listen{For: patience, FinishOn: "#"})
	s.plan.Typeahead = true
	e := s.runWith(t, switchsim.CallSpec{}, 1, "playing", promptFile, func(_ *testbed, call *switchsim.Call) {
		for range pressed - 1 {
			call.Press("5")
		}
		call.Press("#")
	})
	limited := 0
	for _, line := range e.logs {
		for _, f := range line.Context {
			if line.Message == "digit" && f.Key == "ratelog" {
				limited++
			}
		}
	}
	if e.count("digit") != pressed || limited != pressed-100 {
		t.Errorf("%d lines of %d digits, of which %d are limited", e.count("digit"), pressed, limited)
	}
}

// What the dialplan has found in the audio is one press with its telephone-event, too, whatever the
// plan says.
func TestInbandDigitsOfTheDialplan(t *testing.T) {
	t.Parallel()
	s := made(
		&flow.Answer{},
		scripted{do: func(ctx context.Context, ch flow.Channel) error {
			_, err := ch.Execute(ctx, "start_dtmf", "", patience)
			return err
		}},
		&flow.Play{Files: []string{promptFile}}, &flow.Pause{For: 500 * time.Millisecond},
	)
	e := s.runWith(t, switchsim.CallSpec{Voice: voice()}, 1, "playing", promptFile, func(_ *testbed, call *switchsim.Call) {
		call.PressBy("5", switchsim.TelephoneEvent)
		call.PressBy("5", switchsim.InBand)
	})
	if len(e.outcome.Digits) != 1 {
		t.Errorf("digits %+v", e.outcome.Digits)
	}
}

// How much of each prompt the caller heard, whatever has ended it, in media time.
func TestHeard(t *testing.T) {
	t.Parallel()
	long := func(string) (time.Duration, bool) { return time.Hour, true }
	for _, c := range []struct {
		name   string
		steps  []flow.Step
		length func(string) (time.Duration, bool)
		leg    switchsim.Leg
		faults switchsim.Faults
		do     func(call *switchsim.Call)
		least  time.Duration
		most   time.Duration
		ended  string
	}{
		{name: "its end", steps: []flow.Step{&flow.Play{Files: []string{"a.wav"}}}, least: 600 * time.Millisecond, most: 640 * time.Millisecond, ended: flow.PromptEnd},
		{
			name: "its end, after a change of the codec", steps: []flow.Step{&flow.Play{Files: []string{"a.wav"}}},
			length: func(string) (time.Duration, bool) { return 12 * time.Second, true }, leg: switchsim.Leg{Codecs: []switchsim.Codec{{At: 10 * time.Second, Rate: 16000}}},
			least: 12 * time.Second, most: 12 * time.Second, ended: flow.PromptEnd,
		},
		{name: "a digit", steps: []flow.Step{&flow.Play{Files: []string{"a.wav"}, StopOn: "1"}}, length: long, do: func(call *switchsim.Call) { call.Press("1") }, most: time.Minute, ended: flow.PromptDigit},
		{name: "a hangup", steps: []flow.Step{&flow.Play{Files: []string{"a.wav"}}}, length: long, do: func(call *switchsim.Call) { call.Hangup() }, most: time.Minute, ended: flow.PromptHangup},
		{name: "a transfer", steps: []flow.Step{&flow.Play{Files: []string{"a.wav"}}}, length: long, do: func(call *switchsim.Call) { call.Transfer() }, most: time.Minute, ended: flow.PromptTransfer},
		{name: "the switch's death", steps: []flow.Step{&flow.Play{Files: []string{"a.wav"}}}, faults: switchsim.Faults{DieIn: "playback"}, least: 1, most: time.Minute, ended: flow.PromptError},
		{name: "no such file", steps: []flow.Step{&flow.Tone{Frequency: 800, Duration: time.Second}, &flow.Play{Files: []string{missingFile}}}, ended: flow.PromptNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := made(append([]flow.Step{&flow.Answer{}}, c.steps...)...)
			s.cfg.PromptLimit = patience
			if c.length != nil {
				s.sim.Prompts = c.length
			}
			e := s.runWith(t, switchsim.CallSpec{Leg: c.leg, Faults: c.faults}, 1, "playing", "a.wav", func(_ *testbed, call *switchsim.Call) {
				if c.do != nil {
					c.do(call)
				}
			})
			p := e.outcome.Prompts[0]
			if p.EndedBy != c.ended || p.Heard < c.least || p.Heard > c.most {
				t.Errorf("prompt %+v", p)
			}
			if played := e.report.Played; c.do != nil && p.Heard != time.Duration(played[0].To-played[0].From)*switchsim.FrameDuration {
				t.Errorf("prompt %+v, the switch played %+v", p, played)
			}
		})
	}
}

// Every digit is kept, with the step in which it came. What was typed ahead counts for the next
// listening time if the plan says so.
func TestTypeahead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ahead bool
		want  string
	}{{false, flow.ListenTime}, {true, flow.ListenDTMF}} {
		s := made(
			&flow.Answer{}, &flow.Play{Files: []string{promptFile}}, &flow.Listen{For: 100 * time.Millisecond, FinishOn: "#"},
			&flow.Play{Files: []string{missingFile}}, &flow.Listen{For: 10 * time.Millisecond, FinishOn: "#"},
		)
		s.plan.Typeahead = c.ahead
		var firstEnd string
		e := s.runWith(t, switchsim.CallSpec{}, 1, "playing", promptFile, func(_ *testbed, call *switchsim.Call) {
			call.Press("a")
			call.Press("#")
			call.Press("#")
		})
		firstEnd, _ = field(e.line(t, "listened"), "cause").(string)
		if firstEnd != c.want || e.outcome.ListenEndedBy != c.want { // one # for each
			t.Errorf("typeahead %v: the first listen was ended by %s, the second by %s", c.ahead, firstEnd, e.outcome.ListenEndedBy)
		}
		var got []string
		for _, d := range e.outcome.Digits {
			got = append(got, d.Digit+" in "+d.Step)
		}
		if !slices.Equal(got, []string{"A in play", "# in play", "# in play"}) || e.count("digit") != 3 {
			t.Errorf("digits %q, %d lines", got, e.count("digit"))
		}
		if early := e.count("digit before listening"); (early == 1) == c.ahead {
			t.Errorf("typeahead %v: %d lines of early digits", c.ahead, early)
		}
	}
}

// A digit that has cut a prompt is used up; what was typed behind the one that ended a listening time
// counts for the next.
func TestTypeaheadOverSteps(t *testing.T) {
	t.Parallel()
	listen := &flow.Listen{For: 100 * time.Millisecond, FinishOn: "#"}
	s := made(&flow.Answer{}, &flow.Play{Files: []string{promptFile}, StopOn: "#"}, listen, listen, listen)
	s.plan.Typeahead = true
	e := s.runWith(t, switchsim.CallSpec{}, 1, "playing", promptFile, func(_ *testbed, call *switchsim.Call) {
		for _, key := range "1#2#" {
			call.Press(string(key))
		}
	})
	var ends []any
	for _, line := range e.logs {
		if line.Message == "listened" {
			ends = append(ends, field(line, "cause"))
		}
	}
	// The first # cuts the prompt; the switch has told of the second one by then, or tells of it at once.
	if !slices.Equal(ends, []any{flow.ListenDTMF, flow.ListenTime, flow.ListenTime}) {
		t.Errorf("the listening times were ended by %q", ends)
	}
}

// A digit has the name that its step has in the timeline.
func TestDigitInTheSecondStepOfAName(t *testing.T) {
	t.Parallel()
	play, stream, stop := &flow.Play{Files: []string{promptFile}}, &flow.Stream{}, &flow.Stream{Action: "stop"}
	for want, c := range map[string]struct {
		steps        []flow.Step
		n            int
		step, detail string
	}{
		"play_2":   {[]flow.Step{&flow.Answer{}, play, play}, 2, "playing", promptFile},
		"stream_2": {[]flow.Step{&flow.Answer{}, stream, stop, stream}, 2, "stream start", ""},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			s := made(c.steps...)
			// Each start takes its whole time, so that the key comes while the second one waits.
			s.plan.OnStreamFailure, s.plan.Stream.Restarts, s.plan.Stream.ConnectTimeout = controller.FailureContinue, 0, 500*time.Millisecond
			e := s.runWith(t, switchsim.CallSpec{Faults: switchsim.Faults{NeverConnect: true}}, c.n, c.step, c.detail, func(_ *testbed, call *switchsim.Call) { call.Press("1") })
			if d := e.outcome.Digits; len(d) != 1 || d[0].Step != want {
				t.Errorf("digits %+v", d)
			}
		})
	}
}
