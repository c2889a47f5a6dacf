package controller_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/switchsim"
)

// The traps of FreeSWITCH and mod_audio_stream that a controller can step into. The
// sink's own (F48, F52, F59) are in its tests.

// Stop blocks for a second while the server keeps TCP open (F41). Nothing else
// moves on an event socket that waits for it with api (F14).
func TestStopBlocks(t *testing.T) {
	t.Parallel()
	s := good()
	s.behave = func(string, int) behaviour { return behaviour{keepTCP: true, tillEnd: true} }
	e := s.run(t, switchsim.CallSpec{})
	if blocked := e.report.Streams[0].Ended; e.outcome.Result != controller.Completed || !e.report.HungUp.Before(blocked) {
		t.Errorf("the hangup came %v after stop had its answer, want it before; outcome = %+v", e.report.HungUp.Sub(blocked), e.outcome)
	}
}

// A server that has sent Close and keeps TCP open: the hangup is never complete
// (F42). The call ends all the same, and what the recorder then closes frees the channel.
func TestHangupNeverCompletes(t *testing.T) {
	t.Parallel()
	s := good()
	s.cfg.HangupTimeout, s.cfg.RestartPause, s.plan.Listen = 300*time.Millisecond, time.Minute, time.Minute
	s.behave = func(string, int) behaviour { return behaviour{closeAfter: 3, keepTCP: true} }
	e := s.runWith(t, switchsim.CallSpec{}, 2, "complete", "playback", hangUp)
	if e.outcome.Result != controller.CallerHangup || e.count("hangup not confirmed") != 1 {
		t.Errorf("outcome = %+v, log = %q: want caller_hangup and an end that was not confirmed", e.outcome, e.messages())
	}
	if took := e.outcome.Ended.Sub(e.outcome.Timeline.At("hangup")); took > 5*time.Second {
		t.Errorf("the call took %v more, want HangupTimeout", took)
	}
}

// +OK is answered before the switch has connected (F35).
func TestOKIsNotConnected(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Stream.ConnectTimeout = 200 * time.Millisecond
	e := s.run(t, switchsim.CallSpec{Faults: switchsim.Faults{NeverConnect: true}})
	if e.outcome.Result != controller.StreamFailed || e.count("stream connected") != 0 {
		t.Errorf("outcome = %+v, log = %q: want a stream that failed", e.outcome, e.messages())
	}
}

// No disconnect event follows a stop (F44): who waits for it waits for ever.
func TestNoDisconnectAfterStop(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Stream.StopTimeout = time.Minute
	e := s.run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.3)})
	checkGood(t, e)
	if took := e.outcome.Timeline.At("hangup").Sub(e.outcome.Timeline.At("stop")); took > 2*time.Second {
		t.Errorf("the hangup came %v after stop, want at once", took)
	}
}

// After the server's Close the media bug stays: start answers -ERR until a stop (F43).
func TestStartNeedsStop(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Listen, s.plan.Stream.Restarts = 300*time.Millisecond, 1
	s.behave = func(_ string, socket int) behaviour { return behaviour{closeAfter: map[int]int{1: 5}[socket]} }
	e := s.run(t, switchsim.CallSpec{})
	if e.outcome.Result != controller.Completed || e.outcome.Restarts != 1 || len(e.report.Streams) != 2 || e.report.Streams[1].Samples == 0 {
		t.Errorf("outcome = %+v, streams = %+v: want a second stream with audio", e.outcome, e.report.Streams)
	}
	if got, want := story(e.report), "answer tone start prompt stop start stop hangup"; got != want {
		t.Errorf("commands = %q, want %q", got, want)
	}
}

