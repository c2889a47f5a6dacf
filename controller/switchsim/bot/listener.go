package bot

import "net"

// connKey is the connection in a request's context.
type connKey struct{}

// connection is one TCP connection and its fault.
type connection struct {
	net.Conn
	b     *Bot
	fault Fault
}

// listener numbers connections, gives each its fault, and keeps those of dead bots for itself.
type listener struct {
	net.Listener
	b *Bot
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		conn := &connection{Conn: c, b: l.b}
		conn.fault = l.b.adopt(conn)
		switch {
		case l.b.over():
			_ = conn.Close()
		case !conn.fault.Dead:
			return conn, nil
		}
	}
}

// adopt notes an open connection and returns its fault.
func (b *Bot) adopt(c *connection) Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conns[c] = struct{}{}
	b.accepted++
	if len(b.o.Faults) == 0 {
		return Fault{}
	}
	return b.o.Faults[min(b.accepted, len(b.o.Faults))-1]
}

func (b *Bot) over() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended
}

func (c *connection) Close() error {
	c.b.mu.Lock()
	delete(c.b.conns, c)
	c.b.mu.Unlock()
	return c.Conn.Close()
}

// abort makes the end of a connection a reset.
func abort(c net.Conn) {
	if of, ok := c.(*connection); ok {
		c = of.Conn
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}
