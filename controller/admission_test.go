package controller_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"tapdeck/controller"
	"tapdeck/controller/switchsim"
)

// A socket line that can't work ends the call before it is answered, with the
// very line to write; the dialplan goes on.
func TestMisconfigured(t *testing.T) {
	t.Parallel()
	for _, arguments := range []string{"full", "async", "none"} {
		t.Run(arguments, func(t *testing.T) {
			t.Parallel()
			l := good().start(t)
			address := l.tap.Addr().String()
			report := l.dial(switchsim.CallSpec{Arguments: arguments, Then: after()}).Wait()
			l.close()
			e := l.ended(report)
			checkReleased(t, e, controller.Misconfigured)
			want := `<action application="socket" data="` + address + ` async full"/>`
			if line := e.line(t, "call ended"); line.Level != zapcore.ErrorLevel || !strings.Contains(fmt.Sprint(field(line, "hint")), want) {
				t.Errorf("line = %v, want an error with %s", line.ContextMap(), want)
			}
			if e.recording != nil {
				t.Error("a recording was asked for")
			}
		})
	}
}

// checkReleased checks a call that was given back before it was answered.
func checkReleased(t *testing.T, e ended, want controller.Result) {
	t.Helper()
	if e.outcome.Result != want || e.outcome.Err == "" || e.outcome.Hint == "" || e.outcome.HungUpBy != "" {
		t.Errorf("outcome = %+v, want %s, why, and what to do", e.outcome, want)
	}
	if e.report.Answered || !nextRan(e.report) || !onlyReleased(e.report) {
		t.Errorf("answered %v, next action ran %v, commands %q: want a call that the dialplan goes on with", e.report.Answered, nextRan(e.report), e.report.Commands)
	}
}

// onlyReleased says that the controller has done nothing but give a call back. One without
// async must not be given resume.
func onlyReleased(r switchsim.Report) bool {
	return slices.Equal(r.Commands, []string{"connect", "resume", "execute unset socket_resume"}) || slices.Equal(r.Commands, []string{"connect"})
}

// Of concurrent calls exactly as many are admitted as there are slots.
func TestMaxCalls(t *testing.T) {
	t.Parallel()
	const slots, callers = 3, 8
	s := good()
	s.cfg.MaxCalls, s.plan.Listen = slots, time.Minute
	l := s.start(t)
	var calls []*switchsim.Call
	for range callers {
		calls = append(calls, l.dial(switchsim.CallSpec{Then: after()}))
	}
	over := make(chan switchsim.Report, callers)
	for _, c := range calls {
		go func() { over <- c.Wait() }()
	}
	var reports []switchsim.Report
	for range callers - slots {
		select {
		case r := <-over:
			reports = append(reports, r)
		case <-time.After(patience):
			t.Fatalf("only %d calls were refused, want %d", len(reports), callers-slots)
		}
	}
	if !l.ctl.Full() {
		t.Error("Full() = false with every place taken")
	}
	for _, c := range calls {
		c.Hangup()
	}
	for range slots {
		reports = append(reports, <-over)
	}
	l.close()
	results := map[controller.Result]int{}
	for _, r := range reports {
		e := l.ended(r)
		results[e.outcome.Result]++
		if e.outcome.Result == controller.Refused {
			checkReleased(t, e, controller.Refused)
		}
	}
	if results[controller.Refused] != callers-slots || results[controller.CallerHangup] != slots {
		t.Errorf("results = %v, want %d refused", results, callers-slots)
	}
	if l.ctl.Full() {
		t.Error("Full() = true without a call")
	}
}

// A place that is free again is given away, and SetMaxCalls holds from the next call on.
func TestSlotsAreReused(t *testing.T) {
	t.Parallel()
	s := good()
	s.cfg.MaxCalls = 1
	l := s.start(t)
	var reports []switchsim.Report
	for i := range 4 {
		if i == 3 {
			l.ctl.SetMaxCalls(0)
		}
		reports = append(reports, l.dial(switchsim.CallSpec{Then: after()}).Wait())
		l.waitCalls(t, 0)
	}
	l.close()
	for i, r := range reports {
		want := controller.Completed
		if i == 3 {
			want = controller.Refused
		}
		if e := l.ended(r); e.outcome.Result != want {
			t.Errorf("call %d: outcome = %+v, want %s", i, e.outcome, want)
		}
	}
}

