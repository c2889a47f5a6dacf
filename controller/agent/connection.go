package agent

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"tapdeck/controller/dialer"

	"github.com/coder/websocket"
)

const (
	// maxMessage bounds a message of the bot, in bytes.
	maxMessage = 1 << 20
	// keptMessage is how much room for messages a connection keeps, in bytes.
	keptMessage  = 32 << 10
	writeTimeout = 5 * time.Second
	pingInterval = 10 * time.Second
	pongTimeout  = 20 * time.Second
	// goneTimeout bounds the reading of what a bot has sent before it was gone.
	goneTimeout = 5 * time.Second
	// maxDigitsWait bounds how long the digits that wait in the switch take it: one message of 32 digits, if none wait.
	maxDigitsWait = 20 * time.Second
)

// errStopped ends a connection whose session was told to stop.
var errStopped = errors.New("stopped")

// connection is one WebSocket to the bot: a goroutine reads it, one writes it, and the
// session's pings.
type connection struct {
	s     *Session
	ws    *websocket.Conn
	below net.Conn
	wire  wire
	over  chan struct{} // closed at the end

	once   sync.Once
	cause  error              // why it ended; set before over is closed
	cancel context.CancelFunc // of a ping

	// What the goroutine that reads needs.
	message     bytes.Buffer
	pace        dialer.Pace
	heard       bool
	digitsUntil time.Time // when the switch will have sent the digits that it was given

	// What the goroutine that writes needs.
	frames  *frames
	buffer  []byte
	fetched []notice
	expiry  *time.Timer // of a write
	mute    bool        // the recording has ended
	sent    int         // frames, that State does not have yet
	total   int         // of all frames
}

func newConnection(s *Session, ws *websocket.Conn, below net.Conn) *connection {
	c := &connection{s: s, ws: ws, below: below, wire: newWire(s.config), over: make(chan struct{})}
	c.frames = newFrames(s.ear, s.config.Rate, c.wire.rate(), s.dropped)
	c.expiry = time.AfterFunc(writeTimeout, func() { c.end(errNoWrite) })
	c.expiry.Stop()
	return c
}

func (c *connection) streamSID() string {
	if t, ok := c.wire.(*twilio); ok {
		return t.streamSID
	}
	return ""
}

// serve returns when the connection is over and its goroutines have ended. The error is nil if the bot
// has closed it.
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
			waitFor(read, goneTimeout)
		}
		c.end(err)
	})
	c.ping(ctx)
	all.Wait()
	_ = c.ws.CloseNow()
	if dialer.NormalEnd(c.cause) {
		return nil
	}
	return c.cause
}

// waitFor waits until the goroutine that reads has ended: it knows why the connection was closed, and there may be audio,
// and the bot's close, that it has not read yet.
func waitFor(read <-chan struct{}, most time.Duration) {
	timeout := time.NewTimer(most)
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
		} else if err != nil && !dialer.IsGone(err) && !c.s.isStopped() {
			c.end(err)
		}
		cancel()
	}
}

// read has the bot heard and obeyed, until the connection is over.
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
		if c.s.isStopped() { // only the close matters now
			continue
		}
		c.obey(kind == websocket.MessageBinary, c.message.Bytes())
		c.spend(dialer.MessageCost(c.message.Len()))
	}
}

// readError counts what the WebSocket itself does not take.
func (c *connection) readError(err error) error {
	switch {
	case errors.Is(err, websocket.ErrMessageTooBig):
		c.s.wrong(&wrong{kind: wrongSize})
	case dialer.BrokenFrame(err):
		c.s.wrong(&wrong{wrongProtocol, err.Error()})
	}
	return err
}

