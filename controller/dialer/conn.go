package dialer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	// maxMessage bounds a message of the peer, in bytes.
	maxMessage = 1 << 20
	// keptMessage is how much room for messages a Conn keeps, in bytes.
	keptMessage  = 32 << 10
	writeTimeout = 5 * time.Second
	pingInterval = 10 * time.Second
	pongTimeout  = 20 * time.Second
)

// How a Conn can be lost that neither side has closed. The text begins with the peer then.
var (
	ErrNoWrite    = errors.New("has read nothing for 5 s")
	ErrNoPong     = errors.New("has not answered a ping for 20 s")
	ErrOnlyFrames = errors.New("has sent nothing but control frames and fragments, thousands of them for 5 s")
)

// Owner is what a Conn must know of whoever opens it.
type Owner struct {
	// Stopping is closed once the owner is told to stop: from then on Wait does not wait, frames cost nothing,
	// and a ping that fails ends nothing, since whoever closes makes it fail.
	Stopping <-chan struct{}
	// GoneTimeout bounds how long what the peer has sent is still read after a write has failed because the connection
	// is gone.
	GoneTimeout time.Duration
	// OnlyFrames is called for each second in which the peer was read more slowly for what is no message. It must not wait.
	OnlyFrames func()
}

// Conn is one WebSocket to a peer, until the first cause to end it: one goroutine reads it, one writes it, and
// pings are sent in between. End, Over, Expire and Wait are safe for concurrent use.
type Conn struct {
	owner Owner
	peer  string
	ws    *websocket.Conn
	below net.Conn

	life context.Context // ends with the cause
	end  context.CancelCauseFunc

	// What the goroutine that reads needs.
	message bytes.Buffer
	pace    Pace

	expiry *time.Timer // of a write
}

// Open dials as DialWith does. The caller must call Serve, or Drop if it does not.
func (t Target) Open(ctx context.Context, connect Connect, o Owner) (*Conn, error) {
	counter := &FrameCounter{}
	ws, below, err := t.DialWith(ctx, connect, counter)
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(maxMessage)
	c := &Conn{owner: o, peer: t.Words.Peer, ws: ws, below: below}
	c.life, c.end = context.WithCancelCause(context.Background())
	c.expiry = time.AfterFunc(writeTimeout, func() { c.lose(ErrNoWrite) })
	c.expiry.Stop()
	counter.Seen = c.seen
	return c, nil
}

// Drop ends a Conn without a word.
func (c *Conn) Drop() { _ = c.ws.CloseNow() }

// Serve calls read and write, each in a goroutine that must end once the Conn is over. What the first of them
// returns ends it, if nothing has before; it must not be nil. A writer that finds the connection gone waits for the
// reader, who knows why. Serve returns the cause when the goroutines have ended.
func (c *Conn) Serve(read, write func() error) error {
	var all sync.WaitGroup
	ended := make(chan struct{})
	all.Go(func() {
		defer close(ended)
		c.End(read())
	})
	all.Go(func() {
		err := write()
		if IsGone(err) { // there may be messages, and a close, that are not read yet
			Pause(c.owner.GoneTimeout, ended)
		}
		c.End(err)
	})
	c.ping()
	all.Wait()
	c.Drop()
	return context.Cause(c.life)
}

// End ends the connection. The first cause counts: all others are a consequence.
func (c *Conn) End(cause error) {
	c.end(cause)
	_ = c.below.Close() // whoever reads or writes returns
}

// lose ends the connection for what the peer has done, or has not.
func (c *Conn) lose(what error) { c.End(fmt.Errorf("%s %w", c.peer, what)) }

// Over is closed at the end.
func (c *Conn) Over() <-chan struct{} { return c.life.Done() }

// Expire has all that is still read and written end within d.
func (c *Conn) Expire(d time.Duration) { _ = c.below.SetDeadline(time.Now().Add(d)) }

// Close closes as one does. It waits for the peer's close: Expire should come before.
func (c *Conn) Close() { _ = c.ws.Close(websocket.StatusNormalClosure, "") }

// ping notices a host that is gone without a word, until the connection is over.
func (c *Conn) ping() {
	tick := time.NewTicker(pingInterval)
	defer tick.Stop()
	for {
		select {
		case <-c.Over():
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(c.life, pongTimeout)
		if err := c.ws.Ping(ctx); errors.Is(ctx.Err(), context.DeadlineExceeded) {
			c.lose(ErrNoPong)
		} else if err != nil && !IsGone(err) && !c.isStopping() {
			c.End(err)
		}
		cancel()
	}
}

// Read returns the next message, of 1 MiB at most, which is valid until the next Read. It belongs to the goroutine that
// reads, which has the peer pay for the message, by Spend.
func (c *Conn) Read() (binary bool, message []byte, err error) {
	kind, r, err := c.ws.Reader(context.Background())
	if err != nil {
		return false, nil, err
	}
	if c.message.Cap() > keptMessage {
		c.message = bytes.Buffer{}
	}
	c.message.Reset()
	_, err = c.message.ReadFrom(r)
	return kind == websocket.MessageBinary, c.message.Bytes(), err
}

// Write writes one message. It belongs to the goroutine that writes. The library would need an allocation for a context
// that can end, so a timer closes the connection below a write that lasts for more than 5 s.
func (c *Conn) Write(binary bool, message []byte) error {
	kind := websocket.MessageText
	if binary {
		kind = websocket.MessageBinary
	}
	c.expiry.Reset(writeTimeout)
	err := c.ws.Write(context.Background(), kind, message)
	c.expiry.Stop()
	return err
}

// Spend has the peer wait for the end of a second whose budget it has used up: MessageCost, or CostSeldom. It belongs to the
// goroutine that reads.
func (c *Conn) Spend(cost int) { c.Wait(c.pace.Spend(cost)) }

// Wait lets time pass, unless the connection is over or the owner is told to stop.
func (c *Conn) Wait(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.owner.Stopping:
	case <-c.Over():
	}
}

// seen has a peer pay for frames that are no messages, and ends the connection if there is nothing else for long.
func (c *Conn) seen(f SeenFrames) {
	if c.isStopping() { // whoever closes reads, too
		return
	}
	c.pace.SpendFrames(f, func(wait time.Duration, idleSeconds int) bool {
		c.Wait(wait)
		if idleSeconds > 0 {
			c.owner.OnlyFrames()
		}
		if idleSeconds >= MaxIdleSeconds {
			c.lose(ErrOnlyFrames)
		}
		return c.life.Err() == nil && !c.isStopping()
	})
}

func (c *Conn) isStopping() bool {
	select {
	case <-c.owner.Stopping:
		return true
	default:
		return false
	}
}
