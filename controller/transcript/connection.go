package transcript

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/coder/websocket"

	"tapdeck/controller/dialer"
)

const (
	// maxMessage bounds a message of the service, in bytes.
	maxMessage = 1 << 20
	// keptMessage is how much room for messages a connection keeps, in bytes.
	keptMessage  = 32 << 10
	writeTimeout = 5 * time.Second
	pingInterval = 10 * time.Second
	pongTimeout  = 20 * time.Second
)

// connection is one WebSocket to the service: a goroutine reads it, one writes it, and the session's
// pings.
type connection struct {
	s      *Session
	config Config
	ws     *websocket.Conn
	below  net.Conn
	over   chan struct{} // closed at the end

	once   sync.Once
	cause  error              // why it ended; set before over is closed
	cancel context.CancelFunc // of a ping

	mu      sync.Mutex // protects the following
	wire    wire
	pending pending
	asked   bool     // for the last words
	freed   [][]byte // rooms of audio that is not kept any more: the goroutine that writes may still write one

	progress chan struct{} // the service has answered something

	// What the goroutine that reads needs.
	message bytes.Buffer
	pace    dialer.Pace
	interim []string // the latest of each channel
	// before is where each channel's final words ended when the connection began: of two channels, what
	// only the slower one has not answered is sent again.
	before []time.Duration

	// What the goroutine that writes needs.
	expiry *time.Timer // of a write
	due    time.Time   // when what was sent would have been spoken, at the greatest speed
	last   time.Time   // when something was sent last
}

func newConnection(s *Session, ws *websocket.Conn, below net.Conn) *connection {
	c := &connection{
		s: s, config: s.config, ws: ws, below: below, over: make(chan struct{}), wire: newWire(s.config),
		progress: make(chan struct{}, 1), interim: make([]string, len(s.config.Channels)), before: s.finalTo(),
	}
	c.pending = pending{config: s.config, free: func(room []byte) { c.freed = append(c.freed, room) }}
	c.expiry = time.AfterFunc(writeTimeout, func() { c.end(errNoWrite) })
	c.expiry.Stop()
	return c
}

// serve returns when the connection is over and its goroutines have ended. The error is nil if all that
// was sent is answered.
func (c *connection) serve() error {
	var ctx context.Context
	ctx, c.cancel = context.WithCancel(context.Background())
	var all sync.WaitGroup
	read := make(chan struct{})
	all.Go(func() {
		defer close(read)
		c.end(c.s.guarded(c.read))
	})
	all.Go(func() {
		err := c.s.guarded(c.write)
		if dialer.IsGone(err) {
			waitFor(read)
		}
		c.end(err)
	})
	c.ping(ctx)
	all.Wait()
	_ = c.ws.CloseNow()
	if !errors.Is(c.cause, errAnswered) {
		return c.cause
	}
	if c.pending.unanswered() > 0 {
		return errUnanswered
	}
	return nil
}

// waitFor waits a moment for the goroutine that reads: it knows why the connection was closed.
func waitFor(read <-chan struct{}) {
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	select {
	case <-read:
	case <-timeout.C:
	}
}

// end ends the connection. The first cause counts: all others are a consequence.
func (c *connection) end(cause error) {
	c.once.Do(func() {
		c.cause = cause
		close(c.over)
		c.cancel()
		_ = c.below.Close() // whoever reads or writes returns
	})
}

// expire has all that is still read and written end soon.
func (c *connection) expire() { _ = c.below.SetDeadline(time.Now().Add(stopTimeout)) }

// ping notices a host that is gone without a word, until the connection is over.
func (c *connection) ping(over context.Context) {
	tick := time.NewTicker(pingInterval)
	defer tick.Stop()
	for {
		select {
		case <-c.over:
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(over, pongTimeout)
		if err := c.ws.Ping(ctx); errors.Is(ctx.Err(), context.DeadlineExceeded) {
			c.end(errNoPong)
		} else if err != nil && !dialer.IsGone(err) {
			c.end(err)
		}
		cancel()
	}
}

// read reads what the service says, until the connection is over.
func (c *connection) read() error {
	for {
		kind, r, err := c.ws.Reader(context.Background())
		if err != nil {
			return c.readError(err)
		}
		if c.message.Cap() > keptMessage {
			c.message = bytes.Buffer{}
		}
		c.message.Reset()
		if _, err := c.message.ReadFrom(r); err != nil {
			return c.readError(err)
		}
		if c.handle(kind == websocket.MessageBinary, c.message.Bytes()) {
			c.expire()
			_ = c.ws.Close(websocket.StatusNormalClosure, "")
			return errAnswered
		}
		c.wait(c.pace.Spend(dialer.MessageCost(c.message.Len())))
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
		c.s.wrong(&wrong{kind: wrongSize})
	case dialer.BrokenFrame(err):
		c.s.wrong(&wrong{wrongProtocol, err.Error()})
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

// wait lets time pass in which the service is not read.
func (c *connection) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.s.stopping:
	case <-c.over:
	}
}

// seen has a service pay for frames that are no messages, and ends the connection if there is nothing else
// for long.
func (c *connection) seen(f dialer.SeenFrames) {
	c.pace.SpendFrames(f, func(wait time.Duration, idleSeconds int) bool {
		c.wait(wait)
		if idleSeconds > 0 {
			c.s.wrong(&wrong{kind: wrongFrames})
		}
		if idleSeconds >= dialer.MaxIdleSeconds {
			c.end(errFrames)
		}
		return c.interrupted() == nil
	})
}
