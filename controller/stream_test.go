package controller_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"tapdeck/controller"
	"tapdeck/controller/switchsim"
)

// after is the dialplan behind the socket action.
func after() []switchsim.Action {
	return []switchsim.Action{{Application: "playback", Data: "ivr/sorry.wav"}}
}

// nextRan says whether the dialplan's next action ran to its end.
func nextRan(r switchsim.Report) bool {
	return r.NextAction && slices.ContainsFunc(r.Executed, func(e switchsim.Executed) bool {
		return e.Data == "ivr/sorry.wav" && e.Response == "FILE PLAYED" && e.Ended.Sub(e.Began) > 50*time.Millisecond
	})
}

// A stream that never connects fails within connect_timeout; the plan says what then.
func TestStreamNeverConnects(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		then      controller.OnStreamFailure
		story, by string
		listen    string
		next      bool
	}{
		{then: controller.FailureHangup, story: "answer tone start stop hangup", by: "tapdeck"},
		{then: controller.FailureContinue, story: "answer tone start prompt stop hangup", by: "tapdeck", listen: "time"},
		{then: controller.FailureDialplan, story: "answer tone start stop", next: true},
	} {
		t.Run(string(c.then), func(t *testing.T) {
			t.Parallel()
			s := good()
			s.plan.OnStreamFailure, s.plan.Stream.ConnectTimeout = c.then, 300*time.Millisecond
			e := s.run(t, switchsim.CallSpec{Then: after(), Faults: switchsim.Faults{NeverConnect: true}})
			if e.outcome.Result != controller.StreamFailed || e.outcome.HungUpBy != c.by || e.outcome.ListenEndedBy != c.listen {
				t.Errorf("outcome = %+v, want stream_failed", e.outcome)
			}
			if !slices.Equal(e.outcome.Alarms, []string{"no_socket"}) || !strings.Contains(e.outcome.Hint, "sink.advertise") {
				t.Errorf("alarms %q, hint %q: want no_socket and what to compare", e.outcome.Alarms, e.outcome.Hint)
			}
			if got := story(e.report); got != c.story {
				t.Errorf("commands = %q, want %q", got, c.story)
			}
			if nextRan(e.report) != c.next {
				t.Errorf("next action ran: %v, want %v", nextRan(e.report), c.next)
			}
			failed := e.line(t, "stream failed").Time
			if took := failed.Sub(e.outcome.Timeline.At("stream_start")); took < 300*time.Millisecond-s.cfg.RestartPause || took > patience {
				t.Errorf("the stream failed %v after its start, want its connect_timeout of 300ms, or less by the pause that it had no time for", took)
			}
			if e.line(t, "call ended").Level != zapcore.WarnLevel {
				t.Errorf("a failed stream is worth a warning")
			}
		})
	}
}

// What the switch answers to the start, and what a person is told to do.
func TestStreamIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		faults    switchsim.Faults
		behave    behaviour
		url       string
		err, hint string
		starts    int
	}{
		{name: "no API", faults: switchsim.Faults{NoAPI: true}, err: "Command not found", hint: "load mod_audio_stream", starts: 1},
		{name: "refused", faults: switchsim.Faults{RefuseStart: true}, err: "Operation Failed", hint: "another stream is on this channel", starts: 2},
		{name: "usage", url: "ftp://x/", err: "Operation Failed", hint: "the switch refused", starts: 2},
		{name: "nobody listens", url: "ws://127.0.0.1:1/", err: "Connection refused", hint: "nothing listens at sink.advertise", starts: 4},
		{name: "403", behave: behaviour{refuse: true}, err: "upgrade failed", hint: "refused the WebSocket", starts: 4},
		{name: "no answer", behave: behaviour{stall: true}, err: "Timeout", hint: "within the module's 1 s", starts: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good()
			if c.behave.stall {
				s.plan.Stream.Restarts = 0 // the module itself gives up after 1 s
			}
			s.behave = func(string, int) behaviour { return c.behave }
			l := s.start(t)
			if c.url != "" {
				l.rec.url = c.url
			}
			report := l.dial(switchsim.CallSpec{Faults: c.faults}).Wait()
			l.close()
			e := l.ended(report)
			if e.outcome.Result != controller.StreamFailed || !strings.Contains(e.outcome.Err, c.err) || !strings.Contains(e.outcome.Hint, c.hint) {
				t.Errorf("outcome = %+v\nwant stream_failed, %q, %q", e.outcome, c.err, c.hint)
			}
			if got := strings.Count(story(report), "start"); got != c.starts {
				t.Errorf("commands = %q, want %d starts", story(report), c.starts)
			}
			if e.line(t, "call ended").ContextMap()["hint"] != e.outcome.Hint {
				t.Errorf("the last line has no hint: %v", e.line(t, "call ended").ContextMap())
			}
		})
	}
}