// obey does what a message asks for.
func (c *connection) obey(binary bool, message []byte) {
	cmd, err := c.wire.decode(binary, message)
	if err != nil {
		c.s.wrong(err)
		c.spend(dialer.CostSeldom)
		return
	}
	switch cmd.kind {
	case commandAudio:
		c.play(cmd)
	case commandMark:
		c.s.mouth.Mark(func(cleared bool) { c.marked(cmd.text, cleared) })
		c.waitForRoom()
	case commandClear:
		c.s.mouth.Clear()
		c.s.shared.update(func(st *State) { st.Clears++ })
		c.s.emit(Event{Kind: Cleared})
		c.spend(dialer.CostSeldom)
	case commandHangUp:
		c.ask(HangUp, cmd.text)
	case commandTransfer:
		c.ask(Transfer, cmd.text)
	case commandDigits:
		c.askDigits(cmd.text)
	}
}

func (c *connection) play(cmd command) {
	if len(cmd.pcm) == 0 {
		return
	}
	if !c.heard {
		c.heard = true
		now := time.Now()
		c.s.shared.update(func(st *State) {
			if st.FirstAudio.IsZero() {
				st.FirstAudio = now
			}
		})
	}
	c.s.mouth.Play(cmd.pcm, cmd.rate)
}

// marked tells the bot that a mark's audio was heard. A later connection does not know the mark.
func (c *connection) marked(name string, cleared bool) {
	select {
	case <-c.over:
	default:
		if !c.s.notices.add(notice{kind: noticeMark, text: name, on: cleared, of: c}) {
			c.end(errNoRead) // a mark would be missing
		}
	}
}

// ask gives a request of the bot to the call. One with a token in it would be read in logs and in the record.
func (c *connection) ask(kind Kind, text string) {
	if c.s.target.Hide(text) != text {
		c.s.wrong(wrongf(wrongMember, "the %s that the bot asks for has its own token in it", kind))
	} else if !c.s.emit(Event{Kind: kind, Text: text}) {
		c.s.wrong(&wrong{wrongTooMany, string(kind)})
	} else if kind != SendDigits {
		c.s.decided.Store(true)
	}
	c.spend(dialer.CostSeldom)
}

// askDigits refuses what would wait in the switch for minutes.
func (c *connection) askDigits(text string) {
	now, until := time.Now(), c.digitsUntil
	if until.Before(now) {
		until = now
	}
	if until = until.Add(timeOfDigits(text)); until.Sub(now) > maxDigitsWait {
		c.s.wrong(wrongf(wrongTooMany, "%d digits more: all that wait would take longer than %v", len(text), maxDigitsWait))
		c.spend(dialer.CostSeldom)
		return
	}
	c.digitsUntil = until
	c.ask(SendDigits, text)
}

// timeOfDigits is how long the switch needs for digits while it plays nothing (F159).
func timeOfDigits(text string) (d time.Duration) {
	for _, digit := range text {
		switch digit {
		case 'w':
			d += 500 * time.Millisecond
		case 'W':
			d += time.Second
		default:
			d += 600 * time.Millisecond
		}
	}
	return d
}

// waitForRoom has a bot wait that does not read what it is told.
func (c *connection) waitForRoom() {
	for c.s.notices.full() {
		select {
		case <-c.s.notices.room:
		case <-c.s.stopping:
			return
		case <-c.over:
			return
		}
	}
}

// seen has a bot pay for frames that are no messages, and ends the connection if there is nothing else for long.
func (c *connection) seen(f dialer.SeenFrames) {
	if c.s.isStopped() { // whoever closes reads, too
		return
	}
	c.pace.SpendFrames(f, func(wait time.Duration, idleSeconds int) bool {
		c.pause(wait)
		if idleSeconds > 0 {
			c.s.wrong(&wrong{kind: wrongFrames})
		}
		if idleSeconds >= dialer.MaxIdleSeconds {
			c.end(errFrames)
			return false
		}
		return !c.s.isStopped()
	})
}

// spend has a bot wait for the end of a second whose budget it has used up.
func (c *connection) spend(cost int) {
	if wait := c.pace.Spend(cost); wait > 0 {
		c.pause(wait)
	}
}

// pause has a bot wait, unless the connection is over or the session is told to stop.
func (c *connection) pause(wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.s.stopping:
	case <-c.over:
	}
}
