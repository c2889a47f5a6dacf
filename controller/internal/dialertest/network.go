// Package dialertest is what the tests of those who dial share: a network in memory, so that connections live
// in a bubble of testing/synctest, and a recording that grows. It starts no goroutine. It is for tests alone.
package dialertest

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Network is one in memory with one host, and that host's net.Listener. Its connections hold 64 KiB in each
// direction.
type Network struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

// NewNetwork returns one whose host listens.
func NewNetwork() *Network { return &Network{conns: make(chan net.Conn), done: make(chan struct{})} }

// Accept returns the next connection of Dial, or net.ErrClosed after Close.
func (n *Network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept. Connections stay.
func (n *Network) Close() error {
	n.once.Do(func() { close(n.done) })
	return nil
}

// Addr is "bot.test:80".
func (n *Network) Addr() net.Addr { return host{} }

// Dial connects with the host, whatever its address: it is a dialer.Connect. It waits for Accept.
func (n *Network) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	a, b := newPipe(), newPipe()
	select {
	case n.conns <- &pipeEnd{in: a, out: b}:
		return &pipeEnd{in: b, out: a}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type host struct{}

func (host) Network() string { return "tcp" }
func (host) String() string  { return "bot.test:80" }

// pipeEnd is one end of a connection.
type pipeEnd struct{ in, out *pipe }

func (e *pipeEnd) Read(p []byte) (int, error)  { return e.in.read(p) }
func (e *pipeEnd) Write(p []byte) (int, error) { return e.out.write(p) }

func (e *pipeEnd) Close() error {
	e.in.set(func(p *pipe) { p.gone = true })
	e.out.set(func(p *pipe) { p.ended = true })
	e.SetDeadline(time.Time{})
	return nil
}

func (*pipeEnd) LocalAddr() net.Addr  { return host{} }
func (*pipeEnd) RemoteAddr() net.Addr { return host{} }

func (e *pipeEnd) SetDeadline(t time.Time) error {
	_ = e.SetReadDeadline(t)
	return e.SetWriteDeadline(t)
}

func (e *pipeEnd) SetReadDeadline(t time.Time) error {
	e.in.expire(&e.in.reading, t)
	return nil
}

func (e *pipeEnd) SetWriteDeadline(t time.Time) error {
	e.out.expire(&e.out.writing, t)
	return nil
}

// pipeBytes is how much waits in one direction before a writer has to.
const pipeBytes = 64 << 10

// pipe is one direction.
type pipe struct {
	mu               sync.Mutex
	changed          *sync.Cond
	buf              []byte
	ended            bool // by the writer
	gone             bool // the reader
	reading, writing deadline
}

type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d deadline) over() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func newPipe() *pipe {
	p := &pipe{}
	p.changed = sync.NewCond(&p.mu)
	return p
}

func (p *pipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.gone:
			return 0, net.ErrClosed
		case p.reading.over():
			return 0, os.ErrDeadlineExceeded
		case len(p.buf) > 0:
			n := copy(b, p.buf)
			p.buf = append(p.buf[:0], p.buf[n:]...)
			p.changed.Broadcast()
			return n, nil
		case p.ended:
			return 0, io.EOF
		}
		p.changed.Wait()
	}
}

func (p *pipe) write(b []byte) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.ended:
			return n, net.ErrClosed
		case p.gone:
			return n, syscall.EPIPE
		case p.writing.over():
			return n, os.ErrDeadlineExceeded
		}
		if room := min(pipeBytes-len(p.buf), len(b)-n); room > 0 {
			p.buf = append(p.buf, b[n:n+room]...)
			n += room
			p.changed.Broadcast()
		}
		if n == len(b) {
			return n, nil
		}
		p.changed.Wait()
	}
}

func (p *pipe) set(f func(*pipe)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
	p.changed.Broadcast()
}

func (p *pipe) expire(d *deadline, t time.Time) {
	p.set(func(*pipe) {
		if d.timer != nil {
			d.timer.Stop()
		}
		*d = deadline{at: t}
		if !t.IsZero() {
			d.timer = time.AfterFunc(time.Until(t), func() { p.set(func(*pipe) {}) })
		}
	})
}