// A refused start may be the licence's only if as many streams run as that permits.
func TestLicenceHint(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Listen = time.Minute
	l := s.start(t)
	var live []*switchsim.Call
	for _, streams := range []int{controller.FreeStreams - 1, controller.FreeStreams} {
		for len(live) < streams {
			live = append(live, l.dial(switchsim.CallSpec{}))
		}
		l.until(t, fmt.Sprintf("%d streams", streams), func() bool {
			n := 0
			for _, c := range l.ctl.Calls() {
				if c.Stream != nil && c.Stream.Live {
					n++
				}
			}
			return n == streams
		})
		id := newUUID()
		l.dial(switchsim.CallSpec{UUID: id, Faults: switchsim.Faults{RefuseStart: true}}).Wait()
		l.results(t, id, 1)
		hint := l.rec.outcomes(id)[0].Hint
		if licence := strings.Contains(hint, "v1.0.3"); licence != (streams == controller.FreeStreams) || !strings.Contains(hint, "another stream is on this channel") {
			t.Errorf("%d streams run: hint %q", streams, hint)
		}
	}
	for _, c := range live {
		c.Hangup()
		c.Wait()
	}
}

// The switch connects, but to another server, such as the one that was there before.
func TestStreamConnectsElsewhere(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Stream.ConnectTimeout = 300 * time.Millisecond
	l, other := s.start(t), startRecorder(t)
	id := newUUID()
	if _, err := other.Expect(controller.Info{UUID: id}, s.plan.Stream); err != nil {
		t.Fatal(err)
	}
	l.rec.url = other.url
	report := l.dial(switchsim.CallSpec{UUID: id}).Wait()
	l.close()
	e := l.ended(report)
	if e.outcome.Result != controller.StreamFailed || !strings.Contains(e.outcome.Hint, "another WebSocket server listens") {
		t.Errorf("outcome = %+v, want stream_failed, and what to compare", e.outcome)
	}
}

// The first upgrade fails, the second does not: the call never notices.
func TestStreamConnectsAtTheSecondTry(t *testing.T) {
	t.Parallel()
	s := good()
	s.behave = func(_ string, socket int) behaviour { return behaviour{refuse: socket == 1} }
	e := s.run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 300, 0.2)})
	if e.outcome.Result != controller.Completed || e.outcome.Restarts != 1 {
		t.Errorf("outcome = %+v, want completed with one restart", e.outcome)
	}
	checkAudio(t, e)
}

