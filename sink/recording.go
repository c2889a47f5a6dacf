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

	"tapdeck/sink/store"
	"tapdeck/sink/track"
	"tapdeck/wav"
)

const maxMarks = 100

// Recording is the recording of one call. Its methods are safe for concurrent use.
type Recording struct {
	log     *zap.Logger
	store   *store.Store
	metrics *metrics
	forget  func(*Recording)
	room    *track.Room
	space   *space

	call    store.Record // as it was expected
	format  wav.Format
	cfg     *Config // as it was when the call began
	ticket  string
	changed chan struct{}

	stopping atomic.Bool
	watch    atomic.Pointer[SpeechWatch]
	received atomic.Int64  // frames
	level    atomic.Uint64 // math.Float64bits of the latest level
	turn     atomic.Int64  // the moment of space at which the present turn at the disk began; 0 if there is none

	taps atomic.Pointer[taps] // nil are none; mu protects changes

	mu      sync.Mutex // protects the following
	live    *handle
	gone    time.Time // when the latest socket was
	closed  bool      // no further socket
	over    bool      // no further audio
	state   State
	marks   []track.Mark
	origin  time.Time   // of the track, as far as is known
	part    *store.Part // nil until there is a file
	finish  *finish     // what Finish does, or has done
	ended   time.Time   // when the call did: the first Stopping or Finish
	stopped track.Stop  // a time without a stream, until the track knows of it

	// The sidecar.
	known     store.Record // the call's side so far
	unwritten bool         // there is more than the sidecar says
	writing   bool         // a part of that is being written
	noSidecar bool         // it can't be written

	// Of the live stream, else of Finish.
	track    *track.Track // nil until the first socket
	watching *SpeechWatch // what the track listens for
	fed      bool         // there is something for the taps' readers
	metadata []string     // text frames
	dropped  int          // text frames beyond the bounds
	// gapsWritten is how many gaps the sidecar has, or is about to.
	gapsWritten int
	// metadataBytes is the length of all text frames.
	metadataBytes int
}

// SpeechWatch is what WatchSpeech asks for. Times are of audio: none passes while a call is held
// or its stream is down.
type SpeechWatch struct {
	// Silence: the caller has spoken and has then been quiet for so long. 0 is not asked.
	Silence time.Duration
	// NoInput: the caller has said nothing at all for so long. 0 is not asked.
	NoInput time.Duration
	// Level is the dBFS above which 20 ms of audio are loud. 0 is auto: the level follows the
	// noise floor of the call, which is measured from the first audio on.
	Level float64
}

// Speech is what a SpeechWatch has found, one word of a closed list.
type Speech string

// What State.Speech says.
const (
	SpeechNothing Speech = "" // yet
	SpeechSilence Speech = "silence"
	SpeechNoInput Speech = "no_input"
)

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
	// Speech says which of what WatchSpeech asked for has come first.
	Speech Speech
	// Talk says whether the caller speaks now. It is kept while a Tap is open.
	Talk track.Talk
	// Alarms are those raised so far, in order, each once.
	Alarms []string
	// WrongRate asks the call to start the live stream anew, since it brings audio at
	// another rate than the recording's. The socket's End is EndWrongRate then. Nobody
	// has to: after a while the audio is written as it comes.
	WrongRate bool
	// LastEnd is why the latest socket ended.
	LastEnd End
	// Err says that no further socket is accepted: a disk error, or ErrMaxDuration.
	// What was recorded is kept.
	Err error
}

// URL is what the switch is to stream to. It is good until Finish, for one socket at
// a time, and is a secret.
func (r *Recording) URL() string {
	return fmt.Sprintf("%s/stream/%s/%s", r.cfg.Advertise, store.Name(r.call.Call), r.ticket)
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
	st.Audio = r.format.Duration(r.received.Load())
	st.LevelDBFS = math.Float64frombits(r.level.Load())
	return st
}

// WatchSpeech asks for State.Speech, from now on. A later wish replaces an earlier one and clears
// the state.
func (r *Recording) WatchSpeech(w SpeechWatch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watch.Store(&w)
	r.state.Speech = SpeechNothing
}

// Mark puts a cue point with a label at this moment of the recording, if the configuration
// wants them.
func (r *Recording) Mark(label string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cfg.CuePoints && len(r.marks) < maxMarks {
		r.marks, r.unwritten = append(r.marks, track.Mark{Label: label, At: time.Now()}), true
	}
}

// Stopping says that the call is about to stop its stream, or was hung up: its socket's end is
// expected, and is answered at once. Audio that does not come from now on is not missing.
func (r *Recording) Stopping() {
	r.stopping.Store(true)
	r.callEnded()
	if h := r.liveHandle(); h != nil {
		h.rush()
	}
}

