package controller_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"tapdeck/controller"
	"tapdeck/controller/switchsim"
)

// runWith runs a call in a testbed of its own; do is called at the nth step of the
// call that has this name and whose detail begins so.
func (s setup) runWith(t *testing.T, spec switchsim.CallSpec, n int, step, detail string, do func(l *testbed, call *switchsim.Call)) ended {
	t.Helper()
	l := s.start(t)
	placed := make(chan *switchsim.Call, 1)
	spec.Progress = on(n, step, detail, func() { do(l, <-placed) })
	call := l.dial(spec)
	placed <- call
	report := call.Wait()
	if err := l.close(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	return l.ended(report)
}

func hangUp(_ *testbed, call *switchsim.Call) { call.Hangup() }

// Who has a call hung up by its ID has it end at once, in any step, as completed; a call that does not
// run can't be.
func TestHangUpByID(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		n            int
		step, detail string
	}{
		"answer": {1, "execute", "answer"},
		"prompt": {2, "execute", "playback"},
		"listen": {2, "complete", "playback"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, id := good(), newUUID()
			s.plan.Listen = time.Minute
			e := s.runWith(t, switchsim.CallSpec{UUID: id}, c.n, c.step, c.detail, func(l *testbed, _ *switchsim.Call) {
				if !l.ctl.HangUp(strings.ToUpper(id)) || l.ctl.HangUp(newUUID()) {
					t.Error("not the running call")
				}
			})
			if o := e.outcome; o.Result != controller.Completed || o.HungUpBy != "tapdeck" || o.HangupCause != "NORMAL_CLEARING" || o.Err != "" {
				t.Errorf("outcome = %+v, want completed, by tapdeck", o)
			}
			if e.count("told to hang up") != 1 || e.report.NextAction {
				t.Errorf("lines %q, next action %v", e.messages(), e.report.NextAction)
			}
		})
	}
}

// The caller hangs up in each step, which ends at once.
func TestCallerHangsUpInEachStep(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		n              int
		step, detail   string
		change         func(p *flatPlan)
		story, listen  string
		answered, said bool
	}{
		{name: "answer", n: 1, step: "execute", detail: "answer", story: "answer"},
		{
			name: "answer_pause", n: 1, step: "complete", detail: "answer", story: "answer", answered: true,
			change: func(p *flatPlan) { p.AnswerPause = time.Minute },
		},
		{
			name: "tone", n: 1, step: "execute", detail: "playback tone_stream", story: "answer tone", answered: true,
			change: func(p *flatPlan) { p.Tone.Duration = time.Minute },
		},
		{name: "stream_start", n: 1, step: "stream start", story: "answer tone start", answered: true},
		{name: "prompt", n: 2, step: "execute", detail: "playback", story: "answer tone start prompt", answered: true, said: true},
		{
			name: "listen", n: 2, step: "complete", detail: "playback", story: "answer tone start prompt", listen: "hangup", answered: true, said: true,
			change: func(p *flatPlan) { p.Listen = time.Minute },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good()
			if c.change != nil {
				c.change(&s.plan)
			}
			began := time.Now()
			e := s.runWith(t, switchsim.CallSpec{}, c.n, c.step, c.detail, hangUp)
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("the step did not end at once: %v", took)
			}
			if e.outcome.Result != controller.CallerHangup || e.outcome.HungUpBy != "caller" || e.outcome.ListenEndedBy != c.listen || e.outcome.Err != "" {
				t.Errorf("outcome = %+v, want caller_hangup", e.outcome)
			}
			if c.answered && (e.outcome.HangupCause != "NORMAL_CLEARING" || e.outcome.Timeline.At("answer").IsZero() || e.outcome.Timeline.At("hangup").IsZero()) {
				t.Errorf("outcome = %+v, want cause, answer and hangup", e.outcome)
			}
			// The end of the stream may be reported and handled before the hangup.
			if got := story(e.report); got != c.story && got != c.story+" stop" {
				t.Errorf("commands = %q, want %q", got, c.story)
			}
			if c.said {
				checkAudio(t, e)
			}
			if e.count("stream failed") != 0 {
				t.Errorf("log = %q: a hangup is no failed stream", e.messages())
			}
		})
	}
}

// A caller who gives up while it rings.
func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	s := good()
	s.cfg.AnswerTimeout = patience
	e := s.run(t, switchsim.CallSpec{RingHangup: 20 * time.Second, Faults: switchsim.Faults{NeverComplete: "answer"}})
	if e.outcome.Result != controller.CallerHangup || e.outcome.HungUpBy != "caller" || e.outcome.HangupCause != "ORIGINATOR_CANCEL" {
		t.Errorf("outcome = %+v, want caller_hangup with ORIGINATOR_CANCEL", e.outcome)
	}
	if !e.outcome.Timeline.At("answer").IsZero() || len(e.recording.heard()) != 0 {
		t.Errorf("timeline = %+v, %d bytes: want no answer", e.outcome.Timeline, len(e.recording.heard()))
	}
}

