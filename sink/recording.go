package sink

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// Recording is the recording of one call. Its methods are safe for concurrent use.
type Recording struct {
	sink    *Sink
	call    Call
	cfg     *Config // as it was when the call began
	ticket  string
	log     *zap.Logger
	changed chan struct{}

	stopping atomic.Bool
	watch    atomic.Pointer[watch]
	received atomic.Int64  // frames
	level    atomic.Uint64 // math.Float64bits of the latest level

	mu     sync.Mutex // protects the following
	live   *stream
	closed bool // no further socket
	state  State
	marks  []mark
	part   string  // the take's name, empty if there is none
	finish *finish // what Finish does, or has done

	take *take // of the live stream, else of Finish; nil until there is a file
}

type mark struct {
	label string
	at    time.Time
}

// watch is one wish of WatchSilence.
type watch struct{ quiet time.Duration }

// State is what is known of a recording now.
type State struct {
	// Connections counts the sockets that were accepted.
	Connections int
	// Live says that one is open.
	Live bool
	// ConnectedAt is when the first was accepted, FirstAudioAt when the first audio
	// came; zero is not yet.
	ConnectedAt, FirstAudioAt time.Time
	// Audio is how much audio has come.
	Audio time.Duration
	// LevelDBFS is the level of the latest audio; -100 is none.
	LevelDBFS float64
	// Quiet says that what WatchSilence asked for has come.
	Quiet bool
	// Alarms are those raised so far, in order, each once.
	Alarms []string
	// LastEnd is why the latest socket ended, one of the End constants.
	LastEnd string
	// Err says that no further socket is taken: a disk error, or ErrMaxDuration.
	// What was recorded is kept.
	Err error
}

func newRecording(s *Sink, call Call, ticket string) *Recording {
	r := &Recording{
		sink: s, call: call, cfg: s.cfg.Load(), ticket: ticket,
		log:     s.log.With(zap.String("call", call.ID)),
		changed: make(chan struct{}, 1),
	}
	r.level.Store(math.Float64bits(floorDBFS))
	return r
}

// URL is what the switch is to stream to. It is good until Finish, for one socket at
// a time, and is a secret.
func (r *Recording) URL() string {
	return fmt.Sprintf("%s/stream/%s/%s", trimSlash(r.cfg.Advertise), r.call.ID, r.ticket)
}

// Changed delivers a value after State has changed in more than Audio and LevelDBFS.
// Several changes may make one value.
func (r *Recording) Changed() <-chan struct{} { return r.changed }

// State returns what is known now.
func (r *Recording) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	st := r.state
	st.Alarms = slices.Clone(st.Alarms)
	st.Audio = r.call.Format.Duration(r.received.Load())
	st.LevelDBFS = math.Float64frombits(r.level.Load())
	return st
}

// WatchSilence asks for State.Quiet: that the caller, from now on, has spoken and has
// then been quiet for d of audio. A later call takes the place of an earlier one.
func (r *Recording) WatchSilence(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watch.Store(&watch{d})
	r.state.Quiet = false
}

// Mark puts a cue point with a label at this moment of the recording.
func (r *Recording) Mark(label string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.marks) < maxMarks {
		r.marks = append(r.marks, mark{label, time.Now()})
	}
}

// Stopping says that the call is about to stop its stream: its socket's end is
// expected, and is answered at once.
func (r *Recording) Stopping() {
	r.stopping.Store(true)
	if st := r.liveStream(); st != nil {
		st.rush()
	}
}

// Disconnect closes a live socket, as before a restart, and waits until it is gone or
// ctx is done.
func (r *Recording) Disconnect(ctx context.Context) error {
	st := r.liveStream()
	if st == nil {
		return nil
	}
	st.ask(ending{EndDisconnected, "restart", statusGoingAway, true})
	select {
	case <-st.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("disconnect stream: %w", context.Cause(ctx))
	}
}

func (r *Recording) liveStream() *stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live
}

// reserve takes the place of the recording's one socket.
func (r *Recording) reserve(c *conn) (*stream, error) {
	first := r.State().Connections == 0
	if first && errors.Is(r.sink.checkFree(), ErrDiskLow) {
		return nil, refusedDisk
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.live != nil:
		return nil, refusedLive
	case r.state.Err != nil:
		return nil, refusedFailed
	case r.closed:
		return nil, refusedClosing
	}
	r.live = newStream(r, c)
	return r.live, nil
}

// release gives the place back when there was no upgrade.
func (r *Recording) release(s *stream) {
	r.mu.Lock()
	r.live = nil
	r.mu.Unlock()
	close(s.done)
}

// ask ends the recording's socket, if there is one, and lets no other come.
func (r *Recording) ask(e ending) {
	r.mu.Lock()
	r.closed = true
	live := r.live
	r.mu.Unlock()
	if live != nil {
		live.ask(e)
	}
}

// update changes the state and tells of it.
func (r *Recording) update(change func(*State)) {
	r.mu.Lock()
	change(&r.state)
	r.mu.Unlock()
	select {
	case r.changed <- struct{}{}:
	default:
	}
}
