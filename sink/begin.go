package sink

import (
	"errors"
	"fmt"

	"go.uber.org/zap"

	"tapdeck/sink/store"
	"tapdeck/sink/track"
)

// open returns the track, made with its file for the first socket.
func (r *Recording) open() (*track.Track, error) {
	if r.track != nil {
		return r.track, nil
	}
	part, err := r.store.Create(r.call.Call, r.call.Started)
	if err != nil {
		return nil, fmt.Errorf("create recording: %w", err)
	}
	t, err := track.New(part, r.format)
	if err != nil {
		return nil, errors.Join(err, part.Discard())
	}
	r.track = t
	r.begin(part)
	return t, nil
}

// begin makes a file the recording's, and keeps what is known of the call beside it. If only
// that fails, it is no reason to end the stream.
func (r *Recording) begin(part *store.Part) {
	r.mu.Lock()
	r.part = part
	r.mu.Unlock()
	record := r.call
	record.Sound = track.NoSound(1)
	record.Timeline.StreamConnected = sinceMS(r.call.Started, r.State().ConnectedAt)
	if err := part.SaveSidecar(&record); err != nil {
		r.log.Warn("record not begun", zap.NamedError("err", err),
			zap.String("hint", "after a crash the recording would be published without its call's details"))
	}
}

// currentPart is the recording's file, nil if there is none.
func (r *Recording) currentPart() *store.Part {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.part
}