// A start that is refused may leave a WebSocket open for ever (F37): it is no
// connected stream, and is closed at the end without waiting for it.
func TestRefusedStartLeavesSocket(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Stream.SampleRate, s.plan.Stream.StopTimeout, s.plan.OnStreamFailure = 0, time.Minute, controller.FailureDialplan
	s.cfg.RestartPause = 300 * time.Millisecond // the socket comes in it
	e := s.run(t, switchsim.CallSpec{Then: []switchsim.Action{{Application: "sleep", Data: "10000"}}})
	if e.outcome.Result != controller.StreamFailed || e.count("stream connected") != 0 || !strings.Contains(e.outcome.Err, "Operation Failed") {
		t.Errorf("outcome = %+v, log = %q: want a stream that was refused", e.outcome, e.messages())
	}
	if state := e.recording.State(); state.Connections == 0 || state.Live {
		t.Errorf("state = %+v, want what the refused starts have left, closed", state)
	}
	if !e.outcome.Ended.Before(e.report.HungUp) {
		t.Error("the call was not over before the switch forgot the socket: want no wait for it")
	}
}

// Without event-lock playbacks nest (F19).
func TestEventLock(t *testing.T) {
	t.Parallel()
	l := good().start(t)
	report := l.dial(switchsim.CallSpec{}).Wait()
	l.close()
	for _, conn := range l.tap.connections() {
		for _, command := range conn.commands() {
			if strings.HasPrefix(command, "sendmsg") && !strings.Contains(command, "\nevent-lock: true") {
				t.Errorf("command %q has no event-lock", command)
			}
		}
	}
	apps := slices.DeleteFunc(report.Executed, func(e switchsim.Executed) bool { return e.Application == "socket" })
	for i := 1; i < len(apps); i++ {
		if apps[i].Began.Before(apps[i-1].Ended) {
			t.Errorf("%s began before the end of %s", apps[i].Data, apps[i-1].Data)
		}
	}
}

// A hangup by sendmsg waits behind a locked playback (F27).
func TestHangupBehindPlayback(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Stream.Restarts, s.cfg.HangupTimeout = 0, time.Minute
	s.sim.Prompts = func(string) (time.Duration, bool) { return time.Hour, true }
	e := s.run(t, switchsim.CallSpec{Faults: switchsim.Faults{Drops: []switchsim.Drop{{After: 50 * time.Millisecond}}}})
	if e.outcome.Result != controller.StreamFailed || e.outcome.HungUpBy != "tapdeck" || e.outcome.HangupCause != "NORMAL_CLEARING" {
		t.Errorf("outcome = %+v, want a call that tapdeck hung up", e.outcome)
	}
	if took := e.outcome.Timeline.At("hangup").Sub(e.outcome.Timeline.At("stop")); took > 5*time.Second {
		t.Errorf("the hangup took %v, want at once", took)
	}
}

// uuid_break drops what is queued without a word (F66), and a playback that it
// broke may call itself played (F65); a break of nothing has no effect (F66).
func TestBreak(t *testing.T) {
	t.Parallel()
	for _, dropIn := range []string{"prompt", "listen"} {
		t.Run(dropIn, func(t *testing.T) {
			t.Parallel()
			s, inPrompt := good(), dropIn == "prompt"
			s.plan.OnStreamFailure, s.plan.Stream.Restarts, s.plan.Listen = controller.FailureDialplan, 0, time.Minute
			s.cfg.PromptLimit = patience
			s.sim.Prompts = func(file string) (time.Duration, bool) {
				if inPrompt && file == promptFile {
					return time.Hour, true
				}
				return 600 * time.Millisecond, true
			}
			l, playing := s.start(t), make(chan struct{})
			call := l.dial(switchsim.CallSpec{Then: after(), Progress: on(1, "playing", promptFile, func() { close(playing) })})
			if <-playing; !inPrompt {
				l.waitStep(t, "listen")
			}
			l.rec.recording(call.UUID()).release() // the stream drops
			call.Wait()
			l.close()
			e := l.ended(call.Report())
			if (e.count("prompt played") == 1) == inPrompt || !nextRan(e.report) {
				t.Errorf("log = %q, next action ran: %v", e.messages(), nextRan(e.report))
			}
			if broken := strings.Contains(story(e.report), "break"); broken != inPrompt {
				t.Errorf("commands = %q: want a break only where an application runs", story(e.report))
			}
		})
	}
}

