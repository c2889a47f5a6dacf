package sink

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"tapdeck/sink/store"
	"tapdeck/sink/track"
	"tapdeck/wav"
)

// Why Expect refuses a call, what State.Err wraps, and why a recording can't be finished or saved.
var (
	ErrDiskLow        = errors.New("disk is low")      // less than MinFree is free
	ErrTooManyStreams = errors.New("too many streams") // MaxStreams are expected or running
	ErrClosed         = errors.New("sink is closed")
	ErrDuplicate      = errors.New("call is expected already")
	ErrMaxDuration    = errors.New("recording has reached its greatest length")
	ErrDiskHangs      = errors.New("disk hangs") // no response for PublishTimeout
	ErrNotFinished    = errors.New("recording is not finished")
)

// roomBytes bounds what all recordings together hold while their disk stalls.
const roomBytes = 256 << 20

// Sink accepts the audio of calls and keeps it. Its methods are safe for concurrent use.
type Sink struct {
	log     *zap.Logger
	metrics *metrics
	store   *store.Store
	space   *space
	room    *track.Room
	cfg     atomic.Pointer[Config]

	maxPending int // connections that have not been upgraded

	mu         sync.Mutex              // protects the following
	recordings map[string]*Recording   // by store.Name of the call
	abandoned  map[*Recording]struct{} // finished, while the disk hung
	closed     bool
}

// New returns a Sink for a valid configuration, whose metrics are registered with reg, which
// has no other sink's. Nothing is listened on and no file is touched before Recover and Serve.
func New(cfg Config, log *zap.Logger, reg prometheus.Registerer) *Sink {
	files := store.New(cfg.Directory, cfg.Disk)
	s := &Sink{
		log: log, store: files, room: track.NewRoom(roomBytes),
		recordings: map[string]*Recording{}, abandoned: map[*Recording]struct{}{}, maxPending: maxPending,
	}
	s.space = newSpace(files.Free, s.oldestTurn, log)
	s.cfg.Store(&cfg)
	s.metrics = newMetrics(reg, s.space.metric, func() float64 { return float64(s.room.Used()) })
	return s
}

// Update applies the reloadable parts of a valid configuration: MinFree, MaxStreams,
// MaxDuration, CuePoints, IdleTimeout, ReadInterval, SyncInterval, PublishTimeout and Allow. A
// recording that is expected already keeps what it began with.
func (s *Sink) Update(cfg Config) {
	old := s.cfg.Load()
	cfg.Advertise, cfg.Directory, cfg.TLS, cfg.Disk = old.Advertise, old.Directory, old.TLS, old.Disk
	s.cfg.Store(&cfg)
}

// Recover publishes what a crash has left in the directory; see store.Store. It may run
// beside Serve. A disk that hangs holds it up for PublishTimeout after ctx is done.
func (s *Sink) Recover(ctx context.Context) (store.Recovery, error) {
	type outcome struct {
		done store.Recovery
		err  error
	}
	ended := make(chan outcome, 1)
	go func() {
		var o outcome
		o.err = guarded(s.log, func() (err error) {
			o.done, err = s.store.Recover(ctx, s.log)
			return err
		})
		ended <- o
	}()
	var o outcome
	select {
	case o = <-ended:
	case <-ctx.Done():
		select {
		case o = <-ended:
		case <-time.After(s.cfg.Load().PublishTimeout):
			o.err = ErrDiskHangs
		}
	}
	s.metrics.recordings.WithLabelValues(resultRecovered).Add(float64(o.done.Published()))
	return o.done, o.err
}

// Hangs returns an error that wraps ErrDiskHangs if the directory's disk has not answered for
// some seconds, or if so much audio waits for it that soon some would be lost; else nil.
func (s *Sink) Hangs() error {
	if waits := s.room.Used(); waits > s.room.Bytes()/2 {
		return fmt.Errorf("%w: %d bytes of audio wait to be written", ErrDiskHangs, waits)
	}
	return s.space.hangs()
}

// Refuses returns why Expect would now refuse every call: an error that wraps ErrDiskHangs,
// ErrDiskLow, ErrTooManyStreams or ErrClosed; nil if it would not.
func (s *Sink) Refuses() error {
	cfg := s.cfg.Load()
	if err := s.checkDisk(cfg.MinFree); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checkRoom(cfg.MaxStreams)
}

