package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	// sendBytes bounds the text that waits to be sent.
	sendBytes = 1 << 20
	// sendTimeout bounds the time that the switch may take to read one message. It is below the 5 s
	// after which coder/websocket gives up a pong or a Close that waits behind that.
	sendTimeout = 4 * time.Second
	// stuckAfter is how long a message is being sent when the switch no longer seems to read.
	stuckAfter = 50 * time.Millisecond
)

// Why Send refuses a text.
var (
	ErrNoStream = errors.New("no stream is live")
	ErrSendFull = errors.New("too much text waits to be sent")
)

// Send sends a text message to the switch over the live socket, behind those before it. It does not
// wait, and copies text. What waits at the end of the socket, or when the call says Stopping, is
// dropped. A switch that does not read for seconds is the socket's end, EndNotRead. The error wraps
// ErrNoStream, or ErrSendFull if more than 1 MiB would wait.
func (r *Recording) Send(text []byte) error {
	h := r.liveHandle()
	if h == nil {
		return ErrNoStream
	}
	return h.send(text, r.goGuarded)
}

// sender is what a socket sends. While there is something to send, a goroutine does.
type sender struct {
	mu    sync.Mutex // protects the following
	ws    *websocket.Conn
	open  bool
	queue [][]byte // the first is being sent
	bytes int
	final bool          // the socket is being closed
	done  chan struct{} // closed when the goroutine has ended; nil if there is none
	began time.Time     // when the present message was
}

// openSender lets others send from now on.
func (h *handle) openSender(ws *websocket.Conn) {
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	h.out.ws, h.out.open = ws, true
}

// send queues a text.
func (h *handle) send(text []byte, start func(func())) error {
	s := &h.out
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.open:
		return ErrNoStream
	case s.bytes+len(text) > sendBytes:
		return fmt.Errorf("%w: %d bytes, and %d more", ErrSendFull, s.bytes, len(text))
	}
	s.queue, s.bytes = append(s.queue, bytes.Clone(text)), s.bytes+len(text)
	if s.done == nil {
		done := make(chan struct{})
		s.done = done
		start(func() { h.sendAll(done) })
	}
	return nil
}

// sendAll sends what waits.
func (h *handle) sendAll(done chan struct{}) {
	defer close(done)
	for {
		text, ok := h.nextText()
		if !ok {
			return
		}
		err := h.out.ws.Write(context.Background(), websocket.MessageText, text)
		h.noteSent(err)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			h.ask(EndNotRead)
		}
	}
}

// nextText returns the first text of the queue; without one the goroutine's work is over.
func (h *handle) nextText() (text []byte, ok bool) {
	s := &h.out
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open || len(s.queue) == 0 {
		s.queue, s.bytes = nil, 0
		if s.open { // else somebody waits for it
			s.done = nil
		}
		return nil, false
	}
	s.began = time.Now()
	_ = h.conn.SetWriteDeadline(s.began.Add(sendTimeout))
	return s.queue[0], true
}

// noteSent notes how sending the first text of the queue ended.
func (h *handle) noteSent(err error) {
	s := &h.out
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = time.Time{}
	if err != nil {
		s.open = false
		return
	}
	if !s.final {
		_ = h.conn.SetWriteDeadline(time.Time{}) // which pongs have, too
	}
	s.bytes -= len(s.queue[0])
	s.queue[0] = nil
	s.queue = s.queue[1:]
}

// closeSender lets nothing more be sent but what is being sent, and that not for long. final
// says that the connection's deadline is the caller's from now on.
func (h *handle) closeSender(final bool) {
	s := &h.out
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open && !s.began.IsZero() {
		_ = h.conn.SetWriteDeadline(time.Now().Add(closeTimeout))
	}
	s.open, s.final = false, s.final || final
}

// awaitSender waits for the goroutine, once the socket is closed.
func (h *handle) awaitSender() {
	h.closeSender(true)
	h.out.mu.Lock()
	done := h.out.done
	h.out.mu.Unlock()
	if done != nil {
		<-done
	}
}

// stuck says that the switch does not read what is being sent.
func (h *handle) stuck() bool {
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	return !h.out.began.IsZero() && time.Since(h.out.began) > stuckAfter
}