// A call that was refused takes no place while its record is saved.
func TestRefusedCallHoldsNoSlot(t *testing.T) {
	t.Parallel()
	s := good()
	s.cfg.MaxCalls, s.plan.Listen = 1, time.Minute
	l := s.start(t)
	release := make(chan struct{})
	l.rec.saving = func(o controller.Outcome) {
		if o.Result == controller.Refused {
			<-release
		}
	}
	listening := make(chan struct{}, 2)
	progress := on(2, "complete", "playback", func() { listening <- struct{}{} })
	first := l.dial(switchsim.CallSpec{Progress: progress})
	<-listening
	refused := l.dial(switchsim.CallSpec{Then: after()}).Wait() // its record is being saved now
	first.Hangup()
	one := first.Wait()
	l.waitCalls(t, 1)
	third := l.dial(switchsim.CallSpec{Progress: on(2, "complete", "playback", func() { listening <- struct{}{} })})
	select {
	case <-listening:
		third.Hangup()
	case <-third.Done():
		t.Error("the third call was refused, with its slot free")
	}
	close(release)
	two := third.Wait()
	l.close()
	if got := []controller.Result{l.ended(one).outcome.Result, l.ended(refused).outcome.Result, l.ended(two).outcome.Result}; got[0] != controller.CallerHangup || got[1] != controller.Refused || got[2] != controller.CallerHangup {
		t.Errorf("results = %v, want caller_hangup, refused, caller_hangup", got)
	}
}

// waitCalls waits until the controller has n calls left.
func (l *testbed) waitCalls(t *testing.T, n int) {
	t.Helper()
	l.until(t, fmt.Sprintf("at most %d calls", n), func() bool { return len(l.ctl.Calls()) <= n })
}

// until waits for what has no event of its own.
func (l *testbed) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s; calls: %+v", what, l.ctl.Calls())
		}
	}
}

func TestDraining(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Listen = 300 * time.Millisecond
	l := s.start(t)
	placed := make(chan switchsim.Report, 1)
	first := l.dial(switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.3), Progress: on(2, "complete", "playback", func() {
		l.ctl.Drain()
		go func() { placed <- l.dial(switchsim.CallSpec{Then: after()}).Wait() }()
	})})
	running, second := first.Wait(), <-placed
	l.close()
	checkGood(t, l.ended(running))
	checkReleased(t, l.ended(second), controller.Refused)
	if !l.ctl.Draining() {
		t.Error("Draining() = false")
	}
}

// What becomes of a call for which the recorder takes no stream.
func TestRecorderRefuses(t *testing.T) {
	t.Parallel()
	busy := &controller.RefusalError{Err: errors.New("the disk is low"), Hint: "free some of it"}
	broken := errors.New("no such directory")
	for _, c := range []struct {
		name   string
		err    error
		then   controller.OnStreamFailure
		result controller.Result
		story  string
	}{
		{"refused", busy, controller.FailureHangup, controller.Refused, ""},
		{"refused, to the dialplan", busy, controller.FailureDialplan, controller.Refused, ""},
		{"broken", broken, controller.FailureHangup, controller.Failed, ""},
		{"refused, whatever the plan says", busy, controller.FailureContinue, controller.Refused, ""},
		{"broken, and the call goes on", broken, controller.FailureContinue, controller.StreamFailed, "answer tone prompt hangup"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good()
			s.plan.OnStreamFailure, s.plan.Silence = c.then, time.Second
			s.refuse = func(controller.Info) error { return c.err }
			e := s.run(t, switchsim.CallSpec{Then: after()})
			if c.story == "" {
				checkReleased(t, e, c.result)
			}
			if c.result == controller.Refused && !strings.HasSuffix(e.outcome.Hint, "next action; free some of it") {
				t.Errorf("hint = %q, want the recorder's", e.outcome.Hint)
			}
			if e.outcome.Result != c.result || !strings.Contains(e.outcome.Err, c.err.Error()) {
				t.Errorf("outcome = %+v, want %s", e.outcome, c.result)
			}
			if got := story(e.report); got != c.story {
				t.Errorf("commands = %q, want %q", got, c.story)
			}
		})
	}
}

