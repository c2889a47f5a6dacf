package agent

import (
	"errors"
	"time"

	"tapdeck/controller/dialer"

	"github.com/coder/websocket"
)

const (
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
	*dialer.Conn
	s    *Session
	wire wire

	// What the goroutine that reads needs.
	heard       bool
	digitsUntil time.Time // when the switch will have sent the digits that it was given

	// What the goroutine that writes needs.
	frames  *frames
	buffer  []byte
	fetched []notice
	mute    bool // the recording has ended
	sent    int  // frames, that State does not have yet
	total   int  // of all frames
}

func newConnection(s *Session, conn *dialer.Conn) *connection {
	c := &connection{Conn: conn, s: s, wire: newWire(s.config)}
	c.frames = newFrames(s.ear, s.config.Rate, c.wire.rate(), s.dropped)
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
	cause := c.Serve(
		func() error { return c.s.guarded(c.read) },
		func() error { return c.s.guarded(c.write) },
	)
	if dialer.NormalEnd(cause) {
		return nil
	}
	return cause
}

// read has the bot heard and obeyed, until the connection is over.
func (c *connection) read() error {
	for {
		binary, message, err := c.Read()
		if err != nil {
			return c.readError(err)
		}
		if c.s.isStopped() { // only the close matters now
			continue
		}
		c.obey(binary, message)
		c.Spend(dialer.MessageCost(len(message)))
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
		c.Spend(dialer.CostSeldom)
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
		c.Spend(dialer.CostSeldom)
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
	case <-c.Over():
	default:
		if !c.s.notices.add(notice{kind: noticeMark, text: name, on: cleared, of: c}) {
			c.End(errNoRead) // a mark would be missing
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
	c.Spend(dialer.CostSeldom)
}

// askDigits refuses what would wait in the switch for minutes.
func (c *connection) askDigits(text string) {
	now, until := time.Now(), c.digitsUntil
	if until.Before(now) {
		until = now
	}
	if until = until.Add(timeOfDigits(text)); until.Sub(now) > maxDigitsWait {
		c.s.wrong(wrongf(wrongTooMany, "%d digits more: all that wait would take longer than %v", len(text), maxDigitsWait))
		c.Spend(dialer.CostSeldom)
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
		case <-c.Over():
			return
		}
	}
}
