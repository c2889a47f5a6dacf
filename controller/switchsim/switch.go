package switchsim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"tapdeck/controller/switchsim/audio"
	"tapdeck/controller/switchsim/audiostream"
	"tapdeck/controller/switchsim/eventsocket"
	"tapdeck/controller/switchsim/inbound"
)

// FrameDuration is the media frame of every call.
const FrameDuration = audio.FrameDuration

// defaultTick spreads the streams over a frame.
const defaultTick = 5 * time.Millisecond

var errExists = errors.New("channel exists already")

// Config says how a Switch behaves. The zero value is a good one in real time.
type Config struct {
	// Log gets the simulated switch's own log; nil logs nothing.
	Log *zap.Logger
	// Speed is how many times faster than real time media runs; 0 means 1.
	Speed float64
	// Tick is how often the media clock sends what is due; 0 means 5 ms, which
	// spreads the streams over a frame. A longer tick hands several frames to
	// the socket at once, which makes a cheaper load generator of the same
	// audio: nearly all that a stream costs is its writes.
	Tick time.Duration
	// Prompts gives the length of a file, or false if there is none. When
	// nil every file exists and lasts 3.5 s, unless its name contains
	// "missing" or "does/not/exist".
	Prompts func(file string) (time.Duration, bool)
	// TempDir is the switch's folder for temporary files: those that streamAudio makes. It is made
	// for the first one and, if it was, removed when there are no calls any more. When empty, the
	// files are in memory only.
	TempDir string
	// ConnectWait is how long the switch waits for the controller's first
	// command; 0 means the 25 s of FreeSWITCH (F2).
	ConnectWait time.Duration
	// NoTLS simulates the module's default build: a wss:// URL is spoken to
	// in plain text (F52).
	NoTLS bool
	// MaxStreams is how many streams the module's licence permits at a time; 0 is no
	// limit (F54).
	MaxStreams int
	// Facts are what the switch answers about itself; see SetFacts.
	Facts Facts
	// Password of the inbound event socket; "" means "ClueCon".
	Password string
}

// complete fills in what is left out.
func (cfg *Config) complete() {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if cfg.Speed <= 0 {
		cfg.Speed = 1
	}
	if cfg.Tick <= 0 {
		frame := time.Duration(float64(FrameDuration) / cfg.Speed)
		cfg.Tick = max(min(defaultTick, frame), time.Millisecond)
	}
	if cfg.Prompts == nil {
		cfg.Prompts = defaultPrompts
	}
	if cfg.ConnectWait <= 0 {
		cfg.ConnectWait = 25 * time.Second
	}
	if cfg.Password == "" {
		cfg.Password = "ClueCon"
	}
}

// Switch is a simulated switch: its calls, its event bus, its media clock.
// All methods are safe for concurrent use.
type Switch struct {
	cfg      Config
	log      *zap.Logger
	core     string // Core-UUID
	clock    *audiostream.Clock
	bus      eventsocket.Bus
	status   inbound.Status
	schedule schedule
	temp     tempDir
	wg       sync.WaitGroup
	// patience is that of a stream's upgrade, which only tests change.
	patience time.Duration

	sequence atomic.Int64 // Event-Sequence
	sessions atomic.Int64 // session_id
	streams  atomic.Int64 // that run now

	mu    sync.RWMutex
	calls map[string]*Call // by channel UUID, until destroyed
}

// New returns a switch without calls. It starts nothing and needs no closing.
func New(cfg Config) *Switch {
	cfg.complete()
	s := &Switch{
		cfg: cfg, log: cfg.Log, core: uuid.NewString(), patience: audiostream.UpgradeTimeout,
		clock: audiostream.NewClock(cfg.Tick), calls: make(map[string]*Call),
	}
	s.temp.configured = cfg.TempDir
	s.status.TempDir = cmp.Or(cfg.TempDir, os.TempDir())
	s.status.Prompts = cfg.Prompts
	s.status.SetFacts(cfg.Facts)
	return s
}

// SetFacts replaces what the switch answers about itself, at any time.
func (s *Switch) SetFacts(f Facts) { s.status.SetFacts(f) }

// Dial places a call whose dialplan has reached `socket ADDRESS ARGUMENTS`.
// The call runs by itself from here on; Call.Wait gives its report. A
// controller that is not there is no error, as it is none for a dialplan: the
// call goes on with Then. When ctx is done the call is torn down at once, with
// both its sockets. The error is about spec only.
func (s *Switch) Dial(ctx context.Context, spec CallSpec) (*Call, error) {
	if err := spec.complete(); err != nil {
		return nil, fmt.Errorf("check call: %w", err)
	}
	c := newCall(s, spec)
	if err := s.addCall(c); err != nil {
		return nil, fmt.Errorf("add call: %w", err)
	}
	s.wg.Go(func() { c.run(ctx) })
	return c, nil
}

// ServeInbound is the inbound event socket: clients log in with the
// password of Config, ask, subscribe, and may place calls. It returns nil when
// ctx is done or ln is closed, and every connection, job and call of it ended.
func (s *Switch) ServeInbound(ctx context.Context, ln net.Listener) error {
	server := inbound.Server{
		Password: s.cfg.Password, Bus: &s.bus, API: s.inboundAPI,
		Job: func(id, line, body string) *eventsocket.Event { return s.jobEvent(id, "", line, body) },
	}
	return server.Serve(ctx, ln)
}

// Wait blocks until every call has ended and the media clock has stopped.
func (s *Switch) Wait() {
	s.wg.Wait()
	s.clock.Wait()
}

// Calls returns the number of channels that exist.
func (s *Switch) Calls() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.calls)
}

func (s *Switch) addCall(c *Call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.calls[c.uuid]; exists {
		return fmt.Errorf("uuid %s: %w", c.uuid, errExists)
	}
	s.calls[c.uuid] = c
	return nil
}

func (s *Switch) removeCall(c *Call) {
	s.mu.Lock()
	delete(s.calls, c.uuid)
	delete(s.calls, c.otherLeg)
	last := len(s.calls) == 0
	s.mu.Unlock()
	if last {
		s.temp.remove()
	}
}

func (s *Switch) call(id string) *Call {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.calls[id]
}

// real turns a media duration into the time that it takes here.
func (s *Switch) real(media time.Duration) time.Duration {
	return time.Duration(float64(media) / s.cfg.Speed)
}

func defaultPrompts(file string) (time.Duration, bool) {
	if strings.Contains(file, "missing") || strings.Contains(file, "does/not/exist") {
		return 0, false
	}
	return 3500 * time.Millisecond, true
}
