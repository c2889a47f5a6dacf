package sink

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

const (
	spaceInterval = time.Second // between two measurements
	// spaceTimeout is how long the disk may take to say how much is free.
	spaceTimeout = 5 * time.Second
)

// space knows how much is free in the directory. One goroutine measures it, so that a disk that
// hangs holds up nobody who asks.
type space struct {
	measure func() (int64, error)
	oldest  func() int64 // when the oldest turn at the disk that is not over began; 0 if there is none
	log     *zap.Logger
	base    time.Time // what moments are counted from

	known chan struct{} // closed after the first measurement
	free  atomic.Int64  // bytes; negative if they can't be measured

	// Moments, see now.
	asked atomic.Int64 // when the disk was asked that has not answered yet; 0 if it has
	took  atomic.Int64 // when the latest turn at the disk was over
	stuck atomic.Int64 // when the turn began that shows that the disk takes nothing; 0 if it does
}

func newSpace(measure func() (int64, error), oldest func() int64, log *zap.Logger) *space {
	return &space{measure: measure, oldest: oldest, log: log, base: time.Now().Add(-time.Nanosecond), known: make(chan struct{})}
}

// now is the present moment in ns since base, never 0. It does not follow a step of the clock.
func (s *space) now() int64 { return int64(time.Since(s.base)) }

// since is how long ago a moment was, 0 for no moment.
func (s *space) since(moment int64) time.Duration {
	if moment == 0 {
		return 0
	}
	return time.Duration(s.now() - moment)
}

// watch measures until ctx is done.
func (s *space) watch(ctx context.Context) {
	tick := time.NewTicker(spaceInterval)
	defer tick.Stop()
	s.update()
	close(s.known)
	for {
		select {
		case <-tick.C:
			s.update()
			s.updateStuck()
		case <-ctx.Done():
			return
		}
	}
}

func (s *space) update() {
	began := s.now()
	s.asked.Store(began)
	late := time.AfterFunc(spaceTimeout, func() {
		s.log.Error("disk hangs", zap.NamedError("err", s.hangs()), zap.String("hint", hintHangs))
	})
	free := int64(-1)
	err := guarded(s.log, func() (err error) {
		free, err = s.measure()
		return err
	})
	s.asked.Store(0)
	if !late.Stop() {
		s.log.Info("disk responds again", zap.Int64("dur_ms", s.since(began).Milliseconds()))
	}
	if err != nil {
		free = -1
	}
	s.free.Store(free)
}

// updateStuck finds out whether the disk takes what is written. One file that hangs while others
// are written is no sign of that.
func (s *space) updateStuck() {
	began, now := s.oldest(), s.now()
	if began != 0 && (now-began < int64(spaceTimeout) || now-s.took.Load() < int64(spaceTimeout)) {
		began = 0
	}
	was := s.stuck.Swap(began)
	switch {
	case was == 0 && began != 0:
		s.log.Error("disk hangs", zap.NamedError("err", s.hangs()), zap.String("hint", hintHangs))
	case was != 0 && began == 0:
		s.log.Info("disk responds again", zap.Int64("dur_ms", (now-was)/int64(time.Millisecond)))
	}
}

const hintHangs = "look at the disk of sink.directory, or the server that it is on; calls are refused until it answers, running ones go on"

// hangs says that the disk has not answered for too long.
func (s *space) hangs() error {
	if waited := s.since(s.asked.Load()); waited >= spaceTimeout {
		return fmt.Errorf("%w: it has not said how much is free for %v", ErrDiskHangs, waited.Truncate(time.Second))
	}
	if waited := s.since(s.stuck.Load()); waited >= spaceTimeout {
		return fmt.Errorf("%w: it has not taken what is written for %v", ErrDiskHangs, waited.Truncate(time.Second))
	}
	return nil
}

// awaitFirst waits for the first measurement, if it has begun.
func (s *space) awaitFirst() {
	if s.asked.Load() == 0 {
		return
	}
	select {
	case <-s.known:
	case <-time.After(spaceTimeout):
	}
}

// low says that less is free than must be. A disk that can't be measured is asked again by the
// recording itself, whose error will say more.
func (s *space) low(least int64) error {
	if free, ok := s.bytes(); ok && free < least {
		return fmt.Errorf("%w: %d bytes are free, min_free is %d", ErrDiskLow, free, least)
	}
	return nil
}

// bytes returns what was free when it was measured, if it could be.
func (s *space) bytes() (free int64, ok bool) {
	select {
	case <-s.known:
		free = s.free.Load()
		return free, free >= 0
	default:
		return 0, false
	}
}

// metric is the free bytes, NaN if they are not known.
func (s *space) metric() float64 {
	if free, ok := s.bytes(); ok && s.hangs() == nil {
		return float64(free)
	}
	return math.NaN()
}
