package sink

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"
	"tapdeck/wav"
)

const (
	testID = sinktest.ID
	frame  = 20 * time.Millisecond

	wavExt, jsonExt, partExt, newExt = ".wav", ".json", ".part", ".new"
	dayForm                          = "2006-01-02"
)

var (
	newID      = sinktest.NewID
	speech     = sinktest.Speech
	readWAV    = sinktest.ReadWAV
	readRecord = sinktest.ReadRecord
	leftover   = sinktest.Crashed
)

var mono8 = wav.Format{SampleRate: 8000, Channels: 1}

// testbed is a sink that is being served.
type testbed struct {
	t    testing.TB
	sink *Sink
	logs *observer.ObservedLogs
	reg  *prometheus.Registry
	dial func() (net.Conn, error)
	stop func() // ends Serve and waits for it; idempotent
}

func testConfig(t testing.TB) Config {
	cfg := DefaultConfig()
	cfg.Directory = t.TempDir()
	cfg.MinFree = 0
	return cfg
}

// serve serves a sink over an in-memory listener.
func serve(t testing.TB, cfg Config) *testbed {
	ln := newPipeListener()
	return serveOn(t, cfg, ln, ln.dial, store.OSDisk{})
}

// serveTCP serves a sink over a free port of the loopback.
func serveTCP(t testing.TB, cfg Config) *testbed {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, cfg, ln, func() (net.Conn, error) { return net.Dial("tcp", ln.Addr().String()) }, store.OSDisk{})
}

func serveOn(t testing.TB, cfg Config, ln net.Listener, dial func() (net.Conn, error), d store.Disk) *testbed {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	reg := prometheus.NewPedanticRegistry()
	cfg.Disk = d
	s := New(cfg, zap.New(core), reg)
	if _, ok := t.(*testing.T); ok { // benchmarks connect thousands
		s.maxPending = 1000
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, ln) }()
	stopped := false
	b := &testbed{t: t, sink: s, logs: logs, reg: reg, dial: dial}
	b.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
	t.Cleanup(b.stop)
	return b
}

func testCall(id string) store.Record {
	return store.Record{
		Schema: store.Schema,
		Call:   id, Caller: "1001", Destination: "9999", Plan: "default",
		Started: time.Now(), SampleRate: 8000, Channels: 1, Mix: "mono",
	}
}

// callName is what the files of a call are called, without an extension.
func callName(id string, started time.Time) string {
	return started.UTC().Format(dayForm) + "/" + id
}

func (b *testbed) expect(call store.Record) *Recording {
	b.t.Helper()
	r, err := b.sink.Expect(call)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// socket is the switch's end of a stream, speaking the bytes of mod_audio_stream.
type socket struct {
	t  testing.TB
	c  net.Conn
	br *bufio.Reader
}

// connect opens a stream and fails the test unless it is accepted.
func (b *testbed) connect(r *Recording) *socket {
	b.t.Helper()
	s, resp := b.request(strings.TrimPrefix(r.URL(), r.cfg.Advertise))
	if resp.StatusCode != http.StatusSwitchingProtocols {
		b.t.Fatalf("upgrade: %s", resp.Status)
	}
	return s
}

// request sends an upgrade for a path as mod_audio_stream does (F56).
func (b *testbed) request(path string) (*socket, *http.Response) {
	b.t.Helper()
	return b.rawRequest("GET " + path + " HTTP/1.1\r\n" +
		"Host:127.0.0.1:8090\r\n" +
		"Upgrade:websocket\r\n" +
		"Connection:upgrade\r\n" +
		"Sec-WebSocket-Key:BwSBTgq6hVWOKoisMj5u/w==\r\n" +
		"Sec-WebSocket-Version:13\r\n" +
		"Origin:http://127.0.0.1:8090\r\n" +
		"\r\n")
}

func (b *testbed) rawRequest(request string) (*socket, *http.Response) {
	b.t.Helper()
	c, err := b.dial()
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	s := &socket{t: b.t, c: c, br: bufio.NewReader(c)}
	s.send([]byte(request))
	resp, err := http.ReadResponse(s.br, nil)
	if err != nil {
		b.t.Fatalf("read response: %v", err)
	}
	return s, resp
}

func (s *socket) send(b []byte) {
	if _, err := s.c.Write(b); err != nil {
		s.t.Errorf("send: %v", err)
	}
}

const (
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xa
	fin        = 0x80
)

// encodeFrame is one masked frame of a client.
func encodeFrame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := [4]byte{1, 2, 3, 4}
	b = append(b, mask[:]...)
	for i, v := range payload {
		b = append(b, v^mask[i%4])
	}
	return b
}

