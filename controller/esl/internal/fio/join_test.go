package fio

import (
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
	if _, err := join(); err == nil {
		t.Error("joined without a descriptor")
	}
	if took := time.Since(begun); took > joinTimeout {
		t.Errorf("failed after %v", took)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	p, err := join()
	if err != nil {
		t.Fatal(err)
	}
	p.close()
}

// A connection that does not know the secret is closed, and holds the one that does up for
// no longer than a handshake may take.
func TestStrangersOnTheLoopbackPort(t *testing.T) {
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	const secret = "secret"
	dial := func(say string) net.Conn {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(patience))
		io.WriteString(conn, say)
		return conn
	}
	var strangers []net.Conn
	for _, say := range []string{"", "auth wrongs\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", strings.Repeat("x", 1000), "auth \r\n\r\n", "auth secret\n\n"} {
		strangers = append(strangers, dial(say))
	}
	strangers = append(strangers, dial(""))
	strangers[0].(*net.TCPConn).CloseWrite()
	library := dial("auth " + secret + "\r\n\r\nmore")
	inner, err := accept(ln, secret, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	if inner.RemoteAddr().String() != library.LocalAddr().String() {
		t.Error("a stranger was taken for the library")
	}
	var rest [4]byte
	if _, err := io.ReadFull(inner, rest[:]); err != nil || string(rest[:]) != "more" {
		t.Errorf("behind the handshake: %q, %v", rest, err)
	}
	for i, stranger := range strangers {
		got, err := io.ReadAll(stranger)
		if strings.Contains(string(got), "accepted") || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("stranger %d: %q, %v", i, got, err)
		}
	}
}
