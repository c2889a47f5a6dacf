package controller_test

import (
	"context"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap/zapcore"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/pcm"
)

// recording is the recording of one call.
type recording struct {
	r       *recorder
	info    controller.Info
	plan    controller.StreamPlan
	changed chan struct{}

	one   sync.Mutex   // held while a socket is open
	asked atomic.Int64 // how often State was

	mu       sync.Mutex
	state    controller.StreamState
	sockets  int // upgrades that were tried
	live     *websocket.Conn
	conn     *heldConn
	tillEnd  bool          // conn is held until the test's end
	over     chan struct{} // of the latest socket
	pcm      []byte
	marks    []string
	notes    []controller.Outcome
	stopped  int
	started  int         // again, after a stop
	ends     []time.Time // of the sockets
	finished int
	complete bool          // Finish has done its work
	saving   chan struct{} // Save waits for its end; nil is for nothing
	watching int           // frames since WatchSpeech; 0 is not yet
	watch    flow.SpeechWatch
	ears     []*ear
	tapped   []controller.TapOptions
	sent     []string // texts of Send
}

// attempt counts an upgrade and says how its socket behaves.
func (t *recording) attempt() behaviour {
	t.mu.Lock()
	t.sockets++
	n := t.sockets
	t.mu.Unlock()
	if t.r.behave == nil {
		return behaviour{}
	}
	return t.r.behave(t.info.UUID, n)
}

func (t *recording) update(f func(s *controller.StreamState)) {
	t.mu.Lock()
	f(&t.state)
	t.mu.Unlock()
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

func (t *recording) begin(ws *websocket.Conn, conn *heldConn, tillEnd bool) {
	t.update(func(s *controller.StreamState) {
		t.live, t.conn, t.tillEnd, t.over = ws, conn, tillEnd, make(chan struct{})
		s.Connections++
		s.Live = true
	})
}

func (t *recording) isFinished() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.complete
}

func (t *recording) end(reason controller.StreamEnd) {
	t.update(func(s *controller.StreamState) {
		s.Live, s.WrongRate, s.LastEnd = false, false, reason
		t.live, t.ends = nil, append(t.ends, time.Now())
		close(t.over)
	})
}

func (t *recording) add(data []byte, b behaviour, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pcm = append(t.pcm, data...)
	for _, e := range t.ears {
		e.add(t.state.Audio, data)
	}
	t.state.Audio += 20 * time.Millisecond
	if t.watching > 0 {
		t.watching++
	}
	report := true
	switch {
	case t.state.FirstAudioAt.IsZero():
		t.state.FirstAudioAt = time.Now()
	case n == b.fullAfter:
		t.state.Full = true
	case n == b.failAfter:
		t.state.Err = errDisk
	case n == b.wrongAfter:
		t.state.WrongRate = true
	case b.quietAfter > 0 && t.watching > b.quietAfter && t.watch.Silence > 0:
		t.state.Speech, t.watch = flow.SpeechSilence, flow.SpeechWatch{} // which says so once
	case b.noInputAfter > 0 && t.watching > b.noInputAfter && t.watch.NoInput > 0:
		t.state.Speech, t.watch = flow.SpeechNoInput, flow.SpeechWatch{}
	default:
		report = false
	}
	if report {
		select {
		case t.changed <- struct{}{}:
		default:
		}
	}
}

// URL implements controller.Recording, as the methods below do.
func (t *recording) URL() string { return t.r.url + url.PathEscape(t.info.UUID) }

func (t *recording) Changed() <-chan struct{} { return t.changed }

func (t *recording) State() controller.StreamState {
	t.asked.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}

func (t *recording) WatchSpeech(w flow.SpeechWatch) {
	t.mu.Lock()
	t.watching, t.watch = 1, w
	t.state.Speech = flow.SpeechNothing
	t.mu.Unlock()
}

// Tap implements controller.Recording.
func (t *recording) Tap(o controller.TapOptions) pcm.Ear {
	e := newEar()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ears, t.tapped = append(t.ears, e), append(t.tapped, o)
	if t.complete {
		e.end()
	}
	return e
}

// Send implements controller.Recording: it waits, as tests don't fill the socket.
func (t *recording) Send(text []byte) error {
	t.mu.Lock()
	ws := t.live
	if ws != nil {
		t.sent = append(t.sent, string(text))
	}
	t.mu.Unlock()
	if ws == nil {
		return controller.ErrNoStream
	}
	return ws.Write(context.Background(), websocket.MessageText, text)
}

// Position implements controller.Recording.
func (t *recording) Position(at time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state.FirstAudioAt.IsZero() {
		return 0
	}
	return max(at.Sub(t.state.FirstAudioAt), 0)
}

// Note implements controller.Recording.
func (t *recording) Note(sofar controller.Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if sofar.Agent != nil {
		copied := *sofar.Agent
		sofar.Agent = &copied
	}
	if sofar.Transcript != nil {
		copied := *sofar.Transcript
		sofar.Transcript = &copied
	}
	t.notes = append(t.notes, sofar)
}

// noted are the notes so far.
func (t *recording) noted() []controller.Outcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.notes)
}

func (t *recording) Mark(label string) {
	t.mu.Lock()
	t.marks = append(t.marks, label)
	n := t.sockets
	t.mu.Unlock()
	if t.r.behave != nil && t.r.behave(t.info.UUID, n).panics {
		panic("told to")
	}
}

func (t *recording) Stopping() {
	t.mu.Lock()
	t.stopped++
	t.mu.Unlock()
}

func (t *recording) Starting() {
	t.mu.Lock()
	t.started++
	t.mu.Unlock()
}

func (t *recording) Disconnect(ctx context.Context) error { return t.hangUp(ctx) }

func (t *recording) Finish(ctx context.Context) error {
	t.mu.Lock()
	t.finished++
	over := t.over
	t.mu.Unlock()
	if over != nil {
		select {
		case <-over:
		case <-ctx.Done():
		}
	}
	if err := t.hangUp(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	if !t.tillEnd {
		t.release()
	}
	t.mu.Lock()
	t.complete = true
	for _, e := range t.ears {
		e.end()
	}
	t.mu.Unlock()
	return t.r.badly
}

// release closes a TCP connection that was held open.
func (t *recording) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn != nil {
		t.conn.keep(false)
		t.conn.Close()
	}
}

// hangUp closes a live socket and waits until it is over.
func (t *recording) hangUp(ctx context.Context) error {
	t.mu.Lock()
	ws, over := t.live, t.over
	t.mu.Unlock()
	if ws == nil {
		return nil
	}
	ws.Close(websocket.StatusGoingAway, "")
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t *recording) Save(outcome controller.Outcome) (controller.Record, error) {
	if t.saving != nil {
		<-t.saving
	}
	return t.r.Save(t.info, outcome)
}

// heard is what was recorded.
func (t *recording) heard() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.pcm)
}

// record is the record of a call as it is logged.
type record struct {
	info    controller.Info
	outcome controller.Outcome
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (r record) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("call", r.info.UUID)
	enc.AddString("result", string(r.outcome.Result))
	enc.AddString("hangup_cause", r.outcome.HangupCause)
	if r.outcome.Hint != "" {
		enc.AddString("hint", r.outcome.Hint)
	}
	return nil
}

// fill makes the recording one that has reached its greatest length.
func (t *recording) fill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state.Full = true
}
