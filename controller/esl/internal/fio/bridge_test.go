package fio

import (
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

// testBridge opens a bridge for the duration of a test.
func testBridge(t testing.TB) *Bridge {
	t.Helper()
	b, err := NewBridge(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// Without descriptors a connection fails, soon, and the next one is served.
func TestJoinWithoutDescriptors(t *testing.T) {
	b := testBridge(t)
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
	few.Cur = uint64(highest.Fd()) + 1 // room for the end that the library dials
	highest.Close()
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if _, _, err := b.join(); err == nil {
		t.Error("joined without a descriptor")
	}
	if took := time.Since(begun); took > handshakeTimeout {
		t.Errorf("failed after %v", took)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	lib, inner, err := b.join()
	if err != nil {
		t.Fatal(err)
	}
	inner.Close()
	if _, err := lib.ReadEvent(); err == nil {
		t.Error("event of a closed connection")
	}
}

func TestStrangersOnTheLoopbackPort(t *testing.T) {
	b := testBridge(t)
	arrived := b.expect("secret")
	for _, say := range []string{"", "auth wrong\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", strings.Repeat("x", 1000), "auth \r\n\r\n"} {
		conn, err := net.Dial("tcp", b.ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(patience))
		io.WriteString(conn, say)
		if say == "" {
			conn.(*net.TCPConn).CloseWrite()
		}
		if got, _ := io.ReadAll(conn); strings.Contains(string(got), "accepted") {
			t.Errorf("%q: %q", say, got)
		}
		conn.Close()
	}
	select {
	case <-arrived:
		t.Error("a stranger was taken for the library")
	default:
	}
	silent, err := net.Dial("tcp", b.ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if b.claim("secret", silent) != true || b.claim("secret", silent) {
		t.Error("a secret is good for one connection")
	}
}