func TestUUIDs(t *testing.T) {
	t.Parallel()
	t.Run("in capitals", func(t *testing.T) {
		t.Parallel()
		id := strings.ToUpper(newUUID())
		e := good().run(t, switchsim.CallSpec{UUID: id, Voice: switchsim.ToneVoice(8000, 440, 0.3)})
		checkGood(t, e)
		if !strings.Contains(strings.Join(e.report.Commands, "\n"), "uuid_audio_stream "+id+" start") {
			t.Errorf("commands = %q, want the UUID as the switch writes it", e.report.Commands)
		}
	})
	for _, id := range []string{"1234567899", "1-12877@127.0.0.1", "38a8a911926f47d7b9ffc452dc57cd3d", "../../etc/passwd", `A"b;c=d|e,f%g{h}<i>&j/k?l#m*n`, "größer", strings.Repeat("F", 256)} {
		t.Run(fmt.Sprintf("%.20q", id), func(t *testing.T) {
			t.Parallel()
			e := good().run(t, switchsim.CallSpec{UUID: id, Voice: switchsim.ToneVoice(8000, 440, 0.3)})
			checkGood(t, e)
			if e.recording.info.UUID != id || !strings.Contains(strings.Join(e.report.Commands, "\n"), "uuid_audio_stream "+id+" start") {
				t.Errorf("call %q, commands %q", e.recording.info.UUID, e.report.Commands)
			}
		})
	}
	for _, id := range []string{"two words", "it's", `back\slash`, "^^:a:b", "a\tb", "a\xffb", "\u00a0", strings.Repeat("f", 257), newUUID() + " x"} {
		t.Run(fmt.Sprintf("%.20q", id), func(t *testing.T) {
			t.Parallel()
			l := good().start(t)
			report := l.dial(switchsim.CallSpec{UUID: id, Then: after()}).Wait()
			l.close()
			if report.Answered || !nextRan(report) || !onlyReleased(report) {
				t.Errorf("report = %+v, want a call that the dialplan goes on with", report)
			}
			if n := l.logs.FilterMessage("call without a usable id").FilterField(zap.String("result", "error")).Len(); n != 1 {
				t.Errorf("%d lines about the id, want 1", n)
			}
			if len(l.ctl.Ended()) != 0 || len(l.rec.saved) != 0 {
				t.Error("something was kept under a name that is none")
			}
		})
	}
}

// What a plan could not use is said once each, and the call goes on.
func TestPlanWarnings(t *testing.T) {
	t.Parallel()
	s := good()
	plan := s.plan.expanded()
	var names []string
	s.plans = func(variables controller.Variables, path string) (controller.Plan, []error) {
		plan.Name = path
		names = slices.Sorted(variables.Names("tapdeck_"))
		return plan, []error{errors.New("tapdeck_listen " + variables.Get("tapdeck_listen")), errors.New("tapdeck_rate")}
	}
	l := s.start(t)
	report := l.dial(switchsim.CallSpec{
		Address: l.tap.Addr().String() + "/survey", Variables: map[string]string{"tapdeck_listen": "15", "tapdeck_lisen": "9s", "listen": "1s"},
	}).Wait()
	l.close()
	e := l.ended(report)
	if e.outcome.Result != controller.Completed || field(e.line(t, "call started"), "plan") != "survey" {
		t.Errorf("outcome = %+v, started %v", e.outcome, e.line(t, "call started").ContextMap())
	}
	if want := []string{"tapdeck_lisen", "tapdeck_listen"}; !slices.Equal(names, want) {
		t.Errorf("names = %q, want %q", names, want)
	}
	if field(e.line(t, "plan value ignored"), "hint") == nil {
		t.Error("a value is ignored without a hint")
	}
	if n := e.count("plan value ignored"); n != 2 || !strings.Contains(fmt.Sprint(field(e.line(t, "plan value ignored"), "err")), "tapdeck_listen 15") {
		t.Errorf("log = %q, want a warning for each of both values", e.messages())
	}
}

// A peer that hangs up or talks nonsense before it is a call leaves nothing behind.
func TestNoCallAtAll(t *testing.T) {
	t.Parallel()
	l := good().start(t)
	for _, text := range []string{"", "GET / HTTP/1.1\r\n\r\n", "Content-Type: log/data\n\n"} {
		conn, err := net.Dial("tcp", l.tap.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte(text))
		conn.Close()
	}
	if err := l.close(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if len(l.ctl.Ended()) != 0 || l.logs.FilterMessage("call started").Len() != 0 {
		t.Error("a peer without a call was taken for one")
	}
}
