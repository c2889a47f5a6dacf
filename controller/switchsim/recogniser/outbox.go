package recogniser

import (
	"context"
	"time"

	"github.com/coder/websocket"
)

// answer is one message to the client. final says that its words stay as they are.
func (c *Connection) answer(b []byte, final bool) {
	f := c.fault()
	if f.Mute {
		return
	}
	c.note(func(r *Report) {
		r.Answers++
		if final {
			r.Finals++
		}
	})
	if f.FinalDelay == 0 && c.late == nil {
		c.write(websocket.MessageText, b)
		return
	}
	if c.late == nil {
		c.late = make(outbox, maxLate)
		c.running.Go(func() { c.deliver(c.late) })
	}
	due := time.Now()
	if final {
		due = due.Add(f.FinalDelay)
	}
	c.late <- parcel{due: due, message: b}
}

// write sends at once. What can't be sent any more is dropped: the reader sees the end.
func (c *Connection) write(kind websocket.MessageType, b []byte) {
	_ = c.ws.Write(context.Background(), kind, b)
}

// maxLate is how many answers wait to be sent before the recogniser reads no more.
const maxLate = 10_000

// outbox has the answers of a connection, in order, since one was late. A nil outbox is empty.
type outbox chan parcel

type parcel struct {
	due     time.Time
	message []byte
	sent    chan struct{} // if not nil, this is no message: it is closed when all before have been sent
}

// deliver sends each answer when it is due and those before it have been sent.
func (c *Connection) deliver(late outbox) {
	for p := range late {
		switch {
		case p.sent != nil:
			close(p.sent)
		case c.sleep(time.Until(p.due)):
			c.write(websocket.MessageText, p.message)
		}
	}
}

// drain returns when all answers have been sent.
func (o outbox) drain() {
	if o != nil {
		sent := make(chan struct{})
		o <- parcel{sent: sent}
		<-sent
	}
}

func (o outbox) close() {
	if o != nil {
		close(o)
	}
}
