package controller_test

import (
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
)

// Only who goes on talking interrupts a bot: the end of the conversation is no barge-in. The record, the log and
// the metric agree.
func TestWhatIsABargeIn(t *testing.T) {
	for name, c := range map[string]struct {
		cut  func(l *testbed, call *switchsim.Call, s *bot.Session)
		end  flow.TalkEnd
		want int
	}{
		"hangup":   {func(_ *testbed, call *switchsim.Call, _ *bot.Session) { call.Hangup() }, flow.TalkHangup, 0},
		"shutdown": {func(l *testbed, _ *switchsim.Call, _ *bot.Session) { l.stop(controller.ErrShutdown) }, flow.TalkHangup, 0},
		"time":     {func(*testbed, *switchsim.Call, *bot.Session) {}, flow.TalkTime, 0},
		"close":    {func(_ *testbed, _ *switchsim.Call, s *bot.Session) { s.Close(websocket.StatusNormalClosure, "") }, flow.TalkTime, 0},
		"clear":    {func(_ *testbed, _ *switchsim.Call, s *bot.Session) { s.Clear() }, flow.TalkTime, 1},
		"clear and close": {func(_ *testbed, _ *switchsim.Call, s *bot.Session) {
			s.Clear()
			s.Close(websocket.StatusNormalClosure, "")
		}, flow.TalkClosed, 1},
		"caller": {func(l *testbed, call *switchsim.Call, _ *bot.Session) {
			l.rec.recording(controller.CallID(call.UUID())).update(func(s *controller.StreamState) {
				s.Talk = controller.Talk{Speaking: true, Since: time.Now()}
			})
		}, flow.TalkTime, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
				s.Play(bot.Tone(8000, 440, time.Minute))
				return bot.Hooks{}
			}}
			b := startBot(t, o)
			l := talking(b, o, func(a *flow.Agent) {
				a.For = patience / 4
				if c.end == flow.TalkTime {
					a.For = 8 * time.Second // the cut comes after one, on a machine that keeps up
				}
				if name == "caller" {
					a.BargeIn = flow.BargeInAuto
				}
			}).start(t)
			heard := make(chan struct{}) // closed once the next second of it waits in the switch
			call := l.dial(switchsim.CallSpec{Voice: voice(), Progress: on(2, "complete", "playback", func() { close(heard) })})
			<-heard
			c.cut(l, call, b.Sessions()[0])
			report := call.Wait()
			_ = l.close()
			e := l.ended(report)
			talk := e.outcome.Agent
			if talk.BargeIns != c.want || e.count("barge-in") != c.want || counted(t, l.reg, "tapdeck_agent_cleared_utterances_total") != c.want {
				t.Errorf("%d barge-ins, %d lines, %d counted, want %d", talk.BargeIns, e.count("barge-in"), counted(t, l.reg, "tapdeck_agent_cleared_utterances_total"), c.want)
			}
			if len(talk.Utterances) != 1 || !talk.Utterances[0].Cleared || name != "close" && talk.EndedBy != string(c.end) {
				t.Errorf("%+v", talk)
			}
		})
	}
}

// counted is the value of a counter.
func counted(t *testing.T, reg *prometheus.Registry, name string) int {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return int(f.GetMetric()[0].GetCounter().GetValue())
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// What two bots say one after the other are two utterances, however short the pause.
func TestUtterancesOfTwoConversations(t *testing.T) {
	t.Parallel()
	o := bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		s.Play(bot.Tone(8000, 440, 200*time.Millisecond))
		s.Mark("end")
		return bot.Hooks{Mark: func(string) { s.Close(websocket.StatusNormalClosure, "") }}
	}}
	b := startBot(t, o)
	s := talking(b, o, func(a *flow.Agent) { a.OnClose = flow.ThenContinue })
	again := *s.plan.Steps[2].(*flow.Agent)
	s.plan.Steps = []flow.Step{&flow.Answer{}, &flow.Stream{}, s.plan.Steps[2], &again, &flow.Hangup{}}
	e := s.run(t, switchsim.CallSpec{Voice: voice()})
	if c := e.outcome.Agent; c.Connects != 2 || c.Reconnects != 0 || len(c.Utterances) != 2 || c.BargeIns != 0 {
		t.Errorf("%+v", c)
	}
}

// A bot that is reached at the second attempt was not lost.
func TestFirstConnectionIsNoReconnect(t *testing.T) {
	t.Parallel()
	n := 0
	o := bot.Options{Faults: []bot.Fault{{Refuse: 500}, {}}, Behaviour: func(s *bot.Session) bot.Hooks {
		if n++; n == 1 {
			s.Reset()
		} else {
			s.Close(websocket.StatusNormalClosure, "")
		}
		return bot.Hooks{}
	}}
	b := startBot(t, o)
	e := talking(b, o, nil).run(t, switchsim.CallSpec{Voice: voice()})
	if c := e.outcome.Agent; c.Connects != 2 || c.Reconnects != 1 || b.Connections() != 3 {
		t.Errorf("%+v, %d connections", c, b.Connections())
	}
}
