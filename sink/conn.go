package sink

import (
	"crypto/tls"
	"net"
	"syscall"

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

// rawConn returns what is below TLS, whose Close would wait to send close_notify.
func rawConn(nc net.Conn) net.Conn {
	if t, ok := nc.(*tls.Conn); ok {
		return t.NetConn()
	}
	return nc
}

type connKey struct{} // of a request's *conn