// The caller hangs up just as the switch gets each of the call's commands.
func TestCallerHangsUpAtEachCommand(t *testing.T) {
	t.Parallel()
	all := good().runAtEachCommand(t, func(n int) switchsim.Faults { return switchsim.Faults{HangupAt: n} })
	for n, e := range all {
		want := controller.CallerHangup
		if n >= 12 { // stop: the plan was carried out
			want = controller.Completed
		}
		if e.outcome.Result != want || e.outcome.Err != "" {
			t.Errorf("command %d: outcome = %+v, want %s", n, e.outcome, want)
		}
		if n == len(all)+1 { // sched_del: tapdeck has hung up
			continue
		}
		if got := len(e.report.Commands); n < 12 && got > n+7 {
			t.Errorf("%d commands came after the hangup at the %dth", got-n, n)
		}
		if e.report.HungUpBy != "caller" {
			t.Errorf("command %d: the switch says %+v", n, e.report)
		}
	}
}

// A hangup closes the stream's socket, too, and may be reported after that. With
// no restarts left it is still the caller's hangup and no failed stream.
func TestHangupIsNoDroppedStream(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Listen, s.plan.Stream.Restarts = time.Minute, 0
	s.cfg.RestartPause = time.Second
	l := s.start(t)
	placed := make(chan *switchsim.Call, 1)
	call := l.dial(switchsim.CallSpec{Progress: on(2, "complete", "playback", func() {
		c := <-placed
		rec := l.rec.recording(c.UUID())
		rec.Disconnect(t.Context()) // the sink sees the end first
		c.Hangup()
	})})
	placed <- call
	e := l.ended(func() switchsim.Report { r := call.Wait(); l.close(); return r }())
	if e.outcome.Result != controller.CallerHangup || e.count("stream failed") != 0 {
		t.Errorf("outcome = %+v, want caller_hangup; log = %q", e.outcome, e.messages())
	}
}

// Within a playback the ends of the applications may be reported before the
// hangup is: no prompt is missed then, and no switch lost.
func TestCompleteBeforeHangup(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"playback tone_stream", "playback ivr/"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			e := good().run(t, switchsim.CallSpec{Faults: switchsim.Faults{HangupIn: step, CompleteBeforeHangup: true}})
			if e.outcome.Result != controller.CallerHangup || e.outcome.HungUpBy != "caller" || e.outcome.HangupCause != "NORMAL_CLEARING" {
				t.Errorf("outcome = %+v, want caller_hangup", e.outcome)
			}
			if n := e.count("prompt not played") + e.count("tone not played"); n != 0 {
				t.Errorf("log = %q: what the caller did not want to hear is no trouble", e.messages())
			}
		})
	}
}

// Whoever hangs a call up in the switch, and with whatever cause: it is one result.
func TestWhoHungUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, command, cause string
	}{
		{"operator", "uuid_kill %s MANAGER_REQUEST", "MANAGER_REQUEST"},
		{"shutdown of the switch", "uuid_kill %s SYSTEM_SHUTDOWN", "SYSTEM_SHUTDOWN"},
		{"operator, with the dead man's cause", "uuid_kill %s ALLOTTED_TIMEOUT", "ALLOTTED_TIMEOUT"},
		{"operator, with the caller's cause", "uuid_kill %s", "NORMAL_CLEARING"},
		{"somebody's sched_hangup", "sched_hangup +1 %s", "ALLOTTED_TIMEOUT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good()
			s.plan.Listen = time.Minute
			e := s.runWith(t, switchsim.CallSpec{}, 2, "complete", "playback", func(l *testbed, call *switchsim.Call) {
				l.operator(fmt.Sprintf(c.command, call.UUID()))
			})
			if e.outcome.Result != controller.SwitchHangup || e.outcome.HungUpBy != "switch" || e.outcome.HangupCause != c.cause {
				t.Errorf("outcome = %+v, want switch_hangup, hung up by the switch with %s", e.outcome, c.cause)
			}
			if e.outcome.Err == "" || e.outcome.Hint == "" || e.line(t, "call ended").Level != zapcore.InfoLevel {
				t.Errorf("outcome = %+v, want a reason and a hint, and no alarm: to hang a call up is an operator's right", e.outcome)
			}
		})
	}
}
