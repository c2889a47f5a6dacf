package controller_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tapdeck/controller"
	"tapdeck/controller/player"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
)

// standingStill is a call whose stream stands still while nothing is played.
func standingStill(s *setup) switchsim.CallSpec {
	s.plan.Stream.Mix = "stereo"
	return switchsim.CallSpec{Voice: voice(), Before: []switchsim.Action{{Application: "answer"}}}
}

func countCommands(e ended, part string) (n int) {
	for _, c := range e.report.Commands {
		if strings.Contains(c, part) {
			n++
		}
	}
	return n
}

// The silence between two sentences may be broken off before it has begun, any number of times.
func TestManySentencesAndSilences(t *testing.T) {
	t.Parallel()
	for _, method := range []player.Method{player.MethodFiles, player.MethodStream} {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			const sentences = 40
			o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
				said := 0
				say := func() { s.Play(bot.Tone(8000, 440, 40*time.Millisecond)); s.Mark("said"); said++ }
				say()
				return bot.Hooks{Mark: func(string) {
					if said < sentences {
						say()
					} else {
						s.Close(websocket.StatusNormalClosure, "")
					}
				}}
			}}
			b := startBot(t, o)
			s := talking(b, o, nil)
			s.cfg.Player = controller.Player{Method: string(method)}
			if method == player.MethodFiles {
				s.cfg.Player.Directory = t.TempDir()
			}
			e := s.run(t, standingStill(&s))
			checkHeard(t, b, e)
			if n := countCommands(e, "silence_stream"); n < sentences/2 {
				t.Errorf("%d silences", n)
			}
		})
	}
}

// A break acts a while after it was given: the silence behind a clear is not given to it, and the
// bot hears the caller again.
func TestSilenceBehindAClear(t *testing.T) {
	t.Parallel()
	heard := 0
	o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		s.Play(bot.Tone(8000, 440, 10*time.Second))
		return bot.Hooks{Heard: func([]byte) {
			switch heard++; heard {
			case 50:
				s.Clear()
			case 100:
				s.Play(bot.Tone(8000, 880, 300*time.Millisecond))
				s.Mark("end")
			}
		}, Mark: func(string) { s.Close(websocket.StatusNormalClosure, "") }}
	}}
	b := startBot(t, o)
	s := talking(b, o, nil)
	spec := standingStill(&s)
	spec.Faults = switchsim.Faults{LateJob: "uuid_break", LateBy: 8 * time.Millisecond}
	if e := s.run(t, spec); e.outcome.Result != controller.Completed || len(e.outcome.Agent.Utterances) != 2 {
		t.Errorf("%s %q, %+v, %d frames heard", e.outcome.Result, e.outcome.Err, e.outcome.Agent, heard)
	}
}

// A switch without silence_stream is asked once.
func TestNoSilence(t *testing.T) {
	t.Parallel()
	o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		return bot.Hooks{Run: func() {
			s.Sleep(time.Second)
			s.Close(websocket.StatusNormalClosure, "")
		}}
	}}
	b := startBot(t, o)
	s := talking(b, o, nil)
	spec := standingStill(&s)
	s.rewrite = func(c []byte) []byte {
		return bytes.ReplaceAll(c, []byte("silence_stream://-1"), []byte("ivr/missing.wav"))
	}
	e := s.run(t, spec)
	if n := countCommands(e, "missing"); n != 1 || e.count("silence not played") != 1 || e.outcome.Result != controller.Completed {
		t.Errorf("asked %d times; %s; %q", n, e.outcome.Result, e.messages())
	}
}

// Marks come back in order, also one that the bot sends after it has asked for the end.
func TestMarkAfterARequest(t *testing.T) {
	t.Parallel()
	var order []string
	o := bot.Options{Format: bot.PCM, Behaviour: func(s *bot.Session) bot.Hooks {
		s.Play(bot.Tone(8000, 440, time.Second))
		s.Mark("before")
		s.Hangup()
		s.Mark("after")
		return bot.Hooks{Mark: func(name string) { order = append(order, name) }}
	}}
	b := startBot(t, o)
	e := talking(b, o, nil).run(t, switchsim.CallSpec{Voice: voice()})
	if strings.Join(order, " ") != "before after" || len(b.Sessions()[0].Problems()) > 0 || e.outcome.Result != controller.Completed {
		t.Errorf("%q, problems %q, %s", order, b.Sessions()[0].Problems(), e.outcome.Result)
	}
}
