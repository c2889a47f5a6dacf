package controller_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"tapdeck/controller"
)

// recorder keeps what calls say in memory. Its WebSocket server closes TCP
// right after the Close handshake, unless it is told to misbehave.
type recorder struct {
	url    string
	behave func(uuid string, socket int) behaviour // for the nth socket of a call, from 1; nil is well
	refuse func(info controller.Info) error        // Expect's error; nil is none
	badly  error                                   // what Finish and Save return
	saving func(outcome controller.Outcome)        // called by Save; nil is nothing

	mu         sync.Mutex
	recordings map[string]*recording
	saved      map[string][]controller.Outcome
}

// behaviour is what a socket does wrong; numbers count frames of audio.
type behaviour struct {
	refuse       bool                 // 403 before the upgrade
	stall        bool                 // the upgrade is never answered
	closeAfter   int                  // Close 1011
	cutAfter     int                  // the end of TCP without a Close
	keepTCP      bool                 // TCP stays open after the Close handshake, until Finish
	tillEnd      bool                 // until the test's end
	fullAfter    int                  // the recording has reached its greatest length
	failAfter    int                  // the disk fails
	wrongAfter   int                  // another rate than the plan's
	quietAfter   int                  // silence, counted from WatchSpeech that asks for it
	noInputAfter int                  // no input, counted from WatchSpeech that asks for it
	panics       bool                 // Mark panics
	end          controller.StreamEnd // LastEnd; empty is what it was
}

var errDisk = errors.New("write recording: no space left on device")

type connKey struct{}

// heldConn stays open when it is told to close, until release.
type heldConn struct {
	net.Conn
	mu   sync.Mutex
	hold bool
}

func (c *heldConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hold {
		return nil
	}
	return c.Conn.Close()
}

func (c *heldConn) keep(hold bool) {
	c.mu.Lock()
	c.hold = hold
	c.mu.Unlock()
}

type heldListener struct{ net.Listener }

func (l heldListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &heldConn{Conn: conn}, nil
}

// startRecorder serves until the test ends.
func startRecorder(tb testing.TB) *recorder {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	r := &recorder{
		url:        "ws://" + ln.Addr().String() + "/stream/",
		recordings: map[string]*recording{}, saved: map[string][]controller.Outcome{},
	}
	server := &http.Server{
		Handler:     r,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(heldListener{ln})
	}()
	tb.Cleanup(func() {
		server.Close()
		<-served
		for _, t := range r.recordings {
			t.release()
		}
	})
	return r
}

// Expect implements controller.Recorder.
func (r *recorder) Expect(info controller.Info, stream controller.StreamPlan) (controller.Recording, error) {
	if r.refuse != nil {
		if err := r.refuse(info); err != nil {
			return nil, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if before := r.recordings[info.UUID]; before != nil && !before.isFinished() {
		return nil, errors.New("call is expected already")
	}
	t := &recording{r: r, info: info, plan: stream, changed: make(chan struct{}, 1)}
	r.recordings[info.UUID] = t
	return t, nil
}

// Save implements controller.Recorder.
func (r *recorder) Save(info controller.Info, outcome controller.Outcome) (controller.Record, error) {
	if r.saving != nil {
		r.saving(outcome)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.saved[info.UUID] = append(r.saved[info.UUID], outcome)
	if r.badly != nil {
		return nil, r.badly
	}
	return record{info, outcome}, nil
}

func (r *recorder) outcomes(uuid string) []controller.Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.saved[uuid]
}

func (r *recorder) recording(uuid string) *recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.recordings[uuid]
}

// ServeHTTP takes one stream.
func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	t := r.recording(strings.TrimPrefix(req.URL.Path, "/stream/"))
	if t == nil {
		http.Error(w, "no such call", http.StatusForbidden)
		return
	}
	b := t.attempt()
	switch {
	case b.refuse:
		http.Error(w, "told to", http.StatusForbidden)
		return
	case b.stall:
		<-req.Context().Done()
		return
	}
	if !t.one.TryLock() { // one socket at a time, as the sink has it
		http.Error(w, "another is open", http.StatusConflict)
		return
	}
	defer t.one.Unlock()
	ws, err := websocket.Accept(w, req, nil)
	if err != nil {
		return
	}
	defer ws.CloseNow()
	conn := req.Context().Value(connKey{}).(*heldConn)
	conn.keep(b.keepTCP)
	t.begin(ws, conn, b.tillEnd)
	end := t.readAudio(ws, b)
	if b.end != "" {
		end = b.end
	}
	t.end(end)
}

// readAudio reads audio until the socket ends, and says why it did.
func (t *recording) readAudio(ws *websocket.Conn, b behaviour) controller.StreamEnd {
	for n := 1; ; n++ {
		kind, data, err := ws.Read(context.Background())
		if err != nil {
			return controller.StreamEnd(err.Error())
		}
		if kind != websocket.MessageBinary {
			continue
		}
		t.add(data, b, n)
		switch n {
		case b.closeAfter, b.failAfter, b.fullAfter:
			ws.Close(websocket.StatusInternalError, "told to")
			return "closed with 1011"
		case b.cutAfter:
			return "cut"
		}
	}
}
