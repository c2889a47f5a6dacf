package controller_test

import (
	"slices"
	"testing"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
)

// A recording is told how far its call has come, each step once, and nothing once the call is over.
func TestRecordingIsToldTheCallSoFar(t *testing.T) {
	t.Parallel()
	l := good().start(t)
	report := l.dial(switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.3)}).Wait()
	l.close()
	checkGood(t, l.ended(report))
	notes := l.rec.recording(report.UUID).notes
	if len(notes) == 0 || len(notes) > 8 {
		t.Fatalf("%d notes", len(notes))
	}
	last := notes[len(notes)-1]
	for name, at := range map[string]time.Time{
		"connect": last.Timeline.At("connect"), "answer": last.Timeline.At("answer"), "stream_start": last.Timeline.At("stream_start"),
		"prompt": last.Timeline.At("prompt"), "listen": last.Timeline.At("listen"),
	} {
		if at.IsZero() {
			t.Errorf("the last note has no %s", name)
		}
	}
	known := 0
	for _, n := range notes {
		if sum := len(n.Timeline) + len(n.Prompts); n.Result != "" || sum == known {
			t.Errorf("note %+v", n)
		} else {
			known = sum
		}
	}
}

// A restart is told, too.
func TestRecordingIsToldOfRestarts(t *testing.T) {
	t.Parallel()
	s := good()
	s.behave = func(_ string, socket int) behaviour { return behaviour{cutAfter: map[int]int{1: 5}[socket]} }
	l := s.start(t)
	report := l.dial(switchsim.CallSpec{}).Wait()
	l.close()
	notes := l.rec.recording(report.UUID).notes
	if n := len(notes); n == 0 || notes[n-1].Restarts != l.ended(report).outcome.Restarts || notes[n-1].Restarts == 0 {
		t.Errorf("notes %+v, outcome %+v", notes, l.ended(report).outcome)
	}
}

// A prompt is noted when it begins, the second one of a step, too.
func TestPromptsAreNoted(t *testing.T) {
	t.Parallel()
	e := made(&flow.Answer{}, &flow.Stream{}, &flow.Play{Files: []string{promptFile, promptFile}}).run(t, switchsim.CallSpec{Voice: voice()})
	if !slices.ContainsFunc(e.recording.notes, func(o controller.Outcome) bool { return len(o.Prompts) == 2 }) {
		t.Errorf("notes %+v", e.recording.notes)
	}
}

// A digit is noted when it comes, not with the next step.
func TestDigitsAreNoted(t *testing.T) {
	t.Parallel()
	l := made(&flow.Answer{}, &flow.Stream{}, &flow.Listen{For: patience, FinishOn: "#"}).start(t)
	call := l.dial(switchsim.CallSpec{Voice: voice()})
	l.waitStep(t, "listen")
	call.Press("1")
	call.Press("#")
	call.Wait()
	l.close()
	e := l.ended(call.Report())
	if !slices.ContainsFunc(e.recording.notes, func(o controller.Outcome) bool {
		return len(o.Digits) == 1 && o.Timeline[len(o.Timeline)-1].Name == "listen"
	}) {
		t.Errorf("notes %+v", e.recording.notes)
	}
}

// That a bot was reached is noted at once, and not only at the end of the conversation.
func TestConversationIsNoted(t *testing.T) {
	t.Parallel()
	o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		s.Play(bot.Tone(8000, 440, 10*time.Second))
		return bot.Hooks{}
	}}
	b := startBot(t, o)
	e := talking(b, o, nil).run(t, switchsim.CallSpec{Voice: voice(), HangupAfter: 700 * time.Millisecond})
	if !slices.ContainsFunc(e.recording.notes, func(o controller.Outcome) bool {
		return o.Agent != nil && o.Agent.Connects == 1 && !o.Agent.ConnectedAt.IsZero() && o.Agent.EndedBy == ""
	}) {
		t.Errorf("notes %+v", e.recording.notes)
	}
}

// Whatever is noted, what is known of the conversation goes along: here what was refused of the bot's audio.
func TestConversationIsNotedWithADigit(t *testing.T) {
	t.Parallel()
	o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		s.Play(bot.Tone(8000, 440, 10*time.Second))
		return bot.Hooks{}
	}}
	b := startBot(t, o)
	s := talking(b, o, nil)
	s.cfg.Player.Limit = time.Second
	l := s.start(t)
	call := l.dial(switchsim.CallSpec{Voice: voice()})
	l.until(t, "what is refused", func() bool { return l.logs.FilterMessage("bot's audio refused").Len() > 0 && speaking(l) })
	call.Press("1")
	l.until(t, "the digit's note", func() bool {
		return slices.ContainsFunc(l.rec.recording(controller.CallID(call.UUID())).noted(), hasDigit)
	})
	call.Hangup()
	call.Wait()
	for _, n := range l.rec.recording(controller.CallID(call.UUID())).noted() {
		if hasDigit(n) && (n.Agent.Refused < 8*time.Second || n.Agent.FirstAudioAt.IsZero() || n.Agent.Connects != 1) {
			t.Errorf("note %+v", n.Agent)
		}
	}
}

func hasDigit(o controller.Outcome) bool { return len(o.Digits) > 0 }

// speaking says that a call's bot is heard.
func speaking(l *testbed) bool {
	calls := l.ctl.Calls()
	return len(calls) == 1 && calls[0].Speaks != nil && calls[0].Speaks.Bot
}
