package transcript

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/pcm"
)

// Reach has the service transcribe a moment of silence, as a session does. It returns how long that took,
// or why it failed and what to do; no key is in either.
func Reach(ctx context.Context, c Config) (took time.Duration, todo string, err error) {
	began := time.Now()
	c.Reconnect = 0
	s := Start(c, newSilentEar(c), zap.NewNop(), nil)
	select {
	case <-s.Done():
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	s.Stop()
	state := s.State()
	if state.Err != nil && state.WrongMessages > 0 && !s.hasSpoken() && !errors.Is(state.Err, errFormat) { // so short is no other service's answer
		state.Err, state.Hint = fmt.Errorf("%w: %w", errFormat, state.Err), hintFormat
	}
	if err = errors.Join(err, state.Err); err != nil {
		return 0, cmp.Or(state.Hint, s.hintOf(err)), err
	}
	return time.Since(began), "", nil
}

// silentEar is a recording of chunkTime of silence.
type silentEar struct {
	ready     chan struct{}
	remaining int // bytes
}

func newSilentEar(c Config) *silentEar {
	return &silentEar{ready: make(chan struct{}, 1), remaining: int(c.frames(chunkTime)) * c.frameBytes()}
}

// Ready implements pcm.Ear, as the methods below do.
func (e *silentEar) Ready() <-chan struct{} { return e.ready }

func (e *silentEar) Read(p []byte) (pcm.Sound, error) {
	if e.remaining == 0 {
		return pcm.Sound{}, io.EOF
	}
	n := min(e.remaining, len(p))
	clear(p[:n])
	e.remaining -= n
	return pcm.Sound{Bytes: n}, nil
}

func (e *silentEar) Close() {}
