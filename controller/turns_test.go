package controller_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
)

// results waits until n calls have ended and returns their results, the first to end first.
func (l *testbed) results(t *testing.T, id string, n int) (all []controller.Result) {
	t.Helper()
	l.until(t, fmt.Sprintf("%d outcomes", n), func() bool { return len(l.rec.outcomes(id)) >= n })
	for _, o := range l.rec.outcomes(id) {
		all = append(all, o.Result)
	}
	return all
}

// returning places a call that will come back, and waits until it listens.
func (l *testbed) returning(t *testing.T, spec switchsim.CallSpec) (*switchsim.Call, string) {
	t.Helper()
	spec.UUID, spec.Voice = newUUID(), switchsim.ToneVoice(8000, 440, 0.3)
	call := l.dial(spec)
	l.waitStep(t, "listen")
	return call, spec.UUID
}

// A call that is transferred to the extension that it is in has two recordings, the second of
// which begins when the first is complete; one slot of max_calls is enough for both.
func TestCallComesBack(t *testing.T) {
	t.Parallel()
	s := good()
	s.cfg.MaxCalls, s.plan.Listen, s.cfg.CommandTimeout, s.cfg.TurnTimeout = 1, time.Minute, patience, patience
	l := s.start(t)
	// The first has not ended when the second comes, however late that is.
	call, id := l.returning(t, switchsim.CallSpec{Then: after(), Faults: switchsim.Faults{LateJob: "sched_del", LateBy: time.Second}})
	first := l.rec.recording(id)
	call.TransferBack()
	l.until(t, "a second recording", func() bool { return l.rec.recording(id) != first })
	if !first.isFinished() {
		t.Error("the second recording began before the first had ended")
	}
	l.until(t, "a second listening", func() bool {
		calls := l.ctl.Calls()
		return len(calls) == 1 && calls[0].Step == "listen"
	})
	if set, n := call.Variable("playback_terminators"), l.sw.Tasks("tapdeck-"+id); set != "none" || n != 1 {
		t.Errorf("playback_terminators = %q, %d tasks: want those of the second call, which the end of the first leaves alone", set, n)
	}
	call.Hangup()
	report := call.Wait()
	if err := l.close(); err != nil {
		t.Error(err)
	}
	if got := l.results(t, id, 2); len(got) != 2 || got[0] != controller.SwitchLost || got[1] != controller.CallerHangup {
		t.Errorf("results %q, want that of a transfer, then of a hangup", got)
	}
	if report.Stranded || report.NextAction || len(report.Streams) != 2 {
		t.Errorf("stranded %v, next action %v, %d streams", report.Stranded, report.NextAction, len(report.Streams))
	}
	if took := l.rec.outcomes(id)[0].Err; !strings.Contains(took, "came back") {
		t.Errorf("err %q", took)
	}
	if l.rec.recording(id).finished != 1 || len(l.rec.recording(id).heard()) == 0 {
		t.Error("the second recording has nothing")
	}
}

// The keys of stop_on that the earlier call has set are none of the dialplan's, and are gone when the next
// call begins: it knows both.
func TestKeysOfTheEarlierCall(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, own string // what the dialplan has named
		tone      flow.Tone
		plays     string
		want      string // the keys that end it in the second call
	}{
		{name: "none of the dialplan's", tone: good().plan.Tone, plays: "tone_stream", want: "none"},
		{name: "set again", own: "9", plays: promptFile, want: "12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good()
			s.plan.Tone, s.plan.StopOn, s.plan.Listen = c.tone, "12", time.Minute
			l := s.start(t)
			id, set, placed := newUUID(), make(chan string, 1), make(chan *switchsim.Call, 1)
			spec := switchsim.CallSpec{UUID: id, Progress: on(2, "playing", c.plays, func() { set <- (<-placed).Variable("playback_terminators") })}
			if c.own != "" {
				spec.Variables = map[string]string{"playback_terminators": c.own}
			}
			call := l.dial(spec)
			l.waitStep(t, "listen")
			placed <- call
			call.TransferBack()
			if got := <-set; got != c.want {
				t.Errorf("the second call plays with playback_terminators=%q, want %q", got, c.want)
			}
			call.Hangup()
			call.Wait()
			l.results(t, id, 2)
		})
	}
}

// The slot of the earlier call is the next one's: no other call gets it, though there are fewer now.
func TestSlotIsHandedOver(t *testing.T) {
	t.Parallel()
	s := good()
	s.cfg.MaxCalls, s.plan.Listen = 2, time.Minute
	l := s.start(t)
	call, id := l.returning(t, switchsim.CallSpec{Then: after()})
	other := l.dial(switchsim.CallSpec{})
	l.until(t, "another call", func() bool {
		calls := l.ctl.Calls()
		return len(calls) == 2 && calls[0].Step == "listen" && calls[1].Step == "listen"
	})
	first, release := l.rec.recording(id), make(chan struct{})
	first.saving = release
	call.TransferBack()
	l.until(t, "the next call of the channel", func() bool { return len(l.ctl.Calls()) == 3 })
	l.ctl.SetMaxCalls(1) // which the other call needs
	close(release)
	l.until(t, "a second recording", func() bool { return l.rec.recording(id) != first || len(l.rec.outcomes(id)) == 2 })
	l.until(t, "its listening", func() bool {
		calls := l.ctl.Calls()
		return len(calls) < 2 || calls[0].Step == "listen" && calls[1].Step == "listen"
	})
	if !l.ctl.Full() {
		t.Error("there is room for one more call")
	}
	for _, c := range []*switchsim.Call{call, other} {
		c.Hangup()
		c.Wait()
	}
	l.close()
	if got := l.results(t, id, 2); got[0] != controller.SwitchLost || got[1] != controller.CallerHangup {
		t.Errorf("results %q, want that of a transfer, then of a hangup", got)
	}
	if calls := len(l.ctl.Calls()); calls != 0 || l.ctl.Full() {
		t.Errorf("%d calls, or a slot, are left", calls)
	}
}

