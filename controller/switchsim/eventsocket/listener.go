package eventsocket

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// writeTimeout ends an event socket whose peer has stopped reading.
const writeTimeout = 10 * time.Second

// Listener is one event socket: what it has subscribed to and what is on its
// way to it. While a command is being executed events wait (F14).
type Listener struct {
	conn  net.Conn
	own   string      // Unique-ID of the controlled channel; "" on an inbound socket
	muted atomic.Bool // no more events

	mu       sync.Mutex
	json     bool
	events   map[string]bool // by event name; "ALL"
	subclass map[string]bool // of CUSTOM
	myEvents bool
	enabled  bool   // any subscription
	busy     bool   // a command is being executed
	outbox   []byte // while busy
	closed   bool
	sent     int64 // bytes
	count    int64 // events
}

// NewListener returns the listener at the end of conn. own is the channel that is
// controlled over it, or "".
func NewListener(conn net.Conn, own string) *Listener {
	return &Listener{conn: conn, own: own, events: map[string]bool{}, subclass: map[string]bool{}}
}

// Deliver sends an event if it is subscribed to. It is rendered only then.
func (l *Listener) Deliver(e *Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.muted.Load() || !l.wants(e) {
		return
	}
	l.count++
	l.push(e.text(l.json))
}

// Render returns an event n times, as if it had been sent.
func (l *Listener) Render(e *Event, n int) string {
	l.mu.Lock()
	json := l.json
	l.count += int64(n)
	l.mu.Unlock()
	var all []byte
	for range n {
		all = append(all, e.text(json)...)
	}
	return string(all)
}

// push writes now, or later while a command is being executed. It needs l.mu.
func (l *Listener) push(b []byte) {
	if l.busy {
		l.outbox = append(l.outbox, b...)
		return
	}
	l.write(b)
}

func (l *Listener) write(b []byte) {
	if l.closed || len(b) == 0 {
		return
	}
	l.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	n, err := l.conn.Write(b)
	l.sent += int64(n)
	if err != nil {
		l.closed = true
		l.conn.Close()
	}
}

// Begin marks a command as being executed. Done ends it: what waited goes out.
func (l *Listener) Begin() {
	l.mu.Lock()
	l.busy = true
	l.mu.Unlock()
}

// Done is the end of what Begin began.
func (l *Listener) Done() {
	l.mu.Lock()
	l.busy = false
	l.write(l.outbox)
	l.outbox = nil
	l.mu.Unlock()
}

// Reply writes at once, ahead of events that wait.
func (l *Listener) Reply(text string) {
	l.mu.Lock()
	l.write([]byte(text))
	l.mu.Unlock()
}

// Notice sends a disconnect notice behind all that waits and, if it is the last,
// closes the socket.
func (l *Listener) Notice(text string, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write(l.outbox)
	l.outbox = nil
	l.write([]byte(text))
	if last && !l.closed {
		l.closed = true
		closeWrite(l.conn)
	}
}

// Drop closes the socket without a word; reset makes it an RST.
func (l *Listener) Drop(reset bool) {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	if tcp, ok := l.conn.(*net.TCPConn); ok && reset {
		tcp.SetLinger(0)
	}
	l.conn.Close()
}

// Mute ends the events.
func (l *Listener) Mute() { l.muted.Store(true) }

// OnlyOwn says whether myevents was given.
func (l *Listener) OnlyOwn() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.myEvents
}

// Sent returns how many bytes and events were sent.
func (l *Listener) Sent() (bytes, events int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent, l.count
}

// closeWrite lets what was written arrive before the end: closing a socket
// with unread input would make it a reset.
func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		if half.CloseWrite() == nil {
			conn.SetReadDeadline(time.Now().Add(time.Second))
			return
		}
	}
	conn.Close()
}
