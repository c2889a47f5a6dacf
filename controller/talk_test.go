package controller_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/pcm"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
)

// talking is a setup whose calls talk with a bot.
func talking(b *bot.Bot, o bot.Options, change func(*flow.Agent)) setup {
	s := good()
	s.sim.Speed = 1 // how long audio was heard is compared with the clock
	a := &flow.Agent{For: 20 * time.Second, Bot: flow.DefaultBot()}
	a.URL = b.URL()
	if o.Format != "" {
		a.Format = string(o.Format)
	}
	if change != nil {
		change(a)
	}
	s.plan.Steps = []flow.Step{&flow.Answer{}, &flow.Stream{}, a, &flow.Hangup{}}
	return s
}

// startBot runs a simulated bot until the test ends.
func startBot(t *testing.T, o bot.Options) *bot.Bot {
	b := bot.Start(o)
	t.Cleanup(b.Close)
	return b
}

// heard is what the caller heard without the silence before, between and behind.
func heard(r switchsim.Report) (pcm []byte) {
	for _, h := range r.Heard() {
		if !strings.HasPrefix(h.Source, "silence_stream") {
			pcm = append(pcm, h.PCM...)
		}
	}
	return pcm
}

// companded is what is left of PCM behind µ-law.
func companded(linear []byte) []byte {
	return pcm.AppendLinear(nil, pcm.AppendULaw(nil, linear))
}

// What a bot says is heard whole, sample for sample after µ-law, and then its mark comes back.
func TestBotIsHeard(t *testing.T) {
	for _, format := range []bot.Format{bot.Twilio, bot.PCM} {
		t.Run(string(format), func(t *testing.T) {
			said := bot.Tone(8000, 440, 1300*time.Millisecond)
			o := bot.Options{Format: format, Behaviour: func(s *bot.Session) bot.Hooks {
				s.Play(said)
				s.Mark("end")
				return bot.Hooks{Mark: func(string) { s.Close(websocket.StatusNormalClosure, "") }}
			}}
			b := startBot(t, o)
			e := talking(b, o, nil).run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 300, 0.3)})
			s := b.Sessions()[0]
			if got, want := heard(e.report), companded(s.Said()); !bytes.HasPrefix(got, want) || len(got) > len(want)+320 {
				t.Errorf("heard %d bytes of %d that were said", len(got), len(want))
			}
			c := e.outcome.Agent
			if e.outcome.Result != controller.Completed || c == nil || c.EndedBy != string(flow.TalkClosed) || c.Connects != 1 || len(c.Utterances) != 1 {
				t.Errorf("%+v, %+v", e.outcome, c)
			}
			if p := s.Problems(); len(p) > 0 {
				t.Error(p)
			}
			if pending := s.Pending(); len(pending) > 0 {
				t.Errorf("marks %q did not come back", pending)
			}
		})
	}
}

// A bot hears the caller from the frame on with which the conversation began.
func TestBotHearsTheCaller(t *testing.T) {
	o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		n := 0
		return bot.Hooks{Heard: func([]byte) {
			if n++; n == 50 {
				s.Close(websocket.StatusNormalClosure, "")
			}
		}}
	}}
	b := startBot(t, o)
	e := talking(b, o, nil).run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 300, 0.3)})
	s := b.Sessions()[0]
	if s.Counts().Frames < 50 || len(s.Problems()) > 0 || e.outcome.Result != controller.Completed {
		t.Errorf("%+v, %q, %s", s.Counts(), s.Problems(), e.outcome.Result)
	}
}

// A clear ends what is heard at the next tick, and the pending marks come back.
func TestClear(t *testing.T) {
	o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		s.Play(bot.Tone(8000, 440, 30*time.Second))
		s.Mark("long")
		n := 0
		return bot.Hooks{
			Heard: func([]byte) {
				if n++; n == 60 {
					s.Clear()
				}
			},
			Mark: func(string) {
				s.Play(bot.Tone(8000, 880, 400*time.Millisecond))
				s.Close(websocket.StatusNormalClosure, "")
			},
		}
	}}
	b := startBot(t, o)
	e := talking(b, o, nil).run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 300, 0.3)})
	c := e.outcome.Agent
	if len(c.Utterances) != 2 || !c.Utterances[0].Cleared || c.Utterances[1].Cleared || c.BargeIns != 1 {
		t.Errorf("%+v", c)
	}
	if breaks := slices.DeleteFunc(slices.Clone(e.report.Commands), func(l string) bool { return !strings.Contains(l, "uuid_break") }); len(breaks) != 1 {
		t.Errorf("breaks: %q", breaks)
	}
	if got := len(heard(e.report)); got < 16*400 || got > 16*(400+4000) {
		t.Errorf("%d ms heard", got/16)
	}
}

var _ = context.Background
