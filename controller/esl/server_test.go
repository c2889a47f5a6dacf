package esl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tapdeck/controller/esl/internal/frametest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// waitFor polls for what has no event of its own.
func waitFor(t testing.TB, ok func() bool) {
	t.Helper()
	limit, tick := time.After(patience), time.NewTicker(2*time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("did not come about")
		}
	}
}

func TestClosedListenerWaitsForHandlers(t *testing.T) {
	leave := make(chan struct{})
	srv := serve(t, testConfig(), func(ctx context.Context, c *Conn) {
		<-leave
		if _, err := c.Command(ctx, "linger 5"); err != nil {
			t.Errorf("command while draining: %v", err)
		}
	})
	p := dialPeer(t, srv.addr)
	p.expect("connect")
	p.say(connectReply)
	waitFor(t, func() bool { return srv.connections.Load() == 1 && srv.pending.Load() == 0 })
	srv.ln.Close()
	select {
	case err := <-srv.done:
		t.Fatalf("Serve has returned %v before its handler", err)
	case <-time.After(20 * time.Millisecond):
	}
	close(leave)
	p.expect("linger")
	p.say(frametest.OKReply)
	p.eof()
	if err := <-srv.done; err != nil {
		t.Error(err)
	}
	srv.done <- nil
}

// What is in the backlog of a listener when it gets a deadline is still served, and nothing is
// accepted afterwards.
func TestDeadlineTakesUpTheBacklog(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := dialPeer(t, ln.Addr().String())
	if err := ln.(*net.TCPListener).SetDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	s := NewServer(testConfig(), zap.NewNop(), nil)
	go func() { done <- s.Serve(t.Context(), ln, func(context.Context, *Conn) {}) }()
	p.expect("connect")
	p.say(connectReply)
	p.eof()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		c.Close()
		t.Error("the listener is still open")
	}
}

func TestServerContextEndsConnections(t *testing.T) {
	s := NewServer(testConfig(), zap.NewNop(), nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("going down")
	ctx, cancel := context.WithCancelCause(t.Context())
	ends := make(chan error, 1)
	done := make(chan error, 1)
	go func() {
		done <- s.Serve(ctx, ln, func(ctx context.Context, c *Conn) {
			cancel(cause)
			<-ctx.Done()
			ends <- ended(t, c)
		})
	}()
	p := dialPeer(t, ln.Addr().String())
	p.expect("connect")
	p.say(connectReply)
	p.eof()
	if err := <-ends; !errors.Is(err, cause) {
		t.Errorf("end: %v", err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// troubledListener fails now and then, as one does without file descriptors.
type troubledListener struct {
	net.Listener
	failures atomic.Int32
}

func (l *troubledListener) Accept() (net.Conn, error) {
	if l.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

func TestAcceptErrorsAreWaitedOut(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	s := NewServer(testConfig(), zap.New(core), prometheus.NewRegistry())
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := &troubledListener{Listener: inner}
	ln.failures.Store(4)
	done := make(chan error, 1)
	go func() { done <- s.Serve(t.Context(), ln, func(context.Context, *Conn) {}) }()
	p := dialPeer(t, ln.Addr().String())
	p.expect("connect")
	p.say(connectReply)
	p.eof()
	ln.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if lines := logs.FilterMessage("event socket cannot accept").All(); len(lines) == 0 || !strings.Contains(fmt.Sprint(lines[0].ContextMap()["hint"]), "LimitNOFILE") {
		t.Errorf("lines = %v, want the limit to raise", lines)
	}
}

func TestMetricNames(t *testing.T) {
	reg := prometheus.NewRegistry()
	NewServer(DefaultConfig(), zap.NewNop(), reg)
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

// openFiles counts the file descriptors of this process.
func openFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("counts descriptors in /proc: run it on Linux")
	}
	return len(entries)
}

func TestDescriptorsOfAConnection(t *testing.T) {
	const calls = 100
	srv := serve(t, testConfig(), func(_ context.Context, c *Conn) { ended(t, c) })
	var peers []*peer
	one := dialPeer(t, srv.addr)
	one.expect("connect")
	one.say(connectReply)
	waitFor(t, func() bool { return srv.pending.Load() == 0 })
	before := openFiles(t)
	for range calls {
		p := dialPeer(t, srv.addr)
		p.expect("connect")
		p.say(connectReply)
		peers = append(peers, p)
	}
	waitFor(t, func() bool { return srv.pending.Load() == 0 })
	if got := openFiles(t) - before - calls; got > 3*calls { // the peers' own ends are here too
		t.Errorf("%d descriptors for %d connections", got, calls)
	}
	for _, p := range append(peers, one) {
		p.Close()
	}
	waitFor(t, func() bool { return srv.connections.Load() == 0 })
	srv.spares.Close()
	if got := openFiles(t); got > before-3 {
		t.Errorf("%d descriptors, %d before", got, before)
	}
}

// 1,500 hostile connections leave no goroutine behind.
func TestHostileConnectionsLeaveNothing(t *testing.T) {
	const connections = 1500
	frames := hostileFrames()
	srv := serve(t, testConfig(), func(ctx context.Context, c *Conn) {
		for range 3 {
			if _, err := c.Command(ctx, "linger 5"); err != nil {
				return
			}
		}
	})
	dialPeer(t, srv.addr).expect("connect")
	waitFor(t, func() bool { return srv.connections.Load() == 1 })
	before := runtime.NumGoroutine()
	var peers sync.WaitGroup
	slots := make(chan struct{}, 32)
	for i := range connections {
		slots <- struct{}{}
		peers.Go(func() {
			defer func() { <-slots }()
			playHostile(t, srv.addr, i, frames[i%len(frames)].text)
		})
	}
	peers.Wait()
	waitFor(t, func() bool { return srv.connections.Load() <= 1 })
	srv.spares.Close()
	waitFor(t, func() bool { return runtime.NumGoroutine() <= before })
	if left := srv.logs.FilterMessage("event socket library ended by itself").Len(); left > 0 {
		t.Errorf("the library died %d times", left)
	}
}

// playHostile is one of many peers: it misbehaves in one of several moments.
func playHostile(t *testing.T, addr string, i int, frame string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	for _, text := range [][]string{
		{frame, connectReply, frame, frametest.OKReply, frametest.OKReply},
		{connectReply, frametest.OKReply, frametest.OKReply, frametest.OKReply, frame},
		{connectReply, "Content-Type: command/reply\nReply-Text: -ERR no\n\n", frame},
		{connectReply, frametest.JSON(`{"a":"b"}`), frametest.JSON(`{"a":"b"}`), frametest.OKReply, "Content-Type: text/disconnect-notice\n\n", frametest.OKReply},
		{connectReply[:i%len(connectReply)]},
		{frame[:i%len(frame)]},
	}[i%6] {
		if _, err := conn.Write([]byte(text)); err != nil {
			return
		}
	}
}

// Connections that wait to be accepted when the accepting ends are still taken up: to close the
// listener would strand their calls (F8).
func TestDeadlineWithABacklog(t *testing.T) {
	const calls = 50
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var peers []*peer
	for range calls {
		peers = append(peers, dialPeer(t, ln.Addr().String()))
	}
	if err := ln.(*net.TCPListener).SetDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		served <- NewServer(testConfig(), zap.NewNop(), prometheus.NewRegistry()).Serve(t.Context(), ln, func(_ context.Context, c *Conn) { ended(t, c) })
	}()
	for _, p := range peers {
		p.expect("connect")
		p.Close()
	}
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("the server accepts on")
	}
	if _, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		t.Error("the port is still open")
	}
}
