package sink

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipeListener is a listener whose connections are in memory, so that they live in
// a bubble of fake time. Unlike net.Pipe they buffer, as a kernel does.
type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr() }

func (l *pipeListener) dial() (net.Conn, error) {
	a, b := newPipeBuffer(), newPipeBuffer()
	select {
	case l.conns <- &pipeConn{in: a, out: b}:
		return &pipeConn{in: b, out: a}, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func pipeAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4711} }

// pipeConn is one end of a buffered connection.
type pipeConn struct{ in, out *pipeBuffer }

func (c *pipeConn) Read(p []byte) (int, error)  { return c.in.read(p) }
func (c *pipeConn) Write(p []byte) (int, error) { return c.out.write(p) }

func (c *pipeConn) Close() error {
	c.in.abandon()
	c.out.end()
	return nil
}

func (c *pipeConn) LocalAddr() net.Addr                { return pipeAddr() }
func (c *pipeConn) RemoteAddr() net.Addr               { return pipeAddr() }
func (c *pipeConn) SetDeadline(t time.Time) error      { return c.in.setDeadline(t) }
func (c *pipeConn) SetReadDeadline(t time.Time) error  { return c.in.setDeadline(t) }
func (c *pipeConn) SetWriteDeadline(t time.Time) error { return nil }

// pipeBuffer is one direction. It has no bound: a writer never waits.
type pipeBuffer struct {
	mu       sync.Mutex
	changed  *sync.Cond
	buf      []byte
	ended    bool // by the writer
	gone     bool // the reader
	deadline time.Time
	timer    *time.Timer
}

func newPipeBuffer() *pipeBuffer {
	b := &pipeBuffer{}
	b.changed = sync.NewCond(&b.mu)
	return b
}

func (b *pipeBuffer) read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		switch {
		case b.gone:
			return 0, net.ErrClosed
		case !b.deadline.IsZero() && !time.Now().Before(b.deadline):
			return 0, os.ErrDeadlineExceeded
		case len(b.buf) > 0:
			n := copy(p, b.buf)
			b.buf = append(b.buf[:0], b.buf[n:]...)
			return n, nil
		case b.ended:
			return 0, io.EOF
		}
		b.changed.Wait()
	}
}

func (b *pipeBuffer) write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended || b.gone {
		return 0, io.ErrClosedPipe
	}
	b.buf = append(b.buf, p...)
	b.changed.Broadcast()
	return len(p), nil
}

func (b *pipeBuffer) setDeadline(t time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deadline = t
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	if !t.IsZero() && !b.gone {
		b.timer = time.AfterFunc(time.Until(t), func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.changed.Broadcast()
		})
	}
	b.changed.Broadcast()
	return nil
}

func (b *pipeBuffer) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	b.changed.Broadcast()
}

func (b *pipeBuffer) abandon() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gone = true
	if b.timer != nil {
		b.timer.Stop()
	}
	b.changed.Broadcast()
}

// elapse lets time go by: fake time in a bubble.
func elapse(d time.Duration) { <-time.After(d) }
