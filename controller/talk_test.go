package controller_test

import (
	"bytes"
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
func heard(r switchsim.Report) (pcm []byte) { return heardOf(r, false) }

// heardOf may leave out the dialplan's prompt.
func heardOf(r switchsim.Report, noPrompt bool) (pcm []byte) {
	for _, h := range r.Heard() {
		if !strings.HasPrefix(h.Source, "silence_stream") && !(noPrompt && strings.HasSuffix(h.Source, ".wav")) {
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

// A bot hears what the caller says, sample for sample after µ-law.
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
	if got := s.Heard(); len(got) < 50*320 || !bytes.Contains(companded(e.recording.heard()), got) {
		t.Errorf("%d bytes heard, which are not a stretch of the recording", len(got))
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

// A bot that can't be reached ends the call, unless the plan says otherwise.
func TestBotFails(t *testing.T) {
	for _, then := range []flow.Then{flow.ThenHangup, flow.ThenContinue, flow.ThenDialplan} {
		t.Run(string(then), func(t *testing.T) {
			o := bot.Options{Faults: []bot.Fault{{Refuse: 500}}}
			b := startBot(t, o)
			s := talking(b, o, func(a *flow.Agent) { a.OnFailure, a.Reconnect = then, 1 })
			e := s.run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 300, 0.3), Then: after()})
			want := controller.AgentFailed
			if then == flow.ThenContinue {
				want = controller.Completed
			}
			if e.outcome.Result != want || nextRan(e.report) != (then == flow.ThenDialplan) || e.outcome.Agent.EndedBy != string(flow.TalkFailed) {
				t.Errorf("%+v, %+v", e.outcome, e.outcome.Agent)
			}
			if want == controller.AgentFailed && (e.outcome.Err == "" || e.outcome.Hint == "") {
				t.Errorf("error %q, hint %q", e.outcome.Err, e.outcome.Hint)
			}
			if e.count("agent failed") != 1 || e.count("agent lost") != 1 || b.Connections() != 2 {
				t.Errorf("%q, %d connections", e.messages(), b.Connections())
			}
		})
	}
}

// What the bot has said when it closes is heard, and then the call goes on as the plan says.
func TestBotCloses(t *testing.T) {
	for _, then := range []flow.Then{flow.ThenHangup, flow.ThenContinue, flow.ThenDialplan} {
		t.Run(string(then), func(t *testing.T) {
			o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
				s.Play(bot.Tone(8000, 440, 300*time.Millisecond))
				s.Close(websocket.StatusNormalClosure, "")
				return bot.Hooks{}
			}}
			b := startBot(t, o)
			s := talking(b, o, func(a *flow.Agent) { a.OnClose = then })
			s.plan.Steps = slices.Insert(s.plan.Steps, 3, flow.Step(&flow.Tone{Frequency: 800, Duration: 40 * time.Millisecond}))
			e := s.run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 300, 0.3), Then: after()})
			if e.outcome.Result != controller.Completed || e.outcome.Err != "" || nextRan(e.report) != (then == flow.ThenDialplan) {
				t.Errorf("%+v", e.outcome)
			}
			want := 300 * 16
			if then == flow.ThenContinue {
				want += 40 * 16
			}
			if got := len(heardOf(e.report, true)); got != want {
				t.Errorf("%d bytes heard, want %d", got, want)
			}
		})
	}
}

// A bot of the pcm wire hangs up, transfers, and sends digits.
func TestBotAsks(t *testing.T) {
	for _, c := range []struct {
		name   string
		ask    func(s *bot.Session)
		result controller.Result
		end    flow.TalkEnd
	}{
		{"hangup", (*bot.Session).Hangup, controller.Completed, flow.TalkBotHangup},
		{"transfer", func(s *bot.Session) { s.Transfer("5000") }, controller.Transferred, flow.TalkTransfer},
		{"digits", func(s *bot.Session) { s.SendDigits("12#"); s.Close(websocket.StatusNormalClosure, "") }, controller.Completed, flow.TalkClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := bot.Options{Format: bot.PCM, Behaviour: func(s *bot.Session) bot.Hooks {
				s.Play(bot.Tone(8000, 440, 300*time.Millisecond))
				c.ask(s)
				return bot.Hooks{}
			}}
			b := startBot(t, o)
			s := talking(b, o, nil)
			e := s.run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 300, 0.3), Extensions: map[string][]switchsim.Action{"5000": after()}})
			if e.outcome.Result != c.result || e.outcome.Err != "" || e.outcome.Agent.EndedBy != string(c.end) {
				t.Errorf("%+v, %+v", e.outcome, e.outcome.Agent)
			}
			if got := len(heardOf(e.report, true)); got != 300*16 {
				t.Errorf("%d ms heard before it", got/16)
			}
			if nextRan(e.report) != (c.name == "transfer") {
				t.Error("the other extension")
			}
			if c.name == "digits" && (!e.report.Asked("uuid_send_dtmf") || e.count("digits not sent") > 0) {
				t.Errorf("no digits sent: %q", e.messages())
			}
		})
	}
}

