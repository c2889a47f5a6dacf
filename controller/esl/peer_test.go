package esl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"tapdeck/controller/esl/internal/frametest"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// patience bounds every wait of a test for something that must come.
const patience = 10 * time.Second

// connectReply is a short answer to connect.
const connectReply = "Event-Name: CHANNEL_DATA\nUnique-ID: 38a8a911-926f-47d7-b9ff-c452dc57cd3d\n" +
	"variable_sip_h_X-Foo: a%20b\nContent-Type: command/reply\nReply-Text: %2BOK%0A\nSocket-Mode: async\nControl: full\n\n"

// server is a Server on a free port, with what it did.
type server struct {
	*Server
	addr string
	ln   net.Listener
	logs *observer.ObservedLogs
	reg  *prometheus.Registry
	done chan error
}

// testConfig is the default one with short times.
func testConfig() Config {
	cfg := DefaultConfig()
	cfg.ConnectTimeout = 5 * time.Second
	return cfg
}

// serve starts a server that is stopped at the end of the test.
func serve(t testing.TB, cfg Config, handle func(ctx context.Context, c *Conn)) *server {
	t.Helper()
	return serveThrough(t, cfg, func(ln net.Listener) net.Listener { return ln }, handle)
}

// serveThrough starts a server on what a listener is made.
func serveThrough(t testing.TB, cfg Config, through func(net.Listener) net.Listener, handle func(ctx context.Context, c *Conn)) *server {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	reg := prometheus.NewRegistry()
	s := NewServer(cfg, zap.New(core), reg)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &server{Server: s, addr: ln.Addr().String(), ln: ln, logs: logs, reg: reg, done: make(chan error, 1)}
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { srv.done <- s.Serve(ctx, through(ln), handle) }()
	t.Cleanup(func() {
		cancel(errors.New("test is over"))
		select {
		case err := <-srv.done:
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(patience):
			t.Error("Serve does not return")
		}
	})
	return srv
}

// peer plays a switch byte by byte.
type peer struct {
	t testing.TB
	net.Conn
	in   *bufio.Reader
	owed int // replies
}

// dialPeer connects a peer to a server.
func dialPeer(t testing.TB, addr string) *peer {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return &peer{t: t, Conn: conn, in: bufio.NewReader(conn)}
}

// command reads one command to its empty line.
func (p *peer) command() (string, error) {
	var b strings.Builder
	for {
		line, err := p.in.ReadString('\n')
		if err != nil {
			return b.String(), fmt.Errorf("read command: %w", err)
		}
		if strings.TrimRight(line, "\r\n") == "" {
			p.owed++
			return strings.TrimRight(b.String(), "\r\n"), nil
		}
		b.WriteString(line)
	}
}

// expect reads commands, one for each prefix, and fails the test for others.
func (p *peer) expect(prefixes ...string) {
	p.t.Helper()
	for _, want := range prefixes {
		if got, err := p.command(); err != nil || !strings.HasPrefix(got, want) {
			p.t.Errorf("command %q (%v), want %q", got, err, want)
		}
	}
}

// say writes text as it is.
func (p *peer) say(text ...string) {
	p.t.Helper()
	for _, s := range text {
		p.owed -= strings.Count(s, "Content-Type: command/reply")
		if _, err := io.WriteString(p, s); err != nil {
			p.t.Errorf("write: %v", err)
		}
	}
}

// eof waits for the end of the connection, answers the last commands and what was not answered
// before them, and ends it as a switch does.
func (p *peer) eof() {
	p.t.Helper()
	defer p.Close()
	for {
		said, err := p.command()
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			p.t.Error("connection not closed")
			return
		case err != nil:
			return
		case strings.Contains(string(leaveClean), said):
			io.WriteString(p, strings.Repeat(frametest.OKReply, max(p.owed, 0)))
			p.owed = 0
		}
	}
}

// event waits for the next event of c.
func event(t testing.TB, c *Conn) *Event {
	t.Helper()
	select {
	case ev, ok := <-c.Events():
		if !ok {
			t.Errorf("events closed: %v", c.Err())
			return &Event{}
		}
		return ev
	case <-time.After(patience):
		t.Error("no event")
		return &Event{}
	}
}

// ended waits for the end of c.
func ended(t testing.TB, c *Conn) error {
	t.Helper()
	limit := time.After(patience)
	for {
		select {
		case _, ok := <-c.Events():
			if !ok {
				return c.Err()
			}
		case <-limit:
			t.Error("connection does not end")
			return nil
		}
	}
}
