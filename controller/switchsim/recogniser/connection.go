package recogniser

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// wire is the recogniser's side of one connection's protocol. One goroutine calls it.
type wire interface {
	// audio and text are messages. replaced says that a fault has answered the audio already.
	audio(b []byte, replaced bool)
	text(b []byte)
	// duration is how much audio so many bytes are.
	duration(bytes int) time.Duration
}

// Connection is one attempt of a client to connect, and what came of it. It stays readable after its end.
type Connection struct {
	// Number counts from 1.
	Number int
	// Path, Query and Header are the handshake's.
	Path   string
	Query  url.Values
	Header http.Header

	server    *Server
	socket    net.Conn
	ws        *websocket.Conn
	misbehave atomic.Pointer[Fault]
	active    atomic.Int64    // when the last message came, in ns since 1970; the end of time if none need come
	flooding  atomic.Bool     // a goroutine does
	running   sync.WaitGroup  // its goroutines
	gone      <-chan struct{} // closed when they have to end
	done      chan struct{}

	// These belong to the goroutine that reads.
	finished bool   // nothing is to be read any more
	narrow   bool   // the kernel keeps little for it
	answered Fault  // the one to which nonsense belongs
	nonsense int    // how often it has been said
	late     outbox // nil if no answer was ever late

	mu      sync.Mutex
	report  Report
	audio   []byte
	traffic []Message
	changed chan struct{} // closed at the next change of report; nil if nobody waits
}

// maxMessage is the size in bytes that a recogniser accepts.
const maxMessage = 8 << 20

// run serves the WebSocket until its end. cancel ends ctx.
func (c *Connection) run(ctx context.Context, cancel context.CancelFunc, w wire) {
	c.ws.SetReadLimit(maxMessage)
	c.gone = ctx.Done()
	c.running.Go(func() {
		<-c.gone
		_ = c.socket.Close() // ends reads and writes that wait
	})
	c.touch()
	if c.server.Format != Vosk {
		c.running.Go(c.watch)
	}
	c.read(w)
	c.late.close()
	cancel()
	_ = c.ws.CloseNow()
	c.running.Wait()
}

func (c *Connection) read(w wire) {
	var b []byte
	c.breakOff(0)
	for !c.finished {
		kind, r, err := c.ws.Reader(context.Background()) // the socket's end ends it
		if err == nil {
			b, err = readAll(r, b[:0])
		}
		if err != nil {
			c.ended(err)
			return
		}
		c.touch()
		if kind == websocket.MessageText {
			c.noteText(b)
			w.text(b)
			continue
		}
		c.binary(w, b)
	}
}

// binary is one message of audio.
func (c *Connection) binary(w wire, b []byte) {
	heard := c.noteAudio(w, b)
	if c.breakOff(heard); c.finished {
		return
	}
	w.audio(b, c.talkNonsense(heard))
	c.slow(len(b))
}

// readAll is io.ReadAll into a buffer that is used again.
func readAll(r io.Reader, b []byte) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// touch is a sign of life of the client, expectNothing the end of waiting for one.
func (c *Connection) touch()         { c.active.Store(time.Now().UnixNano()) }
func (c *Connection) expectNothing() { c.active.Store(math.MaxInt64) }

// watch closes a connection on which nothing comes, as deepgram does.
func (c *Connection) watch() {
	const reason = "NET-0001: Deepgram did not receive audio data or a text message within the timeout window."
	idle := c.server.idle()
	for wait := idle; c.sleep(min(wait, idle)); {
		if wait = time.Until(time.Unix(0, c.active.Load()).Add(idle)); wait <= 0 {
			c.close(websocket.StatusInternalError, reason)
			return
		}
	}
}

// sleep returns false if the connection has to end first.
func (c *Connection) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.gone:
	}
	return !c.over()
}

// over says that the connection has to end without another word.
func (c *Connection) over() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// close closes the connection with a code and a reason, in order, and waits for the client's answer, at most
// five seconds.
func (c *Connection) close(code websocket.StatusCode, reason string) {
	c.end(End{Code: code, Reason: reason, Ours: true})
	_ = c.ws.Close(code, reason[:min(len(reason), maxReason)]) // the client may have gone
}

// maxReason is what fits into a close frame, in bytes.
const maxReason = 123

// finish is close by the goroutine that reads, behind all answers.
func (c *Connection) finish(code websocket.StatusCode, reason string) {
	c.late.drain()
	c.finished = true
	if c.over() {
		c.end(End{Code: noClose, Ours: true})
		return
	}
	c.close(code, reason)
}

// reset ends the connection with a TCP reset.
func (c *Connection) reset() {
	c.end(End{Code: noClose, Ours: true})
	socket := c.socket
	if wrapped, ok := socket.(interface{ NetConn() net.Conn }); ok { // TLS
		socket = wrapped.NetConn()
	}
	if tcp, ok := socket.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = socket.Close()
	c.finished = true
}

// ended notes how a connection ended that could not be read any more.
func (c *Connection) ended(err error) {
	e := End{Code: noClose, Err: err}
	if closed := (websocket.CloseError{}); errors.As(err, &closed) {
		e.Code, e.Reason = closed.Code, closed.Reason
	}
	c.end(e)
}

// id is what deepgram calls the request: a UUID that has the connection's number.
func (c *Connection) id() string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", c.Number) }