// A stream that drops is brought back by stop and start, with growing pauses, as
// often as the plan says, in the prompt as in the listening time.
func TestStreamDrops(t *testing.T) {
	t.Parallel()
	fin := switchsim.Drop{After: time.Second, How: switchsim.DropFIN}
	rst := switchsim.Drop{After: time.Second, How: switchsim.DropRST}
	late := switchsim.Drop{After: speed * time.Second, How: switchsim.DropFIN}
	const short, endless = 2 * time.Second, time.Hour
	for _, c := range []struct {
		name     string
		drops    []switchsim.Drop
		prompt   time.Duration
		restarts int
		result   controller.Result
		listen   string
		story    string
	}{
		{"once in the prompt", []switchsim.Drop{fin}, short, 1, controller.Completed, "dtmf", "answer tone start prompt stop start stop hangup"},
		{"reset in the prompt", []switchsim.Drop{rst}, short, 1, controller.Completed, "dtmf", "answer tone start prompt stop start stop hangup"},
		{"three times", []switchsim.Drop{fin, fin, fin}, short, 3, controller.Completed, "dtmf", "answer tone start prompt stop start stop start stop start stop hangup"},
		{"once in the listening time", []switchsim.Drop{late}, short, 1, controller.Completed, "dtmf", "answer tone start prompt stop start stop hangup"},
		{"too often in the listening time", []switchsim.Drop{late, fin}, short, 1, controller.StreamFailed, "stream", "answer tone start prompt stop start stop hangup"},
		{"too often in the prompt", []switchsim.Drop{late}, endless, 0, controller.StreamFailed, "", "answer tone start prompt stop kill"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good()
			s.plan.Stream.Restarts, s.plan.Listen, s.plan.FinishOn, s.plan.Typeahead = c.restarts, time.Minute, "#", true
			s.cfg.PromptLimit, s.cfg.CommandTimeout, s.plan.Stream.ConnectTimeout = patience, patience, patience
			s.sim.Prompts = func(string) (time.Duration, bool) { return c.prompt, true }
			l := s.start(t)
			call := l.dial(switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 300, 0.2), Faults: switchsim.Faults{Drops: c.drops}})
			if c.result == controller.Completed {
				var rec *recording
				l.until(t, "the last stream", func() bool {
					rec = l.rec.recording(call.UUID())
					return rec != nil && rec.State().Connections == c.restarts+1
				})
				heard := len(rec.heard())
				l.until(t, "its audio", func() bool { return len(rec.heard()) > heard })
				call.Press("#")
			}
			call.Wait()
			l.close()
			e := l.ended(call.Report())
			if e.outcome.Result != c.result || e.outcome.ListenEndedBy != c.listen {
				t.Errorf("outcome = %+v, want %s", e.outcome, c.result)
			}
			if got := story(e.report); got != c.story {
				t.Errorf("commands = %q, want %q", got, c.story)
			}
			if want := min(len(c.drops), c.restarts); e.outcome.Restarts != want || e.count("stream dropped, starting it again") != want {
				t.Errorf("%d restarts, %q: want %d", e.outcome.Restarts, e.messages(), want)
			}
			checkPauses(t, e, s.cfg.RestartPause)
			if c.result == controller.Completed && e.report.Streams[len(e.report.Streams)-1].Samples == 0 {
				t.Errorf("streams = %+v: the last one has no audio", e.report.Streams)
			}
		})
	}
}

// checkPauses says whether the pauses before restarts grow. A pause begins with what is told first of a
// drop: the end of the socket at the sink, or the module's event.
func checkPauses(t *testing.T, e ended, pause time.Duration) {
	t.Helper()
	streams, ends := e.report.Streams, e.recording.ends
	if len(ends) != len(streams) {
		t.Fatalf("%d sockets ended, of %d streams", len(ends), len(streams))
	}
	for i := 1; i < len(streams); i++ {
		took := max(streams[i].Started.Sub(streams[i-1].Ended), streams[i].Started.Sub(ends[i-1]))
		if took < pause {
			t.Errorf("restart %d came %v after the drop, want a pause of %v at least", i, took, pause)
		}
		pause *= 2
	}
}

// A stream that is brought back does not make the listening time any longer.
func TestDropsDoNotProlongListening(t *testing.T) {
	t.Parallel()
	s := good()
	// If the pause or the restart counted, it would be eight seconds or more:
	// the bound is that far off for the sake of slow machines.
	s.plan.Prompt, s.plan.Listen, s.cfg.RestartPause = "", 5*time.Second, 3*time.Second
	drop := switchsim.Drop{After: 100 * time.Millisecond}
	e := s.run(t, switchsim.CallSpec{Faults: switchsim.Faults{Drops: []switchsim.Drop{drop}}})
	took := e.outcome.Timeline.At("stop").Sub(e.outcome.Timeline.At("listen"))
	if e.outcome.Result != controller.Completed || e.outcome.Restarts == 0 || took < s.plan.Listen || took > 7500*time.Millisecond {
		t.Errorf("listened for %v with %d restarts, want %v; outcome = %+v", took, e.outcome.Restarts, s.plan.Listen, e.outcome)
	}
}

