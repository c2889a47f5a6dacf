package controller_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
)

// inRealTime is a bot that says a frame for each one that it hears, for so many frames.
func inRealTime(frames int) bot.Behaviour {
	return func(s *bot.Session) bot.Hooks {
		n := 0
		return bot.Hooks{Heard: func([]byte) {
			if n++; n <= frames {
				s.Play(bot.Tone(8000, 440, 20*time.Millisecond))
			} else if n == frames+1 {
				s.Close(websocket.StatusNormalClosure, "")
			}
		}}
	}
}

// deaf is how much of the caller a bot that speaks in real time does not hear on a switch that loses audio at each
// playback, and in how many playbacks it was heard.
func deaf(t *testing.T, lead time.Duration) (share float64, playbacks int) {
	const frames = 150
	o := bot.Options{Format: bot.PCM, Behaviour: inRealTime(frames)}
	b := startBot(t, o)
	s := talking(b, o, nil)
	s.cfg.Player.Lead = lead
	e := s.run(t, switchsim.CallSpec{Voice: &switchsim.Voice{Rate: 8000, PCM: []int16{1000}, Loop: true}, Faults: switchsim.Faults{AudioSync: true}})
	said := b.Sessions()[0].Said()
	if got := heard(e.report); !bytes.HasPrefix(got, companded(said)) {
		t.Errorf("lead %v: heard %d bytes of %d that were said", lead, len(got), len(said))
	}
	pcm := b.Sessions()[0].Heard()
	lost, all := 0, 0
	for ; len(pcm) >= 320 && all < frames; pcm = pcm[320:] {
		if all++; len(bytes.Trim(pcm[:320], "\x00")) == 0 {
			lost++
		}
	}
	return float64(lost) / float64(all), len(e.report.Played)
}

// A bot that speaks in real time hears the caller meanwhile if its utterances have a lead (F155).
func TestLeadLetsTheBotHear(t *testing.T) {
	t.Parallel()
	without, short := deaf(t, 0)
	with, long := deaf(t, 200*time.Millisecond)
	t.Logf("lost %.0f %% in %d playbacks, %.0f %% in %d with a lead", without*100, short, with*100, long)
	if with > 0.5 || without < 0.6 && short > 75 { // on a machine that can't keep up, chunks are long without a lead as well
		t.Errorf("lost %.0f %% in %d playbacks, %.0f %% in %d with a lead", without*100, short, with*100, long)
	}
}
