package controller_test

import (
	"testing"
	"time"

	"github.com/coder/websocket"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
)

// A running call says who speaks while it talks with a bot, and nothing of it before and afterwards.
func TestWhoSpeaks(t *testing.T) {
	o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		s.Play(bot.Tone(8000, 440, time.Minute))
		return bot.Hooks{}
	}}
	b := startBot(t, o)
	l := talking(b, o, nil).start(t)
	call := l.dial(switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 300, 0.3)})
	speaks := func(want controller.Speaks) func() bool {
		return func() bool {
			calls := l.ctl.Calls()
			return len(calls) == 1 && calls[0].Speaks != nil && *calls[0].Speaks == want
		}
	}
	l.until(t, "the bot alone", speaks(controller.Speaks{Bot: true}))
	l.rec.recording(controller.CallID(call.UUID())).update(func(s *controller.StreamState) {
		s.Talk = controller.Talk{Speaking: true, Since: time.Now()}
	})
	l.until(t, "both", speaks(controller.Speaks{Caller: true, Bot: true}))
	b.Sessions()[0].Clear()
	l.until(t, "the caller alone", speaks(controller.Speaks{Caller: true}))
	b.Sessions()[0].Close(websocket.StatusNormalClosure, "")
	l.until(t, "nobody", func() bool { calls := l.ctl.Calls(); return len(calls) == 0 || calls[0].Speaks == nil })
	call.Wait()
}

// A running call says what is known of its conversation, also once that is over.
func TestConversationOfARunningCall(t *testing.T) {
	o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		s.Play(bot.Tone(8000, 440, 200*time.Millisecond))
		return bot.Hooks{}
	}}
	b := startBot(t, o)
	s := talking(b, o, func(a *flow.Agent) { a.OnClose = flow.ThenContinue })
	s.plan.Steps = append(s.plan.Steps[:3:3], &flow.Listen{For: patience}, &flow.Hangup{})
	l := s.start(t)
	call := l.dial(switchsim.CallSpec{Voice: voice()})
	step := func(name string) func() bool {
		return func() bool {
			calls := l.ctl.Calls()
			return len(calls) == 1 && calls[0].Step == name && calls[0].Agent != nil && calls[0].Agent.Connects == 1 && len(calls[0].Agent.Utterances) == 1
		}
	}
	l.until(t, "the utterance", step("agent"))
	b.Sessions()[0].Close(websocket.StatusNormalClosure, "")
	l.until(t, "the next step", step("listen"))
	call.Hangup()
	call.Wait()
}