// A failed stream in the prompt gives the call to the dialplan: the prompt is
// broken off, and nothing of ours hangs the call up later.
func TestStreamFailsInPromptToDialplan(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.OnStreamFailure, s.plan.Stream.Restarts = controller.FailureDialplan, 0
	s.sim.Prompts = func(file string) (time.Duration, bool) {
		if file == promptFile {
			return 10 * time.Minute, true
		}
		return 600 * time.Millisecond, true
	}
	e := s.run(t, switchsim.CallSpec{Then: after(), Faults: switchsim.Faults{Drops: []switchsim.Drop{{After: 100 * time.Millisecond}}}})
	if e.outcome.Result != controller.StreamFailed || e.outcome.HungUpBy != "" || !nextRan(e.report) {
		t.Errorf("outcome = %+v, next action ran: %v", e.outcome, nextRan(e.report))
	}
	if got, want := story(e.report), "answer tone start prompt stop break"; got != want {
		t.Errorf("commands = %q, want %q", got, want)
	}
}

// The sink's own ends of a stream.
func TestSinkEndsStream(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		behave         behaviour
		then           controller.OnStreamFailure
		result         controller.Result
		listen, story  string
		err, lineToSee string
	}{
		{
			name: "greatest length", behave: behaviour{fullAfter: 10}, then: controller.FailureHangup,
			result: controller.Completed, listen: "stream", story: "answer tone start prompt stop hangup", lineToSee: "recording is full",
		},
		{
			name: "disk", behave: behaviour{failAfter: 10}, then: controller.FailureHangup,
			result: controller.StreamFailed, story: "answer tone start prompt stop kill", err: "no space left", lineToSee: "stream failed",
		},
		{
			name: "disk, and the call goes on", behave: behaviour{failAfter: 10}, then: controller.FailureContinue,
			result: controller.StreamFailed, listen: "time", story: "answer tone start prompt stop hangup", err: "no space left", lineToSee: "prompt played",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good()
			s.plan.OnStreamFailure = c.then
			s.behave = func(string, int) behaviour { return c.behave }
			e := s.run(t, switchsim.CallSpec{})
			if e.outcome.Result != c.result || e.outcome.ListenEndedBy != c.listen || !strings.Contains(e.outcome.Err, c.err) {
				t.Errorf("outcome = %+v, want %s", e.outcome, c.result)
			}
			if got := story(e.report); got != c.story {
				t.Errorf("commands = %q, want %q", got, c.story)
			}
			e.line(t, c.lineToSee)
			if len(e.recording.heard()) < 10*320 {
				t.Errorf("%d bytes were kept, want what came before", len(e.recording.heard()))
			}
		})
	}
}

// A stream whose audio has another rate than the plan's is started again, if the plan permits;
// else it is better than none.
func TestWrongRateStartsAgain(t *testing.T) {
	t.Parallel()
	for restarts, want := range []string{"answer tone start prompt stop hangup", "answer tone start prompt stop start stop hangup"} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			s := good()
			s.plan.Stream.Restarts = restarts
			s.behave = func(string, int) behaviour { return behaviour{wrongAfter: 10} }
			e := s.run(t, switchsim.CallSpec{})
			if got := story(e.report); got != want || e.outcome.Result != controller.Completed || e.outcome.Restarts != restarts {
				t.Errorf("commands = %q, want %q; outcome = %+v", got, want, e.outcome)
			}
			if restarts > 0 {
				line := e.line(t, "stream has a wrong rate, starting it again")
				if hint := line.ContextMap()["hint"]; !strings.Contains(fmt.Sprint(hint), "codec") {
					t.Errorf("hint %q", hint)
				}
			}
		})
	}
}

// A switch that never answers an API command does not lose the stream.
func TestLostJobs(t *testing.T) {
	t.Parallel()
	s := good()
	s.cfg.CommandTimeout, s.plan.Stream.ConnectTimeout = 200*time.Millisecond, 2*time.Second
	e := s.run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.3), Faults: switchsim.Faults{LoseJobs: true}})
	if e.outcome.Result != controller.Completed {
		t.Errorf("outcome = %+v, want completed", e.outcome)
	}
	e.line(t, "the switch did not answer start, but the stream connected")
	checkAudio(t, e)
}
