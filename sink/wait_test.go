package sink

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// tcpPair is a connection over the loopback.
func tcpPair(t *testing.T) (here, there *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); p.Close() })
	return c.(*net.TCPConn), p.(*net.TCPConn)
}

// A read that finds bytes has not waited, whatever time it took; one that finds none has.
func TestReaderWaits(t *testing.T) {
	here, there := tcpPair(t)
	r, buf := newReader(here), make([]byte, 100)
	_, _ = there.Write([]byte("one"))
	awaitReadable(t, here)
	if n, waited, err := r.read(buf); n != 3 || waited || err != nil {
		t.Errorf("bytes that were there: %d, waited %t, %v", n, waited, err)
	}
	try, first := r.try, true
	r.try = func(fd uintptr) bool {
		done := try(fd)
		if first { // it has found nothing
			first = false
			_, _ = there.Write([]byte("two"))
		}
		return done
	}
	if n, waited, err := r.read(buf); n != 3 || !waited || err != nil {
		t.Errorf("bytes that were not there: %d, waited %t, %v", n, waited, err)
	}
	r.try = try
	_ = here.SetReadDeadline(time.Unix(1, 0))
	if _, _, err := r.read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after its deadline: %v", err)
	}
	_ = here.SetReadDeadline(time.Time{})
	there.Close()
	if n, _, err := r.read(buf); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
	here.Close()
	if _, _, err := r.read(buf); err == nil {
		t.Error("a closed connection is read")
	}
}

func awaitReadable(t *testing.T, c *net.TCPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) {
		if n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 20_000); n != 1 {
			t.Fatalf("nothing came: %v", err)
		}
	})
}
