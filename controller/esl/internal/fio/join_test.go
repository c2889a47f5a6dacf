package fio

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of a test for something that must come.
const patience = 10 * time.Second

// Without descriptors a connection fails, soon, and the next one is served.
func TestJoinWithoutDescriptors(t *testing.T) {
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old)
	highest, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	few := old
	few.Cur = uint64(highest.Fd()) + 2 // room for the listener and the end that the library dials
	highest.Close()
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if _, _, err := join(t.Context()); err == nil {
		t.Error("joined without a descriptor")
	}
	if took := time.Since(begun); took > handshakeTimeout {
		t.Errorf("failed after %v", took)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	lib, inner, err := join(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	inner.Close()
	if _, err := lib.ReadEvent(); err == nil {
		t.Error("event of a closed connection")
	}
}

// A connection that does not know the secret is closed, and holds nobody up: neither
// the one that does, nor the end.
func TestStrangersOnTheLoopbackPort(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	arrived, done := make(chan net.Conn, 1), make(chan struct{})
	go func() {
		defer close(done)
		accept(ctx, ln, "secret", arrived)
	}()
	dial := func(say string) net.Conn {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(patience))
		io.WriteString(conn, say)
		return conn
	}
	silent := dial("")
	for _, say := range []string{"", "auth wrong\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", strings.Repeat("x", 1000), "auth \r\n\r\n"} {
		conn := dial(say)
		if say == "" {
			conn.(*net.TCPConn).CloseWrite()
		}
		if got, _ := io.ReadAll(conn); strings.Contains(string(got), "accepted") {
			t.Errorf("%q: %q", say, got)
		}
		conn.Close()
	}
	if len(arrived) > 0 {
		t.Error("a stranger was taken for the library")
	}
	library := dial("auth secret\r\n\r\n")
	defer library.Close()
	select {
	case inner := <-arrived:
		inner.Close()
	case <-time.After(patience):
		t.Error("the secret is not accepted")
	}
	cancel()
	<-done
	if _, err := io.ReadAll(silent); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a silent stranger is still there")
	}
	silent.Close()
}
