package sink

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tlsHandshake is the first byte of a TLS connection.
const tlsHandshake = 0x16

// listener hands out connections whose reads may become a stream's.
type listener struct {
	net.Listener
	tls   *tls.Config
	plain func(peer net.Addr) // called for plain text if TLS is spoken
}

func (l *listener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if l.tls == nil {
		return &conn{Conn: raw}, nil
	}
	return tls.Server(&conn{Conn: raw, plain: l.plain}, l.tls), nil
}

// conn is an accepted connection, below TLS if there is any.
type conn struct {
	net.Conn
	plain func(net.Addr)              // until the first byte of TLS has come
	read  func(p []byte) (int, error) // if not nil, every read: the stream's

	reader *reader // of what is read then
}

func (c *conn) Read(p []byte) (int, error) {
	if c.read != nil {
		return c.read(p)
	}
	n, err := c.Conn.Read(p)
	if n > 0 && c.plain != nil {
		if p[0] != tlsHandshake {
			c.plain(c.RemoteAddr())
		}
		c.plain = nil
	}
	return n, err
}

// setLowWater asks the kernel to wake the process only for so many bytes, or the end of
// the connection. If that can't be done, every byte wakes it.
func (c *conn) setLowWater(bytes int) {
	sc, ok := c.Conn.(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := sc.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, bytes)
		})
	}
}

// reader reads a connection and says whether it had to wait: whether a first try came back
// empty. How long a read took does not say so, since it may only have been scheduled late.
type reader struct {
	conn net.Conn
	raw  syscall.RawConn // nil if conn has none
	try  func(fd uintptr) bool

	// Of the present read.
	p      []byte
	n      int
	err    error
	waited bool
}

func newReader(conn net.Conn) *reader {
	r := &reader{conn: conn}
	if sc, ok := conn.(syscall.Conn); ok {
		r.raw, _ = sc.SyscallConn()
	}
	r.try = func(fd uintptr) bool {
		r.n, r.err = unix.Read(int(fd), r.p)
		for r.err == unix.EINTR {
			r.n, r.err = unix.Read(int(fd), r.p)
		}
		empty := r.err == unix.EAGAIN
		r.waited = r.waited || empty
		return !empty
	}
	return r
}

// read is conn's Read.
func (r *reader) read(p []byte) (n int, waited bool, err error) {
	if r.raw == nil { // in memory, as in tests: their time stands still while nothing waits
		began := time.Now()
		n, err = r.conn.Read(p)
		return n, time.Since(began) > 0, err
	}
	r.p, r.n, r.err, r.waited = p, 0, nil, false
	err = r.raw.Read(r.try)
	r.p = nil
	switch {
	case err != nil: // the deadline, or closed
		return 0, r.waited, err
	case r.err != nil:
		return 0, r.waited, os.NewSyscallError("read", r.err)
	case r.n == 0:
		return 0, r.waited, io.EOF
	}
	return r.n, r.waited, nil
}

// rawConn returns what is below TLS, whose Close would wait to send close_notify.
func rawConn(nc net.Conn) net.Conn {
	if t, ok := nc.(*tls.Conn); ok {
		return t.NetConn()
	}
	return nc
}

type connKey struct{} // of a request's *conn
