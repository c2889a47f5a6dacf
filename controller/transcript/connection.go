package transcript

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"

	"tapdeck/controller/dialer"
)

// connection is one WebSocket to the service: a goroutine reads it, one writes it, and the session's
// pings.
type connection struct {
	*dialer.Conn
	s      *Session
	config Config

	mu      sync.Mutex // protects the following
	wire    wire
	pending pending
	asked   bool     // for the last words
	freed   [][]byte // buffers of audio that is not kept any more: the goroutine that writes may still write one

	progress chan struct{} // the service has answered something

	// What the goroutine that reads needs.
	interim []string // the latest of each channel
	// before is where each channel's final words ended when the connection began: of two channels, what
	// only the slower one has not answered is sent again.
	before []time.Duration

	// What the goroutine that writes needs.
	due  time.Time // when what was sent would have been spoken, at the greatest speed
	last time.Time // when something was sent last
}

func newConnection(s *Session, conn *dialer.Conn) *connection {
	c := &connection{
		Conn: conn, s: s, config: s.config, wire: newWire(s.config),
		progress: make(chan struct{}, 1), interim: make([]string, len(s.config.Channels)), before: s.finalTo(),
	}
	c.pending = pending{config: s.config, free: func(b []byte) { c.freed = append(c.freed, b) }}
	return c
}

// serve returns when the connection is over and its goroutines have ended. The error is nil if all that
// was sent is answered.
func (c *connection) serve() error {
	cause := c.Serve(
		func() error { return c.s.guarded(c.read) },
		func() error { return c.s.guarded(c.write) },
	)
	if !errors.Is(cause, errAnswered) {
		return cause
	}
	if c.pending.unanswered() > 0 {
		return errUnanswered
	}
	return nil
}

// read reads what the service says, until the connection is over.
func (c *connection) read() error {
	for {
		binary, message, err := c.Read()
		if err != nil {
			return c.readError(err)
		}
		if c.handle(binary, message) {
			c.Expire(stopTimeout)
			c.Close()
			return errAnswered
		}
		c.Spend(dialer.MessageCost(len(message)))
	}
}

// readError is why nothing more is read. A service that closes as one does once it was asked for the
// last words has said them.
func (c *connection) readError(err error) error {
	switch {
	case dialer.NormalEnd(err) && websocket.CloseStatus(err) != websocket.StatusGoingAway && c.concluded():
		return errAnswered
	case dialer.NormalEnd(err):
		return fmt.Errorf("%w: %w", errClosed, err)
	case errors.Is(err, websocket.ErrMessageTooBig):
		c.s.countWrong(&wrong{kind: wrongSize})
	case dialer.BrokenFrame(err):
		c.s.countWrong(&wrong{wrongProtocol, err.Error()})
	}
	return err
}

// concluded counts what the service has answered once it was asked for the last words and has ended in order.
func (c *connection) concluded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked {
		c.s.noteAnswered(c.pending.answered(c.wire.end()))
	}
	return c.asked
}
