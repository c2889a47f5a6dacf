package controller_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
)

// A call whose step outlasts its plan is hung up by the switch, and it is said which of
// all scheduled hangups that was.
func TestDeadMan(t *testing.T) {
	t.Parallel()
	s := good()
	s.cfg.PromptLimit, s.cfg.AnswerTimeout, s.cfg.DeadManMargin = time.Second, patience, time.Second
	s.plan.Stream.ConnectTimeout, s.plan.Stream.StopTimeout = 100*time.Millisecond, 100*time.Millisecond
	for _, noticeFirst := range []bool{false, true} { // the notice has no cause
		t.Run(fmt.Sprintf("notice first %v", noticeFirst), func(t *testing.T) {
			t.Parallel()
			e := s.run(t, switchsim.CallSpec{Faults: switchsim.Faults{NeverComplete: "answer", NoticeFirst: noticeFirst}})
			if e.outcome.Result != controller.Failed || e.outcome.HungUpBy != "switch" || !strings.Contains(e.outcome.Err, "outlived its plan") {
				t.Errorf("outcome = %+v, want error: the call outlived its plan", e.outcome)
			}
		})
	}
}

// The dead man's switch leaves each prompt and each start of the stream its time.
func TestDeadManLength(t *testing.T) {
	t.Parallel()
	answer, start, stop := &flow.Answer{}, &flow.Stream{}, &flow.Stream{Action: "stop"}
	for name, c := range map[string]struct {
		steps []flow.Step
		want  string
	}{
		"no prompt, no stream": {[]flow.Step{answer, &flow.Hangup{}}, "+1080 "}, // as if it had one of each
		"flat":                 {[]flow.Step{answer, start, &flow.Play{Files: []string{promptFile}}, &flow.Tone{Frequency: 800, Duration: 7 * time.Second}, &flow.Hangup{}}, "+1087 "},
		"three streams":        {[]flow.Step{answer, start, stop, start, stop, start, stop, &flow.Hangup{}}, "+1320 "},
		"two prompts":          {[]flow.Step{answer, &flow.Play{Files: []string{promptFile, missingFile}}, &flow.Hangup{}}, "+1140 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := made(c.steps...)
			s.cfg.PromptLimit, s.plan.Stream.ConnectTimeout, s.plan.Stream.StopTimeout = time.Minute, 90*time.Second, 30*time.Second
			e := s.run(t, switchsim.CallSpec{Voice: voice()})
			i := slices.IndexFunc(e.report.Commands, func(c string) bool { return strings.Contains(c, "sched_api ") })
			if i < 0 || !strings.Contains(e.report.Commands[i], "sched_api "+c.want) {
				t.Errorf("commands %q, want sched_api %s", e.report.Commands, c.want)
			}
		})
	}
}

// The limits that somebody else has set on the call are his: they outlive tapdeck's hand
// on the call, which leaves nothing of its own behind.
func TestSomebodysScheduledHangup(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.OnStreamFailure = controller.FailureDialplan
	own, tapdecks := -1, -1
	spec := switchsim.CallSpec{
		Before: []switchsim.Action{{Application: "sched_hangup", Data: "+600"}},
		Then:   after(), Faults: switchsim.Faults{RefuseStart: true},
	}
	e := s.runWith(t, spec, 1, "execute", "playback ivr/sorry.wav", func(l *testbed, call *switchsim.Call) {
		own, tapdecks = l.sw.Tasks(call.UUID()), l.sw.Tasks("tapdeck-"+call.UUID())
	})
	if own != 1 || tapdecks != 0 {
		t.Errorf("the next action has %d tasks of its own and %d of tapdeck's, want 1 and 0", own, tapdecks)
	}
	for _, c := range commands(e.report) {
		if strings.Contains(c, "sched_hangup") || strings.Contains(c, "sched_cancel") || strings.HasSuffix(c, "sched_del …") {
			t.Errorf("command %q is about the channel's own group", c)
		}
	}
}

// Whatever ends the call while the switch still sets the dead man's switch: nothing is left
// of it, though API commands overtake each other (ended checks it).
func TestDeadManThatIsSetLate(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*switchsim.Call){"hangup": (*switchsim.Call).Hangup, "transfer": (*switchsim.Call).Transfer} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := good().start(t)
			call := l.dial(switchsim.CallSpec{Then: after(), Faults: switchsim.Faults{LateJob: "sched_api", LateBy: 300 * time.Millisecond}})
			l.until(t, "sched_api", func() bool {
				return slices.ContainsFunc(call.Report().Commands, func(c string) bool { return strings.Contains(c, "sched_api") })
			})
			end(call)
			report := call.Wait()
			l.close()
			e := l.ended(report)
			if n := l.sw.Tasks("tapdeck-" + report.UUID); n != 0 || !e.outcome.Timeline.At("answer").IsZero() {
				t.Errorf("%d tasks are left; outcome = %+v", n, e.outcome)
			}
		})
	}
}

// What deletes the dead man's switch of a call that is given back is over when the next socket
// action sets its own, which has the same name.
func TestDeadManOfNextSocket(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Listen, s.plan.AnswerPause = time.Minute, 400*time.Millisecond
	s.plan.OnStreamFailure, s.plan.Stream.Restarts = controller.FailureDialplan, 0
	s.cfg.RestartPause = time.Second // in which the switch tells of the hangup that has ended the stream
	var sockets atomic.Int64
	s.behave = func(string, int) behaviour { return behaviour{refuse: sockets.Add(1) == 1} } // the first call's
	l := s.start(t)
	id := newUUID()
	call := l.dial(switchsim.CallSpec{
		UUID: id, Then: []switchsim.Action{{Application: "socket", Data: l.tap.Addr().String() + " async full"}},
		Faults: switchsim.Faults{LateJob: "sched_del", LateBy: 200 * time.Millisecond},
	})
	l.waitStep(t, "listen")
	if n := l.sw.Tasks("tapdeck-" + id); n != 1 {
		t.Errorf("%d tasks of tapdeck's, want that of the second call", n)
	}
	call.Hangup()
	call.Wait()
	l.close()
	if got := l.results(t, id, 2); got[0] != controller.StreamFailed || got[1] != controller.CallerHangup {
		t.Errorf("results %q", got)
	}
}

// What a controller that died has left on the channel would end this call early.
func TestDeadManLeftOver(t *testing.T) {
	t.Parallel()
	s := good()
	l := s.start(t)
	id := newUUID()
	l.operatorSays("sched_api +600 tapdeck-" + id + " uuid_kill " + id)
	left := -1
	call := l.dial(switchsim.CallSpec{UUID: id, Variables: map[string]string{"playback_terminators": "none"}, Progress: on(1, "complete", "answer", func() { left = l.sw.Tasks("tapdeck-" + id) })})
	report := call.Wait()
	l.close()
	if e := l.ended(report); left != 1 || e.outcome.Result != controller.Completed {
		t.Errorf("%d tasks of tapdeck's while the call runs, want 1; outcome = %+v", left, e.outcome)
	}
	if i := slices.IndexFunc(report.Commands, func(c string) bool { return strings.Contains(c, "sched_api") }); i < 1 || !strings.Contains(report.Commands[i-1], "sched_del tapdeck-") {
		t.Errorf("commands = %q, want the left-over task deleted before the new one is set", report.Commands)
	}
}
