package sink

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Why Expect refuses a call, and what State.Err wraps.
var (
	// ErrDiskLow says that less than MinFree is free.
	ErrDiskLow = errors.New("disk is low")
	// ErrTooManyStreams says that MaxStreams recordings are expected or running.
	ErrTooManyStreams = errors.New("too many streams")
	// ErrClosed says that the sink has ended.
	ErrClosed = errors.New("sink is closed")
	// ErrDuplicate says that the call is expected already.
	ErrDuplicate = errors.New("call is expected already")
	// ErrMaxDuration says that a recording has reached its greatest length.
	ErrMaxDuration = errors.New("recording has reached its greatest length")
	// ErrDiskHangs says that the disk has not answered for PublishTimeout.
	ErrDiskHangs = errors.New("disk hangs")
	// ErrNotFinished says that Save was called before Finish.
	ErrNotFinished = errors.New("recording is not finished")
)

// Sink takes the audio of calls and keeps it. Its methods are safe for concurrent use.
type Sink struct {
	log     *zap.Logger
	metrics *metrics
	store   *store
	cfg     atomic.Pointer[Config]
	live    atomic.Int64
	notices notices

	maxPending int // connections that are no stream yet

	mu         sync.Mutex // protects the following
	recordings map[string]*Recording
	closed     bool
}

// New returns a Sink for a valid configuration, whose metrics are registered with
// reg. Nothing is listened on and no file is touched before Recover and Serve.
func New(cfg Config, log *zap.Logger, reg prometheus.Registerer) (*Sink, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("check configuration: %w", err)
	}
	s := &Sink{log: log, store: &store{disk: osDisk{}, dir: cfg.Directory}, recordings: map[string]*Recording{}, maxPending: maxPending}
	s.cfg.Store(&cfg)
	var err error
	s.metrics, err = newMetrics(reg, s.freeBytes)
	return s, err
}

// Update takes the reloadable parts of a valid configuration: MinFree, MaxStreams,
// MaxDuration, IdleTimeout, ReadInterval, PublishTimeout and Allow. A recording that is expected
// already keeps what it began with.
func (s *Sink) Update(cfg Config) {
	old := s.cfg.Load()
	cfg.Advertise, cfg.Directory, cfg.TLS = old.Advertise, old.Directory, old.TLS
	s.cfg.Store(&cfg)
}

// Streams returns the number of sockets that are open now.
func (s *Sink) Streams() int { return int(s.live.Load()) }

// Expect prepares the recording of a call whose stream is about to start. The caller
// must Finish it. The error wraps ErrDiskLow, ErrTooManyStreams, ErrClosed or
// ErrDuplicate, or is of *FieldError values.
func (s *Sink) Expect(call Call) (*Recording, error) {
	if err := call.check(); err != nil {
		return nil, fmt.Errorf("check call: %w", err)
	}
	if err := s.checkFree(); err != nil {
		return nil, err
	}
	if call.Started.IsZero() {
		call.Started = time.Now()
	}
	r := newRecording(s, call, rand.Text())
	s.mu.Lock()
	defer s.mu.Unlock()
	most := r.cfg.MaxStreams
	switch {
	case s.closed:
		return nil, ErrClosed
	case s.recordings[call.ID] != nil:
		return nil, fmt.Errorf("expect %s: %w", call.ID, ErrDuplicate)
	case most > 0 && len(s.recordings) >= most:
		return nil, fmt.Errorf("%w: %d are permitted", ErrTooManyStreams, most)
	}
	s.recordings[call.ID] = r
	return r, nil
}

// SaveRecord keeps the record of a call that never had a recording.
func (s *Sink) SaveRecord(call Call, o Outcome) (Record, error) {
	if err := checkID(call.ID); err != nil {
		return Record{}, fmt.Errorf("check call: %w", err)
	}
	if call.Started.IsZero() {
		call.Started = time.Now()
	}
	record := newRecord(call)
	record.RMSDBFS, record.PeakDBFS = floorDBFS, floorDBFS
	record.setOutcome(o)
	s.countAlarms(o.Alarms)
	return record, s.store.saveRecord(&record, "")
}

func (s *Sink) lookup(id string) *Recording {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recordings[id]
}

func (s *Sink) forget(r *Recording) {
	s.mu.Lock()
	if s.recordings[r.call.ID] == r {
		delete(s.recordings, r.call.ID)
	}
	s.mu.Unlock()
	s.flushCall(r.call.ID)
}

// close refuses what is new and returns the recordings that are left.
func (s *Sink) close() []*Recording {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	left := make([]*Recording, 0, len(s.recordings))
	for _, r := range s.recordings {
		left = append(left, r)
	}
	return left
}

func (s *Sink) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// checkFree says whether a new recording may begin. A disk that can't be asked is
// asked again by the recording itself, whose error will say more.
func (s *Sink) checkFree() error {
	cfg := s.cfg.Load()
	free, err := s.store.disk.Free(s.store.dir)
	if err != nil || free >= cfg.MinFree {
		return nil
	}
	return fmt.Errorf("%w: %d bytes are free, min_free is %d", ErrDiskLow, free, cfg.MinFree)
}

func (s *Sink) freeBytes() float64 {
	free, err := s.store.disk.Free(s.store.dir)
	if err != nil {
		return math.NaN()
	}
	return float64(free)
}

func (s *Sink) countAlarms(kinds []string) {
	for _, kind := range kinds {
		s.metrics.alarms.WithLabelValues(kind).Inc()
	}
}

func (c Call) check() error {
	return errors.Join(
		checkID(c.ID),
		c.Format.Validate(),
		check(c.Format.Channels <= 2, "channels", c.Format.Channels, "must be 1 or 2"),
	)
}

// checkID says whether a call's ID is a UUID as FreeSWITCH writes it, which is also
// what makes it safe in a path.
func checkID(id string) error {
	ok := len(id) == 36
	for i := 0; ok && i < len(id); i++ {
		switch i {
		case 8, 13, 18, 23:
			ok = id[i] == '-'
		default:
			ok = strings.IndexByte("0123456789abcdef", id[i]) >= 0
		}
	}
	return check(ok, "call", id, "must be a UUID in lower case")
}