// Two socket actions in a row are two calls, also if the first is given back.
func TestTwoSocketActions(t *testing.T) {
	t.Parallel()
	s := good()
	s.cfg.MaxCalls = 1
	n := 0
	s.refuse = func(controller.Info) error {
		if n++; n == 1 {
			return &controller.RefusalError{Err: fmt.Errorf("too much"), Hint: "less"}
		}
		return nil
	}
	l := s.start(t)
	release := make(chan struct{})
	l.rec.saving = func(o controller.Outcome) { <-release } // the first still ends when the second comes
	id := newUUID()
	call := l.dial(switchsim.CallSpec{UUID: id, Then: append([]switchsim.Action{{Application: "socket", Data: l.tap.Addr().String() + " async full"}}, after()...)})
	l.until(t, "two calls", func() bool { return len(l.ctl.Calls()) == 2 })
	if calls := l.ctl.Calls(); calls[0].Info.UUID != id || calls[1].Info.UUID != id || calls[1].Step != "await_turn" {
		t.Errorf("calls %+v", calls)
	}
	close(release)
	report := call.Wait()
	l.close()
	if got := l.results(t, id, 2); got[0] != controller.Refused || got[1] != controller.Completed || report.Stranded {
		t.Errorf("results %q, stranded %v", got, report.Stranded)
	}
}

// What happens to a call that waits for its turn: each has its record, none its audio.
func TestWaitingForItsTurn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		do      func(l *testbed, call *switchsim.Call)
		results []controller.Result // in the order of their ends
	}{
		{"hangup", func(_ *testbed, call *switchsim.Call) { call.Hangup() }, []controller.Result{controller.CallerHangup, controller.SwitchLost}},
		{"transferred again", func(_ *testbed, call *switchsim.Call) { call.TransferBack() }, []controller.Result{controller.SwitchLost, controller.SwitchLost, controller.CallerHangup}},
		{"too long", func(*testbed, *switchsim.Call) {}, []controller.Result{controller.Refused, controller.SwitchLost}},
		{"draining", func(l *testbed, _ *switchsim.Call) { l.ctl.Drain() }, []controller.Result{controller.SwitchLost, controller.Refused}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good()
			s.plan.Listen = time.Minute
			if c.name == "too long" {
				s.cfg.TurnTimeout = 100 * time.Millisecond
			}
			l := s.start(t)
			call, id := l.returning(t, switchsim.CallSpec{Then: after()})
			release := make(chan struct{})
			l.rec.recording(id).saving = release
			call.TransferBack()
			l.until(t, "two calls", func() bool { return len(l.ctl.Calls()) == 2 })
			c.do(l, call)
			if c.results[0] != controller.SwitchLost || len(c.results) == 3 {
				l.results(t, id, 1)
			}
			close(release)
			if len(c.results) == 3 {
				l.waitStep(t, "listen")
				call.Hangup()
			}
			report := call.Wait()
			l.close()
			if got := l.results(t, id, len(c.results)); fmt.Sprint(got) != fmt.Sprint(c.results) || report.Stranded {
				t.Errorf("results %q, want %q; stranded %v", got, c.results, report.Stranded)
			}
			if l.ctl.Full() || len(l.ctl.Calls()) != 0 {
				t.Error("a slot or a call is left")
			}
		})
	}
}

// A call that ends slowly may have any number of later ones, each of which gives up.
func TestManyComeBack(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Listen, s.cfg.TurnTimeout = time.Minute, 50*time.Millisecond
	l := s.start(t)
	socket := switchsim.Action{Application: "socket", Data: l.tap.Addr().String() + " async full"}
	call, id := l.returning(t, switchsim.CallSpec{Then: append([]switchsim.Action{socket, socket, socket}, after()...)})
	release := make(chan struct{})
	l.rec.recording(id).saving = release
	call.TransferBack()
	if got := l.results(t, id, 4); strings.Count(fmt.Sprint(got), "refused") != 4 {
		t.Errorf("results %q", got)
	}
	close(release)
	if r := call.Wait(); r.Stranded || !nextRan(r) {
		t.Errorf("report %+v", r)
	}
	l.close()
	if l.ctl.Full() || len(l.ctl.Calls()) != 0 {
		t.Error("a slot or a call is left")
	}
}

// A call of another switch that has the same id is no transfer: the first goes on.
func TestSameIDOfAnotherSwitch(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Listen, s.cfg.TurnTimeout = time.Minute, 100*time.Millisecond
	l := s.start(t)
	first, id := l.returning(t, switchsim.CallSpec{})
	second, err := switchsim.New(s.sim).Dial(t.Context(), switchsim.CallSpec{Address: l.tap.Addr().String(), UUID: id, Then: after()})
	if err != nil {
		t.Fatal(err)
	}
	if r := second.Wait(); r.Stranded || !nextRan(r) {
		t.Errorf("report %+v, want a call that the dialplan goes on with", r)
	}
	l.waitStep(t, "listen")
	first.Hangup()
	first.Wait()
	l.close()
	if got := l.results(t, id, 2); got[0] != controller.Refused || got[1] != controller.CallerHangup {
		t.Errorf("results %q", got)
	}
}
