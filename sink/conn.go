package sink

import (
	"context"
	"crypto/tls"
	"errors"
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
	c := &conn{Conn: raw, plain: l.plain}
	if l.tls == nil {
		return c, nil
	}
	c.sniff = true
	return tls.Server(c, l.tls), nil
}

// conn is an accepted connection, below TLS if there is any.
type conn struct {
	net.Conn
	plain func(net.Addr)
	sniff bool
	read  func(p []byte) (int, error) // if not nil, every read: the stream's
}

func (c *conn) Read(p []byte) (int, error) {
	if c.read != nil {
		return c.read(p)
	}
	n, err := c.Conn.Read(p)
	var header tls.RecordHeaderError
	if c.sniff && n > 0 && p[0] != tlsHandshake || errors.As(err, &header) {
		c.plain(c.RemoteAddr())
	}
	if n > 0 {
		c.sniff = false
	}
	return n, err
}

// drains says whether a read that returns less than was asked for has emptied the
// socket. A TLS connection returns one record at a time.
func (c *conn) drains() bool {
	_, isTLS := c.Conn.(*tls.Conn)
	return !isTLS
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

// rawConn returns what is below TLS, whose Close would wait to say goodbye.
func rawConn(nc net.Conn) net.Conn {
	if t, ok := nc.(*tls.Conn); ok {
		return t.NetConn()
	}
	return nc
}

type connKey struct{}

// withConn is the server's ConnContext.
func withConn(ctx context.Context, nc net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, rawConn(nc))
}

func connOf(ctx context.Context) *conn {
	c, _ := ctx.Value(connKey{}).(*conn)
	return c
}
