package controller_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/player"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
)

// says is a bot that says something, marks its end, and closes once the mark is back.
func says(pcm []byte) bot.Behaviour {
	return func(s *bot.Session) bot.Hooks {
		s.PlayIn(pcm, 100*time.Millisecond)
		s.Mark("end")
		return bot.Hooks{Mark: func(string) { s.Close(websocket.StatusNormalClosure, "") }}
	}
}

// checkHeard wants all that the bot said in its only session to have been heard, and nothing else.
func checkHeard(t *testing.T, b *bot.Bot, e ended) {
	t.Helper()
	s := b.Sessions()[0]
	if got, want := heardOf(e.report, true), companded(s.Said()); !bytes.HasPrefix(got, want) || len(got) > len(want)+320 {
		t.Errorf("heard %d bytes, want %d", len(got), len(want))
	}
	if len(s.Problems()) > 0 || len(s.Pending()) > 0 {
		t.Errorf("problems %q, pending marks %q", s.Problems(), s.Pending())
	}
	if e.outcome.Result != controller.Completed || e.outcome.Err != "" {
		t.Errorf("%s %q", e.outcome.Result, e.outcome.Err)
	}
}

// A file that the switch sees by the same path is as good as the stream, and is gone afterwards.
func TestVoiceByFiles(t *testing.T) {
	t.Parallel()
	o := bot.Options{Behaviour: says(bot.Tone(8000, 440, 1300*time.Millisecond))}
	b := startBot(t, o)
	s := talking(b, o, nil)
	dir := t.TempDir()
	s.cfg.Player = controller.Player{Method: string(player.MethodFiles), Directory: dir}
	e := s.run(t, switchsim.CallSpec{Voice: voice()})
	checkHeard(t, b, e)
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	if slices.ContainsFunc(e.recording.sent, func(text string) bool { return strings.Contains(text, "streamAudio") }) {
		t.Error("the stream was used, too")
	}
}

// A module that names no audio is found out, and files are used if there are any.
func TestVoiceFallsBackToFiles(t *testing.T) {
	t.Parallel()
	o := bot.Options{Behaviour: says(bot.Tone(8000, 440, 300*time.Millisecond))}
	b := startBot(t, o)
	s := talking(b, o, nil)
	s.cfg.Player = controller.Player{Method: string(player.MethodStream), Directory: t.TempDir()}
	e := s.run(t, switchsim.CallSpec{Voice: voice(), Faults: switchsim.Faults{NoPlay: true}})
	checkHeard(t, b, e)
}

// Without files the bot can't be heard: the call's lines say why, and its bot counts as failed.
func TestVoiceThatNobodyPlays(t *testing.T) {
	t.Parallel()
	o := bot.Options{Behaviour: says(bot.Tone(8000, 440, 3*time.Second))}
	b := startBot(t, o)
	e := talking(b, o, nil).run(t, switchsim.CallSpec{Voice: voice(), Faults: switchsim.Faults{NoPlay: true}})
	if got := heardOf(e.report, true); len(got) > 0 || e.outcome.Result != controller.AgentFailed || e.outcome.Hint == "" || e.outcome.Agent.Lost == 0 {
		t.Errorf("%d bytes heard, %+v, %+v", len(got), e.outcome, e.outcome.Agent)
	}
	if e.count("bot's audio not named by mod_audio_stream") == 0 {
		t.Errorf("%q", e.messages())
	}
}

// On a channel that was answered before, the silence that keeps the stream going ends for what the
// bot says, and begins again behind it.
func TestVoiceAndSilence(t *testing.T) {
	t.Parallel()
	o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		n := 0
		said := func() { s.Play(bot.Tone(8000, 440, 300*time.Millisecond)); s.Mark("said") }
		said()
		return bot.Hooks{Heard: func([]byte) {
			if n++; n == 45 {
				said()
			}
		}, Mark: func(string) {
			if n > 45 {
				s.Close(websocket.StatusNormalClosure, "")
			}
		}}
	}}
	b := startBot(t, o)
	s := talking(b, o, nil)
	s.plan.Stream.Mix = "stereo"
	e := s.run(t, switchsim.CallSpec{Voice: voice(), Before: []switchsim.Action{{Application: "answer"}}})
	checkHeard(t, b, e)
	var silences int
	for _, line := range e.report.Commands {
		if strings.Contains(line, "silence_stream") {
			silences++
		}
	}
	if silences < 2 {
		t.Errorf("%q", e.report.Commands)
	}
}

