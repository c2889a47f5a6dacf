package controller_test

import (
	"bytes"
	"context"
	"sync/atomic"
	"testing"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zapcore"
)

// A plan stops its stream while that is being brought back: what is started late must not go on.
func TestStreamStopsWhileItIsBroughtBack(t *testing.T) {
	t.Parallel()
	id := newUUID()
	var starts atomic.Int32
	var l *testbed
	live := true
	s := made(
		&flow.Answer{}, &flow.Stream{},
		scripted{do: func(ctx context.Context, ch flow.Channel) error {
			return ch.Wait(ctx, patience, func() bool { return starts.Load() > 1 })
		}},
		&flow.Stream{Action: "stop"}, &flow.Listen{For: 500 * time.Millisecond},
		scripted{do: func(context.Context, flow.Channel) error { live = l.rec.recording(id).State().Live; return nil }},
	)
	s.rewrite = func(p []byte) []byte {
		starts.Add(int32(bytes.Count(p, []byte(" start ws"))))
		return p
	}
	l = s.start(t)
	call := l.dial(switchsim.CallSpec{UUID: id, Voice: voice(), Faults: switchsim.Faults{
		Drops: []switchsim.Drop{{After: 200 * time.Millisecond}}, LateJob: "uuid_audio_stream " + id + " start", LateBy: 200 * time.Millisecond,
	}})
	call.Wait()
	l.close()
	if e := l.ended(call.Report()); live || e.outcome.Result != controller.Completed || starts.Load() != 2 {
		t.Errorf("the stream goes on: %v, after %d starts; outcome %+v", live, starts.Load(), e.outcome)
	}
}

// A stream that the plan has stopped is started again, in the same recording.
func TestStreamAgain(t *testing.T) {
	t.Parallel()
	listen := &flow.Listen{For: 100 * time.Millisecond}
	e := made(
		&flow.Answer{}, &flow.Stream{}, listen, &flow.Stream{Action: "stop"}, &flow.Play{Files: []string{promptFile}}, &flow.Stream{}, listen,
	).run(t, switchsim.CallSpec{Voice: voice()})
	want := []string{
		"execute answer", "bgapi uuid_audio_stream … start … mono 8000", "bgapi uuid_audio_stream … stop", "execute playback " + promptFile,
		"bgapi uuid_audio_stream … start … mono 8000", "bgapi uuid_audio_stream … stop", "execute hangup NORMAL_CLEARING", "bgapi sched_del tapdeck-…",
	}
	if diff := cmp.Diff(want, said(t, e.report)); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	timeline := []string{"connect", "answer", "stream", "listen", "stop", "play", "stream", "listen", "stop", "hangup"}
	if diff := cmp.Diff(timeline, moments(e)); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
	if e.outcome.Result != controller.Completed || e.recording.finished != 1 || len(e.report.Streams) != 2 || e.outcome.Restarts != 0 {
		t.Errorf("outcome %+v, %d streams", e.outcome, len(e.report.Streams))
	}
	if e.count("stream connected") != 2 || e.count("stream stopped") != 1 || e.recording.started != 1 { // not again: it was not lost
		t.Errorf("the recording was told of %d starts after a stop, log %q", e.recording.started, e.messages())
	}
	checkAudio(t, e)
}

// A stream may fail only at its second start, and the plan says what then.
func TestStreamAgainFails(t *testing.T) {
	t.Parallel()
	for _, then := range []controller.OnStreamFailure{controller.FailureHangup, controller.FailureContinue} {
		s := made(&flow.Answer{}, &flow.Stream{}, &flow.Stream{Action: "stop"}, &flow.Stream{}, &flow.Play{Files: []string{promptFile}})
		s.plan.OnStreamFailure, s.plan.Stream.Restarts, s.plan.Stream.ConnectTimeout = then, 0, 300*time.Millisecond
		s.behave = func(_ string, socket int) behaviour { return behaviour{refuse: socket > 1} }
		e := s.run(t, switchsim.CallSpec{Voice: voice()})
		played := len(e.outcome.Prompts) == 1
		if e.outcome.Result != controller.StreamFailed || played != (then == controller.FailureContinue) {
			t.Errorf("%s: outcome %+v", then, e.outcome)
		}
	}
}

// connectedAgain is a step that waits until a call's stream has dropped and is back, or has failed.
func connectedAgain(l **testbed) flow.Step {
	return scripted{do: func(ctx context.Context, ch flow.Channel) error {
		return ch.Wait(ctx, patience, func() bool {
			return ch.Media().Failed() || (*l).logs.FilterMessage("stream connected again").Len() > 0
		})
	}}
}

