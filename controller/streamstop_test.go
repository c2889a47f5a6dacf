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
