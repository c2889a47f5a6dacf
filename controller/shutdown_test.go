package controller_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
)

// A shutdown ends a call in each step: its stream first, so that the recording
// is safe, then the channel.
func TestShutdownInEachStep(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		n            int
		step, detail string
		change       func(p *flatPlan)
		story        string
		answered     bool
	}{
		{name: "answer", n: 1, step: "execute", detail: "answer", story: "answer kill"},
		{
			name: "answer_pause", n: 1, step: "complete", detail: "answer", story: "answer", answered: true,
			change: func(p *flatPlan) { p.AnswerPause = time.Minute },
		},
		{
			name: "tone", n: 1, step: "execute", detail: "playback tone_stream", story: "answer tone kill", answered: true,
			change: func(p *flatPlan) { p.Tone.Duration = time.Minute },
		},
		{name: "prompt", n: 2, step: "execute", detail: "playback", story: "answer tone start prompt stop kill", answered: true},
		{
			name: "listen", n: 2, step: "complete", detail: "playback", story: "answer tone start prompt stop", answered: true,
			change: func(p *flatPlan) { p.Listen = time.Minute },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good()
			s.sim.Prompts = func(string) (time.Duration, bool) { return time.Minute, true }
			if c.name == "listen" {
				s.sim.Prompts = nil
			}
			if c.change != nil {
				c.change(&s.plan)
			}
			l := s.start(t)
			report := l.dial(switchsim.CallSpec{
				Faults:   switchsim.Faults{NeverComplete: map[bool]string{false: "answer"}[c.answered]},
				Progress: on(c.n, c.step, c.detail, func() { l.stop(controller.ErrShutdown) }),
			}).Wait()
			if err := l.close(); !errors.Is(err, controller.ErrShutdown) {
				t.Errorf("Serve: %v, want the cause of its context", err)
			}
			checkAborted(t, l.ended(report), c.story)
		})
	}
}

func checkAborted(t *testing.T, e ended, want string) {
	t.Helper()
	if e.outcome.Result != controller.Aborted || e.outcome.HangupCause != "MANAGER_REQUEST" || e.outcome.HungUpBy != "tapdeck" || e.outcome.Err != controller.ErrShutdown.Error() {
		t.Errorf("outcome = %+v, want aborted", e.outcome)
	}
	// Between two applications it may be either.
	if got := story(e.report); got != want && got != want+" hangup" && got != want+" kill" {
		t.Errorf("commands = %q, want %q and the hangup", got, want)
	}
	for _, s := range e.report.Streams {
		if s.End != "server close 1001" { // after the hangup it would be the hangup's
			t.Errorf("stream ended by %q, want the sink's Close, and first", s.End)
		}
	}
}

// A shutdown is bounded, whatever the switch does.
func TestShutdownIsBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		faults switchsim.Faults
	}{
		{"no reply to stop", switchsim.Faults{HangOn: "stop"}},
		{"no reply to hangup", switchsim.Faults{HangOn: "execute hangup"}},
		{"no end of hangup", switchsim.Faults{NeverComplete: "hangup"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good()
			s.cfg.AbortTimeout, s.cfg.HangupTimeout, s.plan.Listen = 500*time.Millisecond, time.Minute, time.Minute
			l := s.start(t)
			began := make(chan time.Time, 1)
			call := l.dial(switchsim.CallSpec{Faults: c.faults, Progress: on(2, "complete", "playback", func() {
				began <- time.Now()
				l.stop(controller.ErrShutdown)
			})})
			at := <-began
			l.close()
			if took := time.Since(at); took > 5*time.Second {
				t.Errorf("Serve returned %v after its context, want AbortTimeout", took)
			}
			call.Hangup() // whom nobody hung up
			e := l.ended(call.Wait())
			if e.outcome.Result != controller.Aborted || len(e.recording.heard()) == 0 {
				t.Errorf("outcome = %+v, %d bytes, want aborted with its recording", e.outcome, len(e.recording.heard()))
			}
		})
	}
}