// checkDisk says whether the disk permits a new recording.
func (s *Sink) checkDisk(least int64) error {
	if err := s.Hangs(); err != nil {
		return err
	}
	return s.space.low(least)
}

// checkRoom says whether there is room for one more stream. The caller holds s.mu.
func (s *Sink) checkRoom(most int) error {
	switch {
	case s.closed:
		return ErrClosed
	case most > 0 && len(s.recordings) >= most:
		return fmt.Errorf("%w: %d are permitted", ErrTooManyStreams, most)
	}
	return nil
}

// Expect prepares the recording of a call whose stream is about to start. Of call it needs
// Call, Started, SampleRate and Channels, which is 1 or 2; the rest is kept for Recover. The
// caller must Finish the Recording. The error wraps ErrDiskLow, ErrDiskHangs, ErrTooManyStreams,
// ErrClosed or ErrDuplicate, or is of *wav.FieldError values. No disk is asked.
func (s *Sink) Expect(call store.Record) (*Recording, error) {
	format := wav.Format{SampleRate: call.SampleRate, Channels: call.Channels}
	if err := errors.Join(store.CheckID(call.Call), format.Validate()); err != nil {
		return nil, fmt.Errorf("check call: %w", err)
	}
	cfg := s.cfg.Load()
	s.space.awaitFirst()
	if err := s.checkDisk(cfg.MinFree); err != nil {
		return nil, err
	}
	r := &Recording{
		log: s.log.With(zap.String("call", call.Call)), store: s.store, metrics: s.metrics, forget: s.forget, room: s.room, space: s.space,
		call: call, known: call, format: format, cfg: cfg, ticket: rand.Text(), changed: make(chan struct{}, 1),
	}
	name := store.Name(call.Call)
	r.level.Store(math.Float64bits(track.FloorDBFS))
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && s.recordings[name] != nil {
		return nil, fmt.Errorf("expect %s: %w", call.Call, ErrDuplicate)
	}
	if err := s.checkRoom(cfg.MaxStreams); err != nil {
		return nil, err
	}
	s.recordings[name] = r
	return r, nil
}

// SaveRecord keeps the record of a call that never had a recording, and returns it, also
// beside an error. It counts call.Alarms. What hangs longer than PublishTimeout is abandoned:
// the error is ErrDiskHangs then, at once if the disk is known to hang.
func (s *Sink) SaveRecord(call store.Record) (store.Record, error) {
	if err := store.CheckID(call.Call); err != nil {
		return store.Record{}, fmt.Errorf("check call: %w", err)
	}
	call.Schema, call.Sound = store.Schema, track.NoSound(0)
	s.metrics.countAlarms(call.Alarms)
	if err := s.Hangs(); err != nil { // one more goroutine would wait on it
		return call, fmt.Errorf("save record: %w", err)
	}
	saved := call // which an abandoned goroutine may still read
	return call, withTimeout(s.cfg.Load().PublishTimeout, s.log, func() error { return s.store.Save(&saved) })
}

// oldestTurn is the moment of space at which the oldest turn at the disk that is not over began,
// 0 if there is none.
func (s *Sink) oldestTurn() (oldest int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	look := func(r *Recording) {
		if began := r.turn.Load(); began != 0 && (oldest == 0 || began < oldest) {
			oldest = began
		}
	}
	for _, r := range s.recordings {
		look(r)
	}
	for r := range s.abandoned {
		select {
		case <-r.finish.concluded: // the disk has responded
			delete(s.abandoned, r)
		default:
			look(r)
		}
	}
	return oldest
}

func (s *Sink) lookup(name string) *Recording {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recordings[name]
}

// forget takes a finished recording off the list; one whose disk still hangs is abandoned.
func (s *Sink) forget(r *Recording) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.recordings, store.Name(r.call.Call))
	if errors.Is(r.finish.err, ErrDiskHangs) {
		s.abandoned[r] = struct{}{}
	}
}

// close refuses what is new and returns the recordings that remain.
func (s *Sink) close() []*Recording {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return slices.Collect(maps.Values(s.recordings))
}
