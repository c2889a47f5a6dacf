package controller_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
)

// digits are the same key pressed again and again, so that one of them comes in
// the listening time whenever that begins.
func digits(key string) []switchsim.Digit {
	var all []switchsim.Digit
	for at := 100 * time.Millisecond; at < 5*time.Minute; at += at / 2 {
		all = append(all, switchsim.Digit{At: at, Digit: key})
	}
	return all
}

func TestWhatEndsListening(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(s *setup)
		spec   switchsim.CallSpec
		want   string
	}{
		{
			name: "a digit of finish_on", want: flow.ListenDTMF, spec: switchsim.CallSpec{DTMF: digits("#")},
			change: func(s *setup) { s.plan.Listen, s.plan.FinishOn = time.Minute, "*#" },
		},
		{
			name: "a letter in any case", want: flow.ListenDTMF, spec: switchsim.CallSpec{DTMF: digits("a")},
			change: func(s *setup) { s.plan.Listen, s.plan.FinishOn = time.Minute, "A" },
		},
		{
			name: "another digit does not", want: flow.ListenTime, spec: switchsim.CallSpec{DTMF: digits("5")},
			change: func(s *setup) { s.plan.Listen, s.plan.FinishOn = 300*time.Millisecond, "#" },
		},
		{
			name: "without finish_on none does", want: flow.ListenTime, spec: switchsim.CallSpec{DTMF: digits("#")},
			change: func(s *setup) { s.plan.Listen = 300 * time.Millisecond },
		},
		{
			name: "silence", want: flow.ListenSilence,
			change: func(s *setup) {
				s.plan.Listen, s.plan.Silence = time.Minute, time.Second
				s.behave = func(string, int) behaviour { return behaviour{quietAfter: 5} }
			},
		},
		{
			name: "silence is not asked for", want: flow.ListenTime,
			change: func(s *setup) {
				s.plan.Listen = 300 * time.Millisecond
				s.behave = func(string, int) behaviour { return behaviour{quietAfter: 5} }
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good()
			c.change(&s)
			e := s.run(t, c.spec)
			if e.outcome.Result != controller.Completed || e.outcome.ListenEndedBy != c.want || e.outcome.HungUpBy != "tapdeck" {
				t.Errorf("outcome = %+v, want completed, ended by %s", e.outcome, c.want)
			}
			if field(e.line(t, "listened"), "cause") != c.want {
				t.Errorf("log = %v, want %s", e.line(t, "listened").ContextMap(), c.want)
			}
		})
	}
}

// A digit in the prompt ends neither the prompt nor the listening after it.
func TestDigitInPrompt(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.FinishOn = "#"
	s.sim.Prompts = func(string) (time.Duration, bool) { return 3 * time.Second, true }
	e := s.run(t, switchsim.CallSpec{DTMF: []switchsim.Digit{{At: 500 * time.Millisecond, Digit: "#"}, {At: time.Second, Digit: "#"}}})
	if e.outcome.Result != controller.Completed || e.outcome.ListenEndedBy != flow.ListenTime {
		t.Errorf("outcome = %+v, want a listening time that ended by itself", e.outcome)
	}
	if took := e.outcome.Timeline.At("listen").Sub(e.outcome.Timeline.At("prompt")); took < 290*time.Millisecond {
		t.Errorf("the prompt took %v, want its 300ms", took)
	}
}

// What one listening time has found of the caller's speech ends no later one, which may not ask for it.
func TestSilenceEndsItsOwnListening(t *testing.T) {
	t.Parallel()
	s := made(
		&flow.Answer{}, &flow.Stream{}, &flow.Listen{For: time.Minute, Silence: time.Second},
		&flow.Play{Files: []string{promptFile}}, &flow.Listen{For: 50 * time.Millisecond},
	)
	s.behave = func(string, int) behaviour { return behaviour{quietAfter: 5} }
	e := s.run(t, switchsim.CallSpec{Voice: voice()})
	var ends []any
	for _, line := range e.logs {
		if line.Message == "listened" {
			ends = append(ends, field(line, "cause"))
		}
	}
	if !slices.Equal(ends, []any{flow.ListenSilence, flow.ListenTime}) {
		t.Errorf("the listening times were ended by %q", ends)
	}
}

// A caller who has pressed a key has not said nothing; that he then speaks and is quiet ends the listening.
func TestSilenceAfterAKey(t *testing.T) {
	t.Parallel()
	s := made(&flow.Answer{}, &flow.Play{Files: []string{promptFile}}, &flow.Stream{}, &flow.Listen{For: 2 * time.Second, Silence: time.Second, NoInput: time.Second})
	s.plan.Typeahead = true
	s.behave = func(string, int) behaviour { return behaviour{noInputAfter: 3, quietAfter: 6} }
	e := s.runWith(t, switchsim.CallSpec{Voice: voice()}, 1, "playing", promptFile, func(_ *testbed, call *switchsim.Call) { call.Press("5") })
	if e.outcome.ListenEndedBy != flow.ListenSilence {
		t.Errorf("the listening time was ended by %q", e.outcome.ListenEndedBy)
	}
}

// talkative is a call whose caller says something as soon as it listens.
type talkative struct {
	flow.Channel
	text string
}

func (s talkative) Wait(ctx context.Context, limit time.Duration, done func() bool) error {
	s.Words().Hear(s.text, true)
	return s.Channel.Wait(ctx, limit, done)
}

// Words of the caller end his listening time, and the record says so.
func TestWordsEndListening(t *testing.T) {
	t.Parallel()
	listen := &flow.Listen{For: time.Minute, UntilSaid: []string{"goodbye"}}
	e := made(&flow.Answer{}, &flow.Stream{}, scripted{do: func(ctx context.Context, ch flow.Channel) error {
		return listen.Run(ctx, talkative{ch, "well, goodbye"})
	}}).run(t, switchsim.CallSpec{})
	if e.outcome.Result != controller.Completed || e.outcome.ListenEndedBy != flow.ListenSaid || field(e.line(t, "listened"), "cause") != flow.ListenSaid {
		t.Errorf("outcome %+v", e.outcome)
	}
}