// What a bot sends wrong is counted, over all of a call's conversations.
func TestWrongMessagesAreCounted(t *testing.T) {
	o := bot.Options{Format: bot.PCM, Behaviour: func(s *bot.Session) bot.Hooks {
		s.Raw(websocket.MessageText, []byte("nonsense"))
		s.Raw(websocket.MessageText, []byte("nonsense"))
		s.Raw(websocket.MessageBinary, []byte("odd"))
		s.Close(websocket.StatusNormalClosure, "")
		return bot.Hooks{}
	}}
	s := talking(startBot(t, o), o, func(a *flow.Agent) { a.OnClose = flow.ThenContinue })
	again := *s.plan.Steps[2].(*flow.Agent)
	s.plan.Steps = slices.Insert(s.plan.Steps, 3, flow.Step(&again))
	e := s.run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 300, 0.3)})
	if a := e.outcome.Agent; a == nil || a.WrongMessages != 6 || a.Connects != 2 {
		t.Errorf("%+v", a)
	}
}

// The bot is told of keys, and of what the caller says; with barge_in auto his speech cuts it short.
func TestBargeInByTheCaller(t *testing.T) {
	o := bot.Options{Format: bot.PCM, Behaviour: func(s *bot.Session) bot.Hooks {
		s.Play(bot.Tone(8000, 440, 10*time.Second))
		s.Mark("long")
		return bot.Hooks{Cleared: func() { s.Close(websocket.StatusNormalClosure, "") }}
	}}
	b := startBot(t, o)
	s := talking(b, o, func(a *flow.Agent) { a.BargeIn = flow.BargeInAuto })
	l := s.start(t)
	id := newUUID()
	call := l.dial(switchsim.CallSpec{UUID: id, Voice: switchsim.ToneVoice(8000, 300, 0.3), DTMF: []switchsim.Digit{{At: 500 * time.Millisecond, Digit: "7"}}, Progress: on(2, "complete", "playback", func() {
		rec := l.rec.recording(controller.CallID(id))
		rec.update(func(s *controller.StreamState) { s.Talk = controller.Talk{Speaking: true, Since: time.Now()} })
	})})
	report := call.Wait()
	if err := l.close(); err != nil {
		t.Error(err)
	}
	e := l.ended(report)
	c := e.outcome.Agent
	if e.outcome.Result != controller.Completed || c.BargeIns != 1 || len(c.Utterances) == 0 || !c.Utterances[len(c.Utterances)-1].Cleared {
		t.Errorf("%+v, %+v", e.outcome, c)
	}
	if got := len(heard(e.report)); got > 16*4000 {
		t.Errorf("%d ms heard", got/16)
	}
	if len(e.outcome.Digits) != 1 || !slices.ContainsFunc(b.Sessions()[0].Messages(), func(m bot.Message) bool { return m.Kind == bot.KindDTMF && m.Text == "7" }) {
		t.Errorf("digits %v, messages %+v", e.outcome.Digits, b.Sessions()[0].Messages())
	}
}

// A caller who hangs up in the middle ends the conversation, and the bot is told.
func TestHangupInAConversation(t *testing.T) {
	o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		s.Play(bot.Tone(8000, 440, 10*time.Second))
		return bot.Hooks{}
	}}
	b := startBot(t, o)
	e := talking(b, o, nil).run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 300, 0.3), HangupAfter: 700 * time.Millisecond})
	c := e.outcome.Agent
	if e.outcome.Result != controller.CallerHangup || c.EndedBy != string(flow.TalkHangup) || len(c.Utterances) != 1 || c.BargeIns != 0 || e.count("barge-in") != 0 {
		t.Errorf("%+v, %+v", e.outcome, c)
	}
	if s := b.Sessions()[0]; !s.Stopped() {
		t.Errorf("the bot was not told: %+v", s.End())
	}
}

// A stream that is lost for good ends the conversation, also if the plan goes on without one: the bot
// would hear nothing, and could not be heard.
func TestStreamFailsInAConversation(t *testing.T) {
	t.Parallel()
	o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		s.Play(bot.Tone(8000, 440, 10*time.Second))
		return bot.Hooks{}
	}}
	b := startBot(t, o)
	s := talking(b, o, func(a *flow.Agent) { a.For = 5 * time.Minute })
	s.plan.OnStreamFailure, s.plan.Stream.Restarts = controller.FailureContinue, 0
	e := s.run(t, switchsim.CallSpec{Voice: voice(), Faults: switchsim.Faults{Drops: []switchsim.Drop{{After: 700 * time.Millisecond}}}})
	if c := e.outcome.Agent; c.EndedBy != string(flow.TalkStream) || e.outcome.Timeline.At("hangup").Sub(e.outcome.Timeline.At("agent")) > time.Minute {
		t.Errorf("%+v, %+v", e.outcome, c)
	}
}
