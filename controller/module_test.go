package controller_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/switchsim"
)

// An older hook's stream on the channel makes the first start fail: it is stopped, once,
// and started once more.
func TestOtherStreamOnChannel(t *testing.T) {
	t.Parallel()
	e := good().run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.3), Faults: switchsim.Faults{OtherStreams: 1}})
	if e.outcome.Result != controller.Completed || e.outcome.Restarts != 0 {
		t.Errorf("outcome = %+v, want completed without a restart", e.outcome)
	}
	if got, want := story(e.report), "answer tone start stop start prompt stop hangup"; got != want {
		t.Errorf("commands = %q, want %q", got, want)
	}
	if !strings.Contains(fmt.Sprint(field(e.line(t, "somebody else's stream stopped"), "hint")), "api_on_answer") {
		t.Errorf("log = %q, want where to look", e.messages())
	}
	checkAudio(t, e)
}

// Whoever starts it again wins: the hint says that there is another stream.
func TestOtherStreamStays(t *testing.T) {
	t.Parallel()
	e := good().run(t, switchsim.CallSpec{Faults: switchsim.Faults{OtherStreams: 9}})
	if e.outcome.Result != controller.StreamFailed || !strings.Contains(e.outcome.Hint, "another stream is on this channel") {
		t.Errorf("outcome = %+v, want stream_failed and the hint", e.outcome)
	}
	if got, want := story(e.report), "answer tone start stop start stop hangup"; got != want {
		t.Errorf("commands = %q, want %q", got, want)
	}
}

// A module that opens a dropped stream again by itself is left alone: its socket is good.
func TestModuleReopensStream(t *testing.T) {
	t.Parallel()
	s := good()
	s.cfg.RestartPause, s.plan.Listen = time.Minute, 300*time.Millisecond
	e := s.run(t, switchsim.CallSpec{
		Voice:  switchsim.ToneVoice(8000, 440, 0.3),
		Faults: switchsim.Faults{Reopens: time.Millisecond, Drops: []switchsim.Drop{{After: 100 * time.Millisecond}}},
	})
	if e.outcome.Result != controller.Completed || e.outcome.Restarts != 0 || e.count("stream connected again") != 1 {
		t.Errorf("outcome = %+v, log = %q: want a stream that came back by itself", e.outcome, e.messages())
	}
	if got, want := story(e.report), "answer tone start prompt stop hangup"; got != want {
		t.Errorf("commands = %q, want %q", got, want)
	}
	if state := e.recording.State(); state.Connections != 2 || e.report.Streams[len(e.report.Streams)-1].Samples == 0 {
		t.Errorf("state = %+v, streams = %+v: want two sockets with audio", state, e.report.Streams)
	}
	checkAudio(t, e)
}

// Its socket is still good when the event socket tells, after that, of the drop before.
func TestLateReportOfADrop(t *testing.T) {
	t.Parallel()
	s := good()
	s.cfg.RestartPause, s.plan.Listen = 200*time.Millisecond, 500*time.Millisecond
	e := s.run(t, switchsim.CallSpec{
		Voice:  switchsim.ToneVoice(8000, 440, 0.3),
		Faults: switchsim.Faults{Reopens: time.Microsecond, LateReport: 100 * time.Millisecond, Drops: []switchsim.Drop{{After: 100 * time.Millisecond}}},
	})
	if e.outcome.Result != controller.Completed || e.outcome.Restarts != 0 || e.recording.State().Connections != 2 {
		t.Errorf("outcome = %+v, log = %q: want a stream that came back by itself", e.outcome, e.messages())
	}
	checkAudio(t, e)
}

// A module without TLS speaks plain text to a wss:// URL (F52): whatever comes of that,
// the call's own hint names TLS.
func TestModuleWithoutTLS(t *testing.T) {
	t.Parallel()
	web := httptest.NewUnstartedServer(nil)
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.StartTLS()
	t.Cleanup(web.Close)
	hangsUp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hangsUp.Close() })
	go func() {
		for {
			conn, err := hangsUp.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 4096))
			conn.Close()
		}
	}()
	for reply, address := range map[string]string{"upgrade failed": web.Listener.Addr().String(), "abnormal EOF": hangsUp.Addr().String()} {
		s := good()
		s.sim.NoTLS, s.plan.Stream.Restarts = true, 0
		l := s.start(t)
		l.rec.url = "wss://" + address + "/stream/"
		report := l.dial(switchsim.CallSpec{}).Wait()
		l.close()
		e := l.ended(report)
		if e.outcome.Result != controller.StreamFailed || !strings.Contains(e.outcome.Err, reply) || !strings.Contains(e.outcome.Hint, "built without TLS") {
			t.Errorf("outcome = %+v, want %s and a hint at TLS", e.outcome, reply)
		}
	}
}
