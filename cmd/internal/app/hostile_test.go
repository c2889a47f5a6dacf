package app

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/config"
	"tapdeck/cmd/internal/verify"
	"tapdeck/controller/switchsim"
)

// hostilePayloads is what strangers and broken switches send.
var hostilePayloads = []string{
	"",
	"\n",
	"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET /stream/../../etc/passwd/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
	"GET /stream/00000000-0000-4000-8000-000000000000/guess HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x55", 300),
	"Content-Type: log/data\nContent-Length: 5\n\nhello",
	"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n",
	"Content-Type: command/reply\n\n",
	"Content-Type: command/reply\nReply-Text: \n\n",
	"Content-Type: command/reply\nReply-Text: -E\n\n",
	"Content-Type: api/response\nContent-Length: 1\n\n-",
	"Content-Type: api/response\nContent-Length: -1\n\n",
	"Content-Type: text/event-json\nContent-Length: 6\n\n{\"\":1}",
	"Content-Type: text/event-json\nContent-Length: 999999999\n\n{",
	"Content-Type: command/reply\nReply-Text: +OK\nControl: full\nSocket-Mode: async\nUnique-ID: ../../../etc/passwd\n\n",
	"Content-Type: command/reply\nReply-Text: +OK\nControl: full\nSocket-Mode: async\nUnique-ID: 00000000-0000-4000-8000-000000000000\n\n",
	"variable_x(y): " + strings.Repeat("z", 8000),
	strings.Repeat("\x00\xff", 4000),
}

// TestHostileConnections runs live calls while strangers come to both ports.
// HOSTILE_CONNECTIONS sets their number, 1,000 by default.
func TestHostileConnections(t *testing.T) {
	strangers := 1000
	if n, err := strconv.Atoi(os.Getenv("HOSTILE_CONNECTIONS")); err == nil {
		strangers = n
	}
	before, memory := runtime.NumGoroutine(), inUse()
	dir := t.TempDir()
	loaded, err := config.Parse("test.yaml", []byte("plans: {default: {prompt: '', listen: 2s, answer_pause: 0s}}"), config.Options{Flags: map[string]string{"sink.directory": dir}})
	if err != nil {
		t.Fatal(err)
	}
	l := Listeners{ESL: apptest.ListenAnywhere(t), Sink: apptest.ListenAnywhere(t), Admin: apptest.ListenAnywhere(t)}
	loaded.Config.Sink.Advertise = "ws://" + l.Sink.Addr().String()
	d, err := New(loaded, zap.NewNop(), zap.NewAtomicLevel())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := start(zap.NewNop(), "test", func() error { return d.Run(ctx, l, nil) })
	attack := start(zap.NewNop(), "test", func() error {
		besiege(strangers, l.ESL.Addr().String(), l.Sink.Addr().String())
		return nil
	})
	reports := liveCalls(t, l.ESL.Addr().String(), attack)
	stop()
	if err := served.wait(); err != nil {
		t.Errorf("daemon: %v", err)
	}
	for _, r := range reports {
		record, _, err := verify.Recording(dir, r)
		if err != nil || record.Result != "completed" {
			t.Errorf("live call %s: %s %v", r.UUID, record.Result, err)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*", "*.wav")); len(files) != len(reports) {
		t.Errorf("%d recordings of %d live calls", len(files), len(reports))
	}
	apptest.Until(t, "every goroutine to end", func() bool { return runtime.NumGoroutine() <= before })
	if grown := inUse() - memory; grown > memoryGrace {
		t.Errorf("%d KiB of memory more than before", grown>>10)
	}
	t.Logf("%d live calls beside %d strangers", len(reports), strangers)
}

// memoryGrace is what the runtime, the libraries' pools and the last 1,000 ended
// calls may keep.
const memoryGrace = 8 << 20

// inUse is the memory of what is alive, in bytes.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// liveCalls places calls, a few at a time, until the attack is over.
func liveCalls(t *testing.T, address string, attack *task) (reports []switchsim.Report) {
	t.Helper()
	sw := switchsim.New(switchsim.Config{})
	for over := false; !over; {
		var calls []*switchsim.Call
		for i := range 10 {
			call, err := sw.Dial(t.Context(), switchsim.CallSpec{Address: address, Voice: switchsim.ToneVoice(8000, 300+10*i, 0.3)})
			if err != nil {
				t.Fatal(err)
			}
			calls = append(calls, call)
		}
		for _, call := range calls {
			reports = append(reports, call.Wait())
		}
		select {
		case <-attack.done:
			over = true
		default:
		}
	}
	sw.Wait()
	return reports
}

// besiege makes n hostile connections to each of the addresses, some at a time.
func besiege(n int, addresses ...string) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, 40)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			for _, address := range addresses {
				stranger(address, hostilePayloads[i%len(hostilePayloads)], i)
			}
		})
	}
	wg.Wait()
}

// stranger sends a payload and goes: by a reset, by closing, or after it has
// looked for an answer for a moment.
func stranger(address, payload string, i int) {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, payload)
	switch i % 3 {
	case 0:
		_ = conn.(*net.TCPConn).SetLinger(0)
	case 1:
		_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, _ = io.Copy(io.Discard, io.LimitReader(conn, 1<<16))
	}
}
