package switchsim

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// writeTimeout ends an event socket whose peer has stopped reading.
const writeTimeout = 10 * time.Second

// listener is one event socket: what it has subscribed to and what is on its
// way to it. While a command is being executed (busy) events wait, as they do
// in FreeSWITCH, whose listener is one thread.
type listener struct {
	sw   *Switch
	conn net.Conn
	own  string // Unique-ID of the controlled channel; "" on an inbound socket

	muted atomic.Bool // no more events

	mu       sync.Mutex
	format   format
	events   map[string]bool // by event name; "ALL"
	subclass map[string]bool // of CUSTOM
	filters  []header
	myEvents bool
	enabled  bool // any subscription
	busy     bool
	outbox   []byte // while busy
	closed   bool
	sent     int64 // bytes
	count    int64 // events
}

func newListener(sw *Switch, conn net.Conn, own string) *listener {
	return &listener{sw: sw, conn: conn, own: own, events: map[string]bool{}, subclass: map[string]bool{}}
}

// deliver sends an event if it is subscribed to. Rendering is left until then.
func (l *listener) deliver(e *event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.muted.Load() || !l.wants(e) {
		return
	}
	l.count++
	l.push(l.sw.wire(e, l.format))
}

// wants tells whether an event passes subscription, filters and myevents.
func (l *listener) wants(e *event) bool {
	if !l.enabled || (!l.events["ALL"] && !l.events[e.name]) {
		return false
	}
	if !l.events["ALL"] && e.name == "CUSTOM" && !l.subclass[e.subclass] {
		return false
	}
	if len(l.filters) > 0 && !l.passes(e) {
		return false
	}
	if !l.myEvents {
		return true
	}
	return e.uuid == l.own || e.owner == l.own
}

// passes applies the filters: one that matches is enough. Only headers that
// the simulation can tell without rendering are known.
func (l *listener) passes(e *event) bool {
	for _, f := range l.filters {
		var value string
		switch strings.ToLower(f.name) {
		case "event-name":
			value = e.name
		case "event-subclass":
			value = e.subclass
		case "unique-id":
			value = e.uuid
		case "job-owner-uuid":
			value = e.owner
		}
		if value != "" && strings.EqualFold(value, f.value) {
			return true
		}
	}
	return false
}

// push writes now, or later while a command is being executed. It needs l.mu.
func (l *listener) push(b []byte) {
	if l.busy {
		l.outbox = append(l.outbox, b...)
		return
	}
	l.write(b)
}

func (l *listener) write(b []byte) {
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

// begin marks a command as being executed, done ends it: what waited goes out.
func (l *listener) begin() {
	l.mu.Lock()
	l.busy = true
	l.mu.Unlock()
}

func (l *listener) done() {
	l.mu.Lock()
	l.busy = false
	l.write(l.outbox)
	l.outbox = nil
	l.mu.Unlock()
}

// reply writes at once, ahead of events that wait.
func (l *listener) reply(b string) {
	l.mu.Lock()
	l.write([]byte(b))
	l.mu.Unlock()
}

// notice sends the last words and, if last, closes the socket.
func (l *listener) notice(text string, last bool) {
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

// drop closes the socket without a word; reset makes it an RST.
func (l *listener) drop(reset bool) {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	if tcp, ok := l.conn.(*net.TCPConn); ok && reset {
		tcp.SetLinger(0)
	}
	l.conn.Close()
}

// mute ends the events.
func (l *listener) mute() {
	l.muted.Store(true)
}

func (l *listener) onlyOwn() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.myEvents
}

func (l *listener) bytes() (sent, events int64) {
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