// An unknown application hangs the call up, with no event of its own (F23): only
// these are executed, and the end of the channel ends a step that nobody completes.
func TestUnknownApplication(t *testing.T) {
	t.Parallel()
	known := []string{"socket", "answer", "playback", "hangup"}
	s := good()
	e := s.run(t, switchsim.CallSpec{})
	for _, app := range e.report.Executed {
		if !slices.Contains(known, app.Application) {
			t.Errorf("application %q is none of %q", app.Application, known)
		}
	}
	s.cfg.PromptLimit = 10 * time.Second
	never := switchsim.CallSpec{Faults: switchsim.Faults{NeverComplete: "playback ivr/"}}
	e = s.runWith(t, never, 2, "execute", "playback", func(l *testbed, call *switchsim.Call) {
		l.operator("uuid_kill " + call.UUID() + " DESTINATION_OUT_OF_ORDER")
	})
	if took := e.outcome.Ended.Sub(e.outcome.Timeline.At("prompt")); e.outcome.HangupCause != "DESTINATION_OUT_OF_ORDER" || took > 5*time.Second {
		t.Errorf("outcome = %+v after %v, want the cause, at once", e.outcome, took)
	}
}

// linger without seconds pins the channel (F33); with them it is free as soon as the
// call has been concluded.
func TestLinger(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Listen = time.Minute
	e := s.runWith(t, switchsim.CallSpec{}, 2, "complete", "playback", hangUp)
	if !regexp.MustCompile(`^linger [1-9]\d*$`).MatchString(e.report.Commands[1]) {
		t.Errorf("command = %q, want linger with seconds", e.report.Commands[1])
	}
	if held := e.report.SocketClosed.Sub(e.report.HungUp); held > 4*time.Second {
		t.Errorf("the channel was held for %v after its hangup", held)
	}
}

// Without linger CHANNEL_HANGUP_COMPLETE is lost (F31).
func TestHangupComplete(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Listen, s.cfg.HangupTimeout = time.Minute, 10*time.Second
	began := time.Now()
	e := s.runWith(t, switchsim.CallSpec{}, 2, "complete", "playback", hangUp)
	if !e.report.Lingered || e.outcome.HangupCause != "NORMAL_CLEARING" || time.Since(began) > 8*time.Second {
		t.Errorf("lingered: %v, outcome = %+v after %v: want the hangup's end", e.report.Lingered, e.outcome, time.Since(began))
	}
	if i := slices.Index(e.report.Commands, "linger 5"); i != 1 {
		t.Errorf("linger is command %d, want the first after connect", i)
	}
}

// In sync mode no audio is read between applications (F6).
func TestSyncMode(t *testing.T) {
	t.Parallel()
	e := good().run(t, switchsim.CallSpec{Arguments: "full", Then: after()})
	checkReleased(t, e, controller.Misconfigured)
	if !strings.Contains(e.outcome.Err, `Socket-Mode "static"`) {
		t.Errorf("outcome = %+v, want the mode", e.outcome)
	}
}

// Everything after the word CUSTOM is a subclass (F18): BACKGROUND_JOB behind it
// would never come. Without myevents, a socket would hear other calls (F17).
func TestSubscription(t *testing.T) {
	t.Parallel()
	l := good().start(t)
	var calls []*switchsim.Call
	for range 5 {
		calls = append(calls, l.dial(switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.3)}))
	}
	var reports []switchsim.Report
	for _, c := range calls {
		reports = append(reports, c.Wait())
	}
	l.close()
	for _, r := range reports {
		checkGood(t, l.ended(r))
		mine, events := slices.Index(r.Commands, "myevents json"), slices.IndexFunc(r.Commands, func(c string) bool { return strings.HasPrefix(c, "event json ") })
		if mine < 0 || events < mine {
			t.Errorf("commands = %q, want myevents before event", r.Commands)
		}
		words := strings.Fields(r.Commands[events])
		if job, custom := slices.Index(words, "BACKGROUND_JOB"), slices.Index(words, "CUSTOM"); job < 0 || custom < job {
			t.Errorf("command = %q, want BACKGROUND_JOB before CUSTOM", r.Commands[events])
		}
	}
}
