package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"tapdeck/controller"
	"tapdeck/sink"
	"tapdeck/wav"
)

// recorder is the sink as the controller knows one.
type recorder struct {
	sink *sink.Sink
	// lost counts the recordings and records that could not be kept.
	lost *atomic.Int64
}

// Expect implements controller.Recorder.
func (r recorder) Expect(info controller.Info, stream controller.StreamPlan) (controller.Recording, error) {
	rec, err := r.sink.Expect(sinkCall(info, stream))
	switch {
	case errors.Is(err, sink.ErrTooManyStreams), errors.Is(err, sink.ErrDiskLow), errors.Is(err, sink.ErrClosed):
		return nil, fmt.Errorf("%w by the sink: %w", controller.ErrRefused, err)
	case err != nil:
		return nil, err
	}
	return &recording{Recording: rec, lost: r.lost, info: info}, nil
}

// Save implements controller.Recorder. The record comes beside an error, too: the log
// may be all that keeps it.
func (r recorder) Save(info controller.Info, outcome controller.Outcome) (controller.Record, error) {
	record, err := r.sink.SaveRecord(sinkCall(info, controller.StreamPlan{}), sinkOutcome(info, outcome))
	if err != nil {
		r.lost.Add(1)
	}
	return kept(record, err)
}

// recording is one call's recording in the sink as the controller knows one.
type recording struct {
	*sink.Recording
	lost   *atomic.Int64
	missed sync.Once // counts a recording once, whatever of it is lost
	info   controller.Info
}

// State implements controller.Recording.
func (r *recording) State() controller.StreamState {
	s := r.Recording.State()
	state := controller.StreamState{
		Connections: s.Connections, Live: s.Live, Audio: s.Audio, FirstAudioAt: s.FirstAudioAt,
		LevelDBFS: s.LevelDBFS, Quiet: s.Quiet, LastEnd: s.LastEnd, Err: s.Err,
	}
	if errors.Is(s.Err, sink.ErrMaxDuration) {
		state.Full, state.Err = true, nil
	}
	return state
}

// Finish implements controller.Recording. A recording that the disk cut short counts as
// lost, even if the rest of it is published.
func (r *recording) Finish(ctx context.Context) error {
	_, err := r.Recording.Finish(ctx)
	if err != nil || r.State().Err != nil {
		r.miss()
	}
	return err
}

func (r *recording) miss() {
	r.missed.Do(func() { r.lost.Add(1) })
}

// Save implements controller.Recording.
func (r *recording) Save(outcome controller.Outcome) (controller.Record, error) {
	record, err := r.Recording.Save(sinkOutcome(r.info, outcome))
	if err != nil {
		r.miss()
	}
	return kept(record, err)
}

// kept is no record if the sink made none.
func kept(record sink.Record, err error) (controller.Record, error) {
	if record.Call == "" {
		return nil, err
	}
	return record, err
}

func sinkCall(info controller.Info, stream controller.StreamPlan) sink.Call {
	return sink.Call{
		ID: info.UUID, Caller: info.Caller, Destination: info.Destination, Plan: info.Plan, Started: info.Started,
		Format: wav.Format{SampleRate: stream.SampleRate, Channels: stream.Channels()}, Mix: stream.Mix,
	}
}

func sinkOutcome(info controller.Info, o controller.Outcome) sink.Outcome {
	ms := func(t time.Time) *int64 {
		if t.IsZero() {
			return nil
		}
		n := t.Sub(info.Started).Milliseconds()
		return &n
	}
	t := o.Timeline
	return sink.Outcome{
		Result: string(o.Result), HangupCause: o.HangupCause, HungUpBy: o.HungUpBy, ListenEndedBy: o.ListenEndedBy,
		Ended: o.Ended, Restarts: o.Restarts, Err: o.Err, Alarms: o.Alarms,
		Timeline: sink.Timeline{
			Connect: ms(t.Connect), Answer: ms(t.Answer), Tone: ms(t.Tone), StreamStart: ms(t.StreamStart),
			Prompt: ms(t.Prompt), Listen: ms(t.Listen), Stop: ms(t.Stop), Hangup: ms(t.Hangup),
		},
	}
}
