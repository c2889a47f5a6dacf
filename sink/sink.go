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

// Sink accepts the audio of calls and keeps it. Its methods are safe for concurrent use.
type Sink struct {
	log     *zap.Logger
	metrics *metrics
	store   *store.Store
	cfg     atomic.Pointer[Config]

	maxPending int // connections that have not been upgraded

	mu         sync.Mutex // protects the following
	recordings map[string]*Recording
	closed     bool
}

// New returns a Sink for a valid configuration, whose metrics are registered with reg, which
// has no other sink's. Nothing is listened on and no file is touched before Recover and Serve.
func New(cfg Config, log *zap.Logger, reg prometheus.Registerer) *Sink {
	return newSink(cfg, store.OSDisk{}, log, reg)
}

func newSink(cfg Config, disk store.Disk, log *zap.Logger, reg prometheus.Registerer) *Sink {
	s := &Sink{log: log, store: store.New(cfg.Directory, disk), recordings: map[string]*Recording{}, maxPending: maxPending}
	s.cfg.Store(&cfg)
	s.metrics = newMetrics(reg, func() float64 {
		free, err := s.store.Free()
		if err != nil {
			return math.NaN()
		}
		return float64(free)
	})
	return s
}

// Update applies the reloadable parts of a valid configuration: MinFree, MaxStreams,
// MaxDuration, IdleTimeout, ReadInterval, PublishTimeout and Allow. A recording that is expected
// already keeps what it began with.
func (s *Sink) Update(cfg Config) {
	old := s.cfg.Load()
	cfg.Advertise, cfg.Directory, cfg.TLS = old.Advertise, old.Directory, old.TLS
	s.cfg.Store(&cfg)
}

// Recover publishes what a crash has left in the directory; see store.Store. It may run
// beside Serve.
func (s *Sink) Recover(ctx context.Context) (store.Recovery, error) {
	done, err := s.store.Recover(ctx, s.log)
	s.metrics.recordings.WithLabelValues(resultRecovered).Add(float64(done.Published()))
	return done, err
}

// Expect prepares the recording of a call whose stream is about to start. Of call it needs
// Call, Started, SampleRate and Channels, which is 1 or 2; the rest is kept for Recover. The
// caller must Finish the Recording. The error wraps ErrDiskLow, ErrTooManyStreams, ErrClosed
// or ErrDuplicate, or is of *wav.FieldError values.
func (s *Sink) Expect(call store.Record) (*Recording, error) {
	format := wav.Format{SampleRate: call.SampleRate, Channels: call.Channels}
	if err := errors.Join(store.CheckID(call.Call), format.Validate()); err != nil {
		return nil, fmt.Errorf("check call: %w", err)
	}
	cfg := s.cfg.Load()
	if err := checkFree(s.store, cfg); err != nil {
		return nil, err
	}
	r := &Recording{
		log: s.log.With(zap.String("call", call.Call)), store: s.store, metrics: s.metrics, forget: s.forget,
		call: call, format: format, cfg: cfg, ticket: rand.Text(), changed: make(chan struct{}, 1),
	}
	r.level.Store(math.Float64bits(track.FloorDBFS))
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, ErrClosed
	case s.recordings[call.Call] != nil:
		return nil, fmt.Errorf("expect %s: %w", call.Call, ErrDuplicate)
	case cfg.MaxStreams > 0 && len(s.recordings) >= cfg.MaxStreams:
		return nil, fmt.Errorf("%w: %d are permitted", ErrTooManyStreams, cfg.MaxStreams)
	}
	s.recordings[call.Call] = r
	return r, nil
}

// SaveRecord keeps the record of a call that never had a recording, and returns it, also
// beside an error. It counts call.Alarms.
func (s *Sink) SaveRecord(call store.Record) (store.Record, error) {
	if err := store.CheckID(call.Call); err != nil {
		return store.Record{}, fmt.Errorf("check call: %w", err)
	}
	call.Sound = track.NoSound(0)
	s.metrics.countAlarms(call.Alarms)
	return call, s.store.Save(&call)
}

func (s *Sink) lookup(id string) *Recording {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recordings[id]
}

func (s *Sink) forget(r *Recording) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.recordings, r.call.Call)
}

// close refuses what is new and returns the recordings that remain.
func (s *Sink) close() []*Recording {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return slices.Collect(maps.Values(s.recordings))
}