// A stream that failed, in a plan that goes on without, can be started again: it has its whole time to
// connect, and is brought back when it drops.
func TestStreamAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	const connect = 2 * time.Second // which is over at the second start
	var l *testbed
	s := made(&flow.Answer{}, &flow.Stream{}, &flow.Stream{Action: "stop"}, &flow.Pause{For: connect}, &flow.Stream{}, connectedAgain(&l))
	s.plan.OnStreamFailure, s.plan.Stream.Restarts, s.plan.Stream.ConnectTimeout = controller.FailureContinue, 1, connect
	s.behave = func(_ string, socket int) behaviour {
		return behaviour{refuse: socket <= 2, cutAfter: map[int]int{3: 5}[socket]}
	}
	l = s.start(t)
	call := l.dial(switchsim.CallSpec{Voice: voice()})
	call.Wait()
	l.close()
	e := l.ended(call.Report())
	if e.outcome.Result != controller.StreamFailed || len(e.outcome.Alarms) > 0 || e.count("stream failed") != 1 {
		t.Errorf("outcome %+v, log %q", e.outcome, e.messages())
	}
	if e.count("stream connected") != 1 || e.count("the switch did not answer start, but the stream connected") != 0 {
		t.Errorf("log %q", e.messages())
	}
}

// A recording that the silence after a stop has filled says so where its stream is to start again.
func TestStreamAgainInAFullRecording(t *testing.T) {
	t.Parallel()
	id := newUUID()
	var l *testbed
	listen := &flow.Listen{For: 100 * time.Millisecond}
	l = made(
		&flow.Answer{}, &flow.Stream{}, listen, &flow.Stream{Action: "stop"},
		scripted{do: func(context.Context, flow.Channel) error { l.rec.recording(id).fill(); return nil }}, &flow.Stream{}, listen,
	).start(t)
	call := l.dial(switchsim.CallSpec{UUID: id, Voice: voice()})
	call.Wait()
	l.close()
	e := l.ended(call.Report())
	if line := e.line(t, "recording is full"); line.Level != zapcore.WarnLevel || e.count("recording is full") != 1 || e.outcome.Result != controller.Completed {
		t.Errorf("%v, outcome %+v", line.ContextMap(), e.outcome)
	}
}

// A stream whose start the switch refused can be started again as if for the first time: what is in its
// way is stopped, and it is brought back when it drops.
func TestStreamAgainAfterARefusal(t *testing.T) {
	t.Parallel()
	var l *testbed
	s := made(&flow.Answer{}, &flow.Stream{}, &flow.Stream{Action: "stop"}, &flow.Stream{}, connectedAgain(&l))
	s.plan.OnStreamFailure, s.plan.Stream.Restarts = controller.FailureContinue, 1
	l = s.start(t)
	call := l.dial(switchsim.CallSpec{Voice: voice(), Faults: switchsim.Faults{
		OtherStreams: 3, Drops: []switchsim.Drop{{After: 2 * time.Second}},
	}})
	call.Wait()
	l.close()
	e := l.ended(call.Report())
	if e.count("stream failed") != 1 || e.count("stream connected") != 1 || e.count("stream connected again") != 1 {
		t.Errorf("outcome %+v, log %q", e.outcome, e.messages())
	}
}

// A stream goes on as before when the call's codec changes, with other audio (F50, F107): the end of a playback tells
// of the change, and the stream is started again.
func TestCodecChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		rate, before int
		want         int
	}{{"resampled", 16000, 0, 1}, {"resampled from wideband", 8000, 16000, 1}, {"not resampled", 8000, 0, 1}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			listen, play := &flow.Listen{For: 50 * time.Millisecond}, &flow.Play{Files: []string{promptFile}}
			s := made(&flow.Answer{}, &flow.Stream{}, listen, play, listen, play, listen)
			s.plan.Stream.SampleRate, s.plan.Stream.Restarts = c.rate, 3
			s.sim.Prompts = func(string) (time.Duration, bool) { return 2 * time.Second, true }
			change := switchsim.Codec{At: time.Second, Rate: 16000}
			leg := switchsim.Leg{Codecs: []switchsim.Codec{change}}
			if c.before > 0 {
				leg.Codecs = []switchsim.Codec{{Rate: c.before}, {At: time.Second, Rate: 24000 - c.before}}
			}
			e := s.run(t, switchsim.CallSpec{Voice: voice(), Leg: leg})
			if e.outcome.Restarts != c.want || e.count("stream has a wrong rate, starting it again") != c.want || e.outcome.Result != controller.Completed {
				t.Errorf("%d restarts, %s; %q", e.outcome.Restarts, e.outcome.Result, e.messages())
			}
		})
	}
}
