package agent

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/controller/internal/dialertest"

	"github.com/coder/websocket"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

const testID = "0f0a1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b"

func testConfig(format Format) Config {
	return Config{
		URL: "ws://bot.test/media?key=hidden", Format: format, ConnectTimeout: 3 * time.Second, Reconnect: 2, Rate: 8000,
		Parameters: []Parameter{{"FirstName", `Jane "J" Doe`}, {"a", ""}},
		Call:       Call{ID: testID, Caller: "+4930123", Destination: "5000", Plan: "default"},
	}
}

// testMouth notes what the bot says. Marks wait until a test plays what is queued.
type testMouth struct {
	mu     sync.Mutex
	played []byte
	rates  []int
	marks  []func(bool)
	clears int
	panics bool

	instant bool          // a mark comes back at once
	held    chan struct{} // if not nil, nothing is played before it is closed
}

func (m *testMouth) set(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

func (m *testMouth) Play(audio []byte, rate int) {
	m.mu.Lock()
	held := m.held
	m.mu.Unlock()
	if held != nil {
		<-held
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.panics {
		panic("the mouth")
	}
	m.played = append(m.played, audio...)
	m.rates = append(m.rates, rate)
}

func (m *testMouth) Mark(done func(bool)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.instant {
		done(false)
		return
	}
	m.marks = append(m.marks, done)
}

func (m *testMouth) Clear() { m.flush(true); m.clears++ }

func (m *testMouth) flush(cleared bool) {
	m.mu.Lock()
	marks := m.marks
	m.marks = nil
	m.mu.Unlock()
	for _, done := range marks {
		done(cleared)
	}
}

// botConn is a bot's side of one connection.
type botConn struct {
	t      testing.TB
	ws     *websocket.Conn
	header http.Header
	n      int // of the connection
}

// say sends a text message.
func (b *botConn) say(message string) {
	if err := b.ws.Write(context.Background(), websocket.MessageText, []byte(message)); err != nil {
		b.t.Errorf("the bot can't send %.60q: %v", message, err)
	}
}

func (b *botConn) sayBinary(message []byte) {
	if err := b.ws.Write(context.Background(), websocket.MessageBinary, message); err != nil {
		b.t.Errorf("the bot can't send %d bytes: %v", len(message), err)
	}
}

// hear returns the next message; binary ones are returned as they are.
func (b *botConn) hear() (members map[string]any, binary []byte) {
	kind, message, err := b.ws.Read(context.Background())
	if err != nil {
		return nil, nil
	}
	if kind == websocket.MessageBinary {
		return nil, message
	}
	if err := json.Unmarshal(message, &members); err != nil {
		b.t.Errorf("the bot was told %q: %v", message, err)
	}
	return members, nil
}

// skip reads n messages.
func (b *botConn) skip(n int) {
	for range n {
		b.hear()
	}
}

// all reads until the connection is over, and returns the events.
func (b *botConn) all() (all []map[string]any) {
	for {
		members, binary := b.hear()
		if members == nil && binary == nil {
			return all
		}
		if members != nil {
			all = append(all, members)
		}
	}
}

// die ends the connection without a word.
func (b *botConn) die() { _ = b.ws.CloseNow() }

// bed is a session with its bot.
type bed struct {
	*Session
	t     *testing.T
	ear   *dialertest.Ear
	mouth *testMouth
	logs  *observer.ObservedLogs
}

// bubble runs a test in fake time, with a bot that behaves as serve does on each connection.
func bubble(t *testing.T, c Config, bot func(*botConn), test func(*bed)) {
	bubbleHTTP(t, c, func(w http.ResponseWriter, r *http.Request, n int) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Errorf("handshake: %v", err)
			return
		}
		ws.SetReadLimit(-1)
		defer ws.CloseNow()
		bot(&botConn{t: t, ws: ws, header: r.Header, n: n})
	}, test)
}

func bubbleHTTP(t *testing.T, c Config, bot func(w http.ResponseWriter, r *http.Request, n int), test func(*bed)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := dialertest.NewNetwork()
		var served sync.WaitGroup
		connections := 0
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			connections++
			served.Add(1)
			defer served.Done()
			bot(w, r, connections)
		})}
		go srv.Serve(n)
		core, logs := observer.New(zap.DebugLevel)
		b := &bed{t: t, ear: dialertest.NewEar(1), mouth: &testMouth{}, logs: logs}
		b.Session = start(t.Context(), c, b.ear, b.mouth, zap.New(core), nil, n.Dial)
		defer func() {
			b.Stop("test over")
			_ = srv.Close()
			served.Wait()
		}()
		test(b)
		b.Stop("test over")
		if n := b.ear.Closed(); n != 1 {
			t.Errorf("the ear was closed %d times", n)
		}
	})
}

// await returns the next event, which must be of a kind.
func (b *bed) await(kind Kind) Event {
	b.t.Helper()
	select {
	case e := <-b.Events():
		if e.Kind != kind {
			b.t.Fatalf("event %q (%q, %v), want %q", e.Kind, e.Text, e.Err, kind)
		}
		return e
	case <-time.After(time.Hour):
		b.t.Fatalf("no event %q in an hour", kind)
	}
	return Event{}
}

// lines returns how often a message was logged.
func (b *bed) lines(message string) int { return b.logs.FilterMessage(message).Len() }

// sine is so many frames of audio, each one different.
func frame(n byte) []byte {
	audio := make([]byte, 320)
	for i := range audio {
		audio[i] = n + byte(i/2)
	}
	return audio
}