// A shutdown while the plan's own stop waits for the end of the stream is waited out, and not by asking
// again and again.
func TestShutdownWhileAStreamStops(t *testing.T) {
	t.Parallel()
	s := made(&flow.Answer{}, &flow.Stream{}, &flow.Stream{Action: "stop"}, &flow.Play{Files: []string{"never.wav"}})
	s.plan.Stream.StopTimeout = 200 * time.Millisecond
	var l *testbed
	s.rewrite = func(p []byte) []byte {
		if bytes.Contains(p, []byte(" stop")) {
			l.stop(controller.ErrShutdown)
		}
		return bytes.Replace(p, []byte(" stop"), []byte(" wait"), 1) // so that it does not end
	}
	l = s.start(t)
	call := l.dial(switchsim.CallSpec{Voice: voice()})
	call.Wait()
	l.close()
	e := l.ended(call.Report())
	if e.outcome.Result != controller.Aborted || len(e.outcome.Prompts) > 0 {
		t.Errorf("outcome %+v", e.outcome)
	}
	const enough = 1000
	if asked := e.recording.asked.Load(); asked > enough {
		t.Errorf("the recording's state was asked for %d times", asked)
	}
}

// Closing the listener lets the running calls end by themselves.
func TestCloseListenerWaits(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Listen = 300 * time.Millisecond
	l := s.start(t)
	begun := make(chan struct{})
	call := l.dial(switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.3), Progress: on(1, "stream connected", "", func() { close(begun) })})
	<-begun
	if err := l.close(); err != nil {
		t.Errorf("Serve: %v, want nil", err)
	}
	checkGood(t, l.ended(call.Wait()))
}

// The running calls and those that are over, as the admin pages show them.
func TestCallsAndEnded(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Listen = time.Minute
	l := s.start(t)
	var seen []controller.Status
	played := make(chan struct{})
	call := l.dial(switchsim.CallSpec{Progress: on(2, "complete", "playback", func() { close(played) })})
	<-played
	l.until(t, "a call that listens", func() bool {
		seen = l.ctl.Calls()
		return len(seen) == 1 && seen[0].Step == "listen"
	})
	call.Hangup()
	report := call.Wait()
	l.close()
	e := l.ended(report)
	if seen[0].Info.UUID != report.UUID || seen[0].Stream == nil || !seen[0].Stream.Live || seen[0].StepBegan.IsZero() {
		t.Errorf("Calls() = %+v, want a call that listens to a live stream", seen)
	}
	over := l.ctl.Ended()
	if len(over) != 1 || over[0].Outcome.Result != e.outcome.Result || over[0].Record == nil || len(l.ctl.Calls()) != 0 {
		t.Errorf("Ended() = %+v, Calls() = %+v, want the call that is over", over, l.ctl.Calls())
	}
}

// A panic ends its call alone, and keeps what was recorded.
func TestPanicStaysInItsCall(t *testing.T) {
	t.Parallel()
	s := good()
	bad := newUUID()
	s.behave = func(uuid string, _ int) behaviour { return behaviour{panics: uuid == bad} }
	l := s.start(t)
	voice := switchsim.ToneVoice(8000, 440, 0.3)
	broken, fine := l.dial(switchsim.CallSpec{UUID: bad, Then: after()}), l.dial(switchsim.CallSpec{Voice: voice})
	one, two := broken.Wait(), fine.Wait()
	l.close()
	checkGood(t, l.ended(two))
	e := l.ended(one)
	if e.outcome.Result != controller.Failed || e.outcome.Err != "told to" || e.outcome.Hint == "" || !nextRan(one) {
		t.Errorf("outcome = %+v, want error and the dialplan's next action", e.outcome)
	}
	if line := e.line(t, "call ended by a panic"); !strings.Contains(line.ContextMap()["stack"].(string), "Mark") {
		t.Errorf("line = %v, want the stack", line.ContextMap())
	}
}

// A recording or a record that can't be kept is an error that says so.
func TestRecorderCannotSave(t *testing.T) {
	t.Parallel()
	s := good()
	s.badly = errDisk
	e := s.run(t, switchsim.CallSpec{})
	if want := []string{"error recording not whole", "error record not saved", "info call ended"}; !slices.Equal(e.messages()[len(e.messages())-3:], want) {
		t.Errorf("log = %q, want %q at its end", e.messages(), want)
	}
	if e.outcome.Result != controller.Completed || !strings.Contains(e.outcome.Err, "no space left") {
		t.Errorf("outcome = %+v, want the error", e.outcome)
	}
}