// The stream drops while the bot speaks: what was on its way to the switch is sent again.
func TestStreamDropsWhileTheBotSpeaks(t *testing.T) {
	t.Parallel()
	o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		return bot.Hooks{Run: func() {
			for range 20 {
				s.Play(bot.Tone(8000, 440, 100*time.Millisecond))
				if !s.Sleep(100 * time.Millisecond) {
					return
				}
			}
			s.Close(websocket.StatusNormalClosure, "")
		}}
	}}
	b := startBot(t, o)
	e := talking(b, o, nil).run(t, switchsim.CallSpec{Voice: voice(), Faults: switchsim.Faults{Drops: []switchsim.Drop{{After: 700 * time.Millisecond}}}})
	said, got := len(b.Sessions()[0].Said()), len(heardOf(e.report, true))
	if e.outcome.Restarts != 1 || e.outcome.Result != controller.Completed || len(b.Sessions()) != 1 || got < said*8/10 {
		t.Errorf("%+v, %d sessions, %d of %d bytes heard", e.outcome, len(b.Sessions()), got, said)
	}
}

// The step's time ends the conversation in the middle of a word, and the next steps are heard.
func TestConversationsTime(t *testing.T) {
	t.Parallel()
	o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		return bot.Hooks{Run: func() {
			for s.Sleep(20 * time.Millisecond) {
				s.Play(bot.Tone(8000, 440, 100*time.Millisecond))
			}
		}}
	}}
	b := startBot(t, o)
	s := talking(b, o, func(a *flow.Agent) { a.For = 600 * time.Millisecond })
	s.plan.Steps = slices.Insert(s.plan.Steps, 3, flow.Step(&flow.Play{Files: []string{promptFile}}))
	e := s.run(t, switchsim.CallSpec{Voice: voice()})
	if c := e.outcome.Agent; e.outcome.Result != controller.Completed || c.EndedBy != string(flow.TalkTime) || len(c.Utterances) != 1 || !c.Utterances[0].Cleared {
		t.Errorf("%+v, %+v", e.outcome, c)
	} else if c.BargeIns != 0 || e.count("barge-in") != 0 {
		t.Errorf("%d barge-ins, though nobody has interrupted", c.BargeIns)
	}
	heard := e.report.Heard()
	last := heard[len(heard)-1]
	if !strings.HasSuffix(last.Source, promptFile) || len(last.PCM) != 600*16 || len(e.outcome.Prompts) != 1 || e.outcome.Prompts[0].EndedBy != flow.PromptEnd {
		t.Errorf("last heard: %d ms of %s, prompts %+v", len(last.PCM)/16, last.Source, e.outcome.Prompts)
	}
	if !b.Sessions()[0].Stopped() {
		t.Error("the bot was not told")
	}
}

// HangUp ends a call in the middle of what the bot says.
func TestHangUpWhileTheBotSpeaks(t *testing.T) {
	t.Parallel()
	o := bot.Options{Behaviour: bot.Talk(bot.TalkOptions{Length: 10 * time.Second})}
	b := startBot(t, o)
	s := talking(b, o, nil)
	e := s.runWith(t, switchsim.CallSpec{Voice: voice()}, 2, "complete", "playback", func(l *testbed, call *switchsim.Call) {
		if !l.ctl.HangUp(call.UUID()) {
			t.Error("no such call")
		}
	})
	if e.outcome.Result != controller.Completed || e.outcome.HungUpBy != "tapdeck" || e.outcome.Agent.EndedBy != string(flow.TalkBotHangup) {
		t.Errorf("%+v, %+v", e.outcome, e.outcome.Agent)
	}
}

// Two conversations of a call are one in its record.
func TestTwoConversations(t *testing.T) {
	t.Parallel()
	o := bot.Options{Behaviour: says(bot.Tone(8000, 440, 200*time.Millisecond))}
	b := startBot(t, o)
	s := talking(b, o, func(a *flow.Agent) { a.OnClose = flow.ThenContinue })
	s.plan.Steps = slices.Insert(s.plan.Steps, 3, s.plan.Steps[2])
	e := s.run(t, switchsim.CallSpec{Voice: voice()})
	if c := e.outcome.Agent; e.outcome.Result != controller.Completed || c.Connects != 2 || len(c.Utterances) == 0 || len(b.Sessions()) != 2 {
		t.Errorf("%+v, %+v", e.outcome, c)
	}
}