// Starting says that the call is about to start its stream again, after Stopping. The time
// between is not missing: it is silence, a track.GapStopped, once audio comes again. From now on
// everything is as before Stopping.
func (r *Recording) Starting() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended.IsZero() || r.closed {
		return
	}
	if r.stopped.From.IsZero() { // else no socket came in between
		r.stopped.From = r.ended
	}
	r.stopped.To, r.ended = time.Now(), time.Time{}
	r.stopping.Store(false)
}

// noteStop tells the track for how long the call had stopped its stream, if it had.
func (r *Recording) noteStop() {
	r.mu.Lock()
	stop := r.stopped
	r.stopped = track.Stop{}
	r.mu.Unlock()
	if !stop.From.IsZero() {
		r.track.Stopped(stop)
	}
}

// callEnded notes the end of the call, once, and returns when that was.
func (r *Recording) callEnded() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended.IsZero() {
		r.ended = time.Now()
	}
	return r.ended
}

// Disconnect closes a live socket, as before a restart, and waits until it is gone or
// ctx is done.
func (r *Recording) Disconnect(ctx context.Context) error {
	h := r.liveHandle()
	if h == nil {
		return nil
	}
	h.ask(EndDisconnected)
	select {
	case <-h.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("disconnect stream: %w", context.Cause(ctx))
	}
}

func (r *Recording) liveHandle() *handle {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live
}

// reserve admits a socket as the recording's one. now is the configuration of this moment.
func (r *Recording) reserve(h *handle, now *Config) refusal {
	if r.State().Connections == 0 && r.space.low(now.MinFree) != nil {
		return "disk_low"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.live != nil:
		return "already_live"
	case errors.Is(r.state.Err, ErrMaxDuration):
		return "max_duration"
	case r.state.Err != nil:
		return "recording_failed"
	case r.closed:
		return "closing"
	}
	r.live = h
	return ""
}

// open returns the track, made for the first socket, for the next one.
func (r *Recording) open() *track.Track {
	if r.track == nil {
		disk := track.Disk{Open: r.create, Go: r.goGuarded, Began: r.noteTurn, Wrote: r.noteWrite, Room: r.room}
		r.track = track.New(disk, r.format, r.cfg.MaxDuration)
		r.track.Tell(added{r})
	}
	r.noteStop()
	return r.track
}

// create makes the recording's file, with what is known of the call beside it.
func (r *Recording) create() (track.File, *wav.Writer, error) {
	part, err := r.store.Create(r.call.Call, r.call.Started)
	if err != nil {
		return nil, nil, fmt.Errorf("create recording: %w", err)
	}
	w, err := wav.NewWriter(part, r.format, r.mostFrames())
	if err != nil {
		return nil, nil, fmt.Errorf("begin recording: %w", errors.Join(err, part.Discard()))
	}
	r.begin(part)
	return part, w, nil
}

// mostFrames is how long the recording may become, with what a socket still sends until it is
// closed; 0 is that nobody knows.
func (r *Recording) mostFrames() int64 {
	if r.cfg.MaxDuration <= 0 {
		return 0
	}
	return r.format.Frames(r.cfg.MaxDuration + time.Minute)
}

// goGuarded starts a goroutine whose panic hurts this recording alone.
func (r *Recording) goGuarded(write func()) {
	go func() { _ = guarded(r.log, func() error { write(); return nil }) }()
}

func (r *Recording) noteTurn() { r.turn.Store(r.space.now()) }

func (r *Recording) noteWrite(took time.Duration) {
	r.turn.Store(0)
	r.space.took.Store(r.space.now())
	r.metrics.writes.Observe(took.Seconds())
}

// begin makes a file the recording's, and keeps what is known of the call beside it.
func (r *Recording) begin(part *store.Part) {
	r.setPart(part)
	r.beginSidecar(part)
}

// fail notes, once, that the file can't be written.
func (r *Recording) fail(err error) {
	if r.State().Err != nil {
		return
	}
	r.update(func(st *State) { st.Err = fmt.Errorf("write recording: %w", err) })
	r.log.Error("disk error", zap.NamedError("err", err), zap.String("hint", hintDisk))
}

// currentPart is the recording's file, nil if there is none.
func (r *Recording) currentPart() *store.Part {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.part
}

// setPart makes a file the recording's; nil is none.
func (r *Recording) setPart(part *store.Part) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.part = part
}

// update changes what mu protects and signals that.
func (r *Recording) update(change func(*State)) {
	r.mu.Lock()
	change(&r.state)
	r.unwritten = true
	r.mu.Unlock()
	r.signal()
}

// signal says that State has changed.
func (r *Recording) signal() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}