func (s *socket) audio(pcm []byte) { s.send(encodeFrame(fin|opBinary, pcm)) }
func (s *socket) text(text string) { s.send(encodeFrame(fin|opText, []byte(text))) }
func (s *socket) ping()            { s.send(encodeFrame(fin|opPing, []byte("ping"))) }
func (s *socket) sendClose()       { s.send(encodeFrame(fin|opClose, []byte("\x03\xe8Normal closure"))) }
func (s *socket) drop()            { s.c.Close() }

// readFrame reads one frame of the server, which does not mask.
func (s *socket) readFrame() (first byte, payload []byte, err error) {
	head := make([]byte, 10)
	if _, err := io.ReadFull(s.br, head[:2]); err != nil {
		return 0, nil, err
	}
	size, more := int(head[1]), 0
	switch size {
	case 126:
		more = 2
	case 127:
		more = 8
	}
	if _, err := io.ReadFull(s.br, head[10-more:]); err != nil {
		return 0, nil, err
	}
	if more > 0 {
		clear(head[2 : 10-more])
		size = int(binary.BigEndian.Uint64(head[2:]))
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(s.br, payload)
	return head[0], payload, err
}

// awaitEnd reads until the end of the TCP connection and returns the status of the
// Close frame that came, 0 if none did.
func (s *socket) awaitEnd() (status int) {
	s.t.Helper()
	for {
		first, payload, err := s.readFrame()
		if err != nil {
			return status
		}
		if first == fin|opClose {
			status = int(binary.BigEndian.Uint16(payload))
		}
	}
}

// hangUp ends a stream as `stop` does: a Close, then waiting for the server's answer
// and for its end of the TCP connection.
func (s *socket) hangUp() {
	s.t.Helper()
	s.sendClose()
	if status := s.awaitEnd(); status != 1000 {
		s.t.Errorf("close status %d, want 1000", status)
	}
	s.c.Close()
}

// play sends PCM in frames of 20 ms, one every 20 ms.
func (s *socket) play(pcm []byte) {
	size := mono8.FrameBytes() * int(mono8.Frames(frame))
	for len(pcm) > 0 {
		n := min(size, len(pcm))
		elapse(frame)
		s.audio(pcm[:n])
		pcm = pcm[n:]
	}
}

// finish ends a recording and returns its record, as it is in the file.
func (b *testbed) finish(r *Recording) store.Record {
	b.t.Helper()
	if err := r.Finish(context.Background()); err != nil {
		b.t.Fatalf("Finish: %v", err)
	}
	record, err := r.Save(endedCall(r, "completed"))
	if err != nil {
		b.t.Fatalf("Save: %v", err)
	}
	return record
}

// endedCall is the call's side of a recording's record.
func endedCall(r *Recording, result string) store.Record {
	call := r.call
	call.Result, call.Ended = result, time.Now()
	return call
}

func recoverDir(t *testing.T, dir string) store.Recovery {
	t.Helper()
	rec, err := store.New(dir, store.OSDisk{}).Recover(context.Background(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func (b *testbed) path(name string) string { return b.sink.store.Path(name) }

// saved reads a record's file.
func (b *testbed) saved(r store.Record) store.Record {
	b.t.Helper()
	return readRecord(b.t, strings.TrimSuffix(b.path(r.WAV), wavExt)+jsonExt)
}

// await waits until a recording's state is as asked.
func await(t testing.TB, r *Recording, what string, ok func(State) bool) State {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		st := r.State()
		if ok(st) {
			return st
		}
		select {
		case <-r.Changed():
		case <-time.After(50 * time.Millisecond): // Audio changes without a word
		case <-late:
			t.Fatalf("not %s: %+v", what, r.State())
		}
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func asError[T error](err error, target *T) bool { return errors.As(err, target) }

// awaitGone waits until a recording's n-th socket has ended.
func awaitGone(t testing.TB, r *Recording, n int) State {
	t.Helper()
	return await(t, r, "gone", func(st State) bool { return st.Connections == n && !st.Live })
}
