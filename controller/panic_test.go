package controller_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller"
	"tapdeck/controller/switchsim"
)

// A panic before a call has begun ends its connection alone.
func TestPanicInPlans(t *testing.T) {
	t.Parallel()
	s := good()
	plan := s.plan
	s.plans = func(v controller.Variables, _ string) (controller.Plan, []error) {
		if v.Get("tapdeck_plan") == "bad" {
			panic("told to")
		}
		return plan.expanded(), nil
	}
	l := s.start(t)
	voice := switchsim.ToneVoice(8000, 440, 0.3)
	broken := l.dial(switchsim.CallSpec{Variables: map[string]string{"tapdeck_plan": "bad"}, Then: after()})
	fine := l.dial(switchsim.CallSpec{Voice: voice})
	one, two := broken.Wait(), fine.Wait()
	l.close()
	checkGood(t, l.ended(two))
	if one.Answered || !nextRan(one) {
		t.Errorf("answered %v, next action ran %v: want a call that the dialplan goes on with", one.Answered, nextRan(one))
	}
	lines := l.logs.FilterMessage("call ended by a panic").FilterField(zap.String("call", one.UUID)).FilterField(zap.String("result", "error")).All()
	if len(lines) != 1 || field(lines[0], "hint") == nil || !strings.Contains(lines[0].ContextMap()["stack"].(string), "TestPanicInPlans") {
		t.Errorf("lines = %v, want one with hint and stack", lines)
	}
	checkResults(t, l, map[controller.Result]float64{controller.Failed: 1, controller.Completed: 1})
}

// A panic while the record is kept, after another one, leaves no call behind.
func TestPanicInRescue(t *testing.T) {
	t.Parallel()
	s := good()
	s.cfg.MaxCalls = 0
	l := s.start(t)
	l.rec.saving = func(controller.Outcome) { panic("told to") }
	report := l.dial(switchsim.CallSpec{Then: after()}).Wait()
	l.close()
	if !nextRan(report) || len(l.ctl.Calls()) != 0 {
		t.Errorf("next action ran %v, running %v: want neither call nor channel left", nextRan(report), l.ctl.Calls())
	}
	if over := l.ctl.Ended(); len(over) != 1 || over[0].Outcome.Result != controller.Failed || over[0].Outcome.Err != "told to" {
		t.Errorf("Ended() = %+v, want one call with error", over)
	}
	checkResults(t, l, map[controller.Result]float64{controller.Failed: 1})
}

// checkResults compares tapdeck_calls_total, and wants no active call.
func checkResults(t *testing.T, l *testbed, want map[controller.Result]float64) {
	t.Helper()
	families, err := l.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			switch f.GetName() {
			case "tapdeck_calls_total":
				result := controller.Result(m.GetLabel()[0].GetValue())
				if got := m.GetCounter().GetValue(); got != want[result] {
					t.Errorf("%v calls ended with %s, want %v", got, result, want[result])
				}
			case "tapdeck_calls_active":
				if got := m.GetGauge().GetValue(); got != 0 {
					t.Errorf("%v calls are active", got)
				}
			}
		}
	}
}

// A stream that is there once and then never again raises one alarm, however often it is started.
func TestNoSocketAlarmIsRaisedOnce(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Stream.ConnectTimeout, s.plan.Stream.Restarts, s.plan.Listen = 1500*time.Millisecond, 2, time.Minute
	s.behave = func(string, int) behaviour { return behaviour{closeAfter: 5} }
	l, other, id := s.start(t), startRecorder(t), newUUID()
	elsewhere, err := other.Expect(controller.Info{UUID: id}, s.plan.Stream)
	if err != nil {
		t.Fatal(err)
	}
	var starts atomic.Int32
	report := l.dial(switchsim.CallSpec{UUID: id, Faults: switchsim.Faults{TamperURL: func(url string) string {
		if starts.Add(1) == 1 {
			return url
		}
		return elsewhere.URL() // of which the switch has nothing to report
	}}}).Wait()
	l.close()
	e := l.ended(report)
	if e.outcome.Result != controller.StreamFailed || e.outcome.Restarts != 2 || !slices.Equal(e.outcome.Alarms, []string{"no_socket"}) || e.count("stream alarm") != 1 {
		t.Errorf("outcome = %+v, log = %q: want one alarm", e.outcome, e.messages())
	}
}

// A caller who hangs up while the switch owes a reply has hung up.
func TestHangupWhileReplyIsOwed(t *testing.T) {
	t.Parallel()
	s := good()
	s.esl.ReplyTimeout = 3 * time.Second
	spec := switchsim.CallSpec{Faults: switchsim.Faults{HangOn: "execute playback ivr/"}, HangupAfter: 2 * time.Second}
	e := s.run(t, spec)
	if e.outcome.Result != controller.CallerHangup || e.outcome.HungUpBy != "caller" || e.outcome.Err != "" {
		t.Errorf("outcome = %+v, want caller_hangup", e.outcome)
	}
}

// What is too long for a command ends the call in order, and does not name the secret in the URL.
func TestCommandTooLong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 70<<10)
	t.Run("prompt", func(t *testing.T) {
		t.Parallel()
		s := good()
		s.plan.Prompt = long
		checkTooLong(t, s.run(t, switchsim.CallSpec{}), controller.Failed, `give command "playback": command too long`)
	})
	t.Run("URL", func(t *testing.T) {
		t.Parallel()
		l := good().start(t)
		l.rec.url += long
		report := l.dial(switchsim.CallSpec{}).Wait()
		l.close()
		checkTooLong(t, l.ended(report), controller.StreamFailed, `give command "uuid_audio_stream `+report.UUID+` start": command too long`)
	})
}

func checkTooLong(t *testing.T, e ended, want controller.Result, err string) {
	t.Helper()
	if e.outcome.Result != want || !strings.HasPrefix(e.outcome.Err, err) || len(e.outcome.Err) > 300 || e.outcome.Hint == "" || e.outcome.HungUpBy != "tapdeck" {
		t.Errorf("outcome = %.1000v, want %s: %s, and a hangup", e.outcome, want, err)
	}
}

// Every reason for which the sink ends a stream's socket has a hint of its own.
func TestHintsOfStreamEnds(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Listen, s.plan.Stream.Restarts, s.cfg.RestartPause = time.Minute, 0, time.Second // in which the sink tells
	ends := map[string]controller.StreamEnd{}
	s.behave = func(uuid string, _ int) behaviour { return behaviour{closeAfter: 3, end: ends[uuid]} }
	var ids []string
	for _, end := range []controller.StreamEnd{"closed", "dropped", "protocol_error", "message_too_big", "flood", "idle_timeout", "disk_error", "shutdown", "panic", "wrong_rate", "anything else"} {
		id := newUUID()
		ids, ends[id] = append(ids, id), end
	}
	l := s.start(t)
	var calls []*switchsim.Call
	for _, id := range ids {
		calls = append(calls, l.dial(switchsim.CallSpec{UUID: id}))
	}
	for _, c := range calls {
		c.Wait()
	}
	l.close()
	seen := map[string]controller.StreamEnd{}
	for _, c := range calls {
		report := c.Report()
		end := ends[report.UUID]
		hint := l.ended(report).outcome.Hint
		if other, taken := seen[hint]; hint == "" || taken {
			t.Errorf("%s: hint %q (that of %q)", end, hint, other)
		}
		seen[hint] = end
	}
}
