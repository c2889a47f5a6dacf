package controller_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/switchsim"
)

// Bad calls of every kind, at the same time as good ones: each ends by its own
// word, and the good ones never notice.
func TestBadCallsHurtNobody(t *testing.T) {
	t.Parallel()
	s := good()
	s.cfg.CommandTimeout, s.cfg.PromptLimit = 4*time.Second, 4*time.Second
	s.esl.ReplyTimeout = 4 * time.Second
	s.plan.Stream.ConnectTimeout = 2 * time.Second
	closing, noDisk, noRoom, faulty := newUUID(), newUUID(), newUUID(), newUUID()
	s.behave = func(uuid string, _ int) behaviour {
		return behaviour{
			closeAfter: map[string]int{closing: 5}[uuid], failAfter: map[string]int{noDisk: 5}[uuid], panics: uuid == faulty,
		}
	}
	s.refuse = func(info controller.Info) error {
		if info.UUID == noRoom {
			return &controller.RefusalError{Err: errors.New("no room")}
		}
		return nil
	}
	bad := []struct {
		name string
		spec switchsim.CallSpec
		want controller.Result
	}{
		{"hangs up", switchsim.CallSpec{Faults: switchsim.Faults{HangupIn: "playback ivr/"}}, controller.CallerHangup},
		{"dies", switchsim.CallSpec{Faults: switchsim.Faults{DieIn: "playback ivr/"}}, controller.SwitchLost},
		{"dies early", switchsim.CallSpec{Faults: switchsim.Faults{DieAt: 4}}, controller.SwitchLost},
		{"never completes", switchsim.CallSpec{Faults: switchsim.Faults{NeverComplete: "playback ivr/"}}, controller.Failed},
		{"never answers", switchsim.CallSpec{Faults: switchsim.Faults{HangOn: "execute answer"}}, controller.Failed},
		{"never connects", switchsim.CallSpec{Faults: switchsim.Faults{NeverConnect: true}}, controller.StreamFailed},
		{"no API", switchsim.CallSpec{Faults: switchsim.Faults{NoAPI: true}}, controller.StreamFailed},
		{"floods", switchsim.CallSpec{Faults: switchsim.Faults{EventsBefore: "execute playback ivr/", EventCount: 3000}}, controller.Failed},
		{"lies", switchsim.CallSpec{Faults: switchsim.Faults{Inject: []switchsim.Injection{{On: "execute answer", When: switchsim.Instead, Raw: switchsim.FrameShortReply}}}}, controller.Failed},
		{"sync", switchsim.CallSpec{Arguments: "full"}, controller.Misconfigured},
		{"closed by the sink", switchsim.CallSpec{UUID: closing}, controller.Completed},
		{"disk", switchsim.CallSpec{UUID: noDisk}, controller.StreamFailed},
		{"no room", switchsim.CallSpec{UUID: noRoom}, controller.Refused},
		{"fault", switchsim.CallSpec{UUID: faulty}, controller.Failed},
	}
	l := s.start(t)
	var bads, goods []*switchsim.Call
	for i, b := range bad {
		bads = append(bads, l.dial(b.spec))
		goods = append(goods, l.dial(switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 300+20*i, 0.3)}))
	}
	var ill, fine []switchsim.Report
	for i := range bads {
		ill, fine = append(ill, bads[i].Wait()), append(fine, goods[i].Wait())
	}
	if err := l.close(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	for i, r := range ill {
		if e := l.ended(r); e.outcome.Result != bad[i].want {
			t.Errorf("a call that %s: outcome = %+v, want %s", bad[i].name, e.outcome, bad[i].want)
		}
	}
	for _, r := range fine {
		checkGood(t, l.ended(r))
	}
}

// Serve returns nil at the end of its listener, and at once if there is no call.
func TestServeReturns(t *testing.T) {
	t.Parallel()
	l := good().start(t)
	if err := l.close(); err != nil {
		t.Errorf("Serve: %v, want nil", err)
	}
	l = good().start(t)
	why := errors.New("enough")
	l.stop(why)
	if err := l.close(); !errors.Is(err, why) {
		t.Errorf("Serve: %v, want the cause", err)
	}
}

// Only the events that a call needs come; the test says how many that are, and
// how many it would be with a plain myevents.
func TestEventsPerCall(t *testing.T) {
	t.Parallel()
	measure := func(rewrite func([]byte) []byte) switchsim.Report {
		s := good()
		s.rewrite = rewrite
		e := s.run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.3)})
		checkGood(t, e)
		return e.report
	}
	narrow := measure(nil)
	wide := measure(func(command []byte) []byte {
		if bytes.HasPrefix(command, []byte("nixevent ")) {
			return []byte("nixevent NOTALK\r\n\r\n")
		}
		return command
	})
	t.Logf("%d commands; %d events and %d bytes come, with myevents alone %d events and %d bytes",
		len(narrow.Commands), narrow.EventsSent, narrow.BytesSent, wide.EventsSent, wide.BytesSent)
	// 12, and up to two more if the end is slow enough for its last events to be sent.
	if narrow.EventsSent > 14 || 3*narrow.EventsSent > 2*wide.EventsSent || 3*narrow.BytesSent > 2*wide.BytesSent {
		t.Errorf("%d events and %d bytes come, want a third less than the %d and %d of myevents", narrow.EventsSent, narrow.BytesSent, wide.EventsSent, wide.BytesSent)
	}
}
