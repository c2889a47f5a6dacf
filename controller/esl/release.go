package esl

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"tapdeck/controller/esl/internal/fio"
)

// releaseTimeout bounds how long a switch may take to read the last commands and to end the
// connection.
const releaseTimeout = 2 * time.Second

// The last commands of a connection. Without resume a call whose channel has not parked yet is
// stranded (F8); with it, so is one without async (F94). What resume leaves on the channel would
// change what later socket actions do (F93).
const (
	cmdConnect = "connect\n\n"
	cmdResume  = "resume\n\n"
	cmdForget  = "sendmsg\ncall-command: execute\nexecute-app-name: unset\nexecute-app-arg: socket_resume\n\n"
	cmdQuiet   = "noevents\n\nnolinger\n\n" // F109
)

// channel is what a connection knows of its call's channel, to leave it well.
type channel struct {
	mu      sync.Mutex
	id      string
	leaving leaving
	known   bool // connect was answered
	ended   bool // hung up
	away    bool // the socket action has ended: something else has the channel
}

// leaving are the last commands that a connection gives.
type leaving string

const (
	leaveSilently leaving = ""        // there is no call, or not one that resume is for
	leaveResumed  leaving = cmdResume // the dialplan had set socket_resume itself
	leaveClean    leaving = cmdResume + cmdForget
)

// leavingFor returns the last commands for a channel by the reply to connect.
func leavingFor(reply fio.Header) leaving {
	switch {
	case reply.Get("Socket-Mode") == "static":
		return leaveSilently
	case reply.Get("variable_socket_resume") != "":
		return leaveResumed
	}
	return leaveClean
}

// connected notes the reply to connect.
func (c *channel) connected(reply fio.Header) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.id, c.leaving, c.known = reply.Get("Unique-ID"), leavingFor(reply), true
}

// set notes what to leave a peer with that has not answered connect.
func (c *channel) set(l leaving) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaving = l
}

// observe notes what an event or a notice says of the channel.
func (c *channel) observe(h fio.Header) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.Get("Content-Type") == "text/disconnect-notice" {
		c.ended = true
		return
	}
	if c.id == "" || h.Get("Unique-ID") != c.id {
		return
	}
	switch h.Get("Event-Name") {
	case "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE":
		c.ended = true
	case "CHANNEL_EXECUTE_COMPLETE":
		c.away = c.away || h.Get("Application") == "socket"
	}
}

// outerConn is the switch's side of a connection. The end of the link does not close it: what
// is to become of the channel is decided then.
type outerConn struct {
	net.Conn
	mu     sync.Mutex
	closed bool
}

// Close ends all reading and writing of the link.
func (o *outerConn) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil
	}
	o.closed = true
	return o.Conn.SetDeadline(time.Unix(1, 0))
}

func (o *outerConn) SetReadDeadline(t time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return net.ErrClosed
	}
	return o.Conn.SetReadDeadline(t)
}

func (o *outerConn) SetWriteDeadline(t time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return net.ErrClosed
	}
	return o.Conn.SetWriteDeadline(t)
}

// closedHint says what to do about a frame that ended the connection.
func (c *Conn) closedHint() string {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	if c.state.ended {
		return hintOddCaller
	}
	return hintClosed
}

// leaveChannel ends the TCP connection, once, in the one way that leaves no call with nobody in
// control, whatever has ended the link. The link may have left a command whose reply is awaited.
func (c *Conn) leaveChannel(cause error, awaiting bool) {
	c.left.Do(func() {
		held := false
		defer func() { // after a panic too
			if !held {
				c.outer.Conn.Close()
			}
		}()
		away, last := c.state.last(cause)
		if away {
			held = c.hold != nil && c.hold(c.outer.Conn)
			return
		}
		leave(c.outer.Conn, last, awaiting)
	})
}

// last returns the last commands for the channel of a connection that has ended for cause, or
// that something else has the channel.
func (c *channel) last(cause error) (away bool, last leaving) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ended || errors.Is(cause, ErrPeerClosed) || !c.known && !unanswered(cause):
		return false, leaveSilently
	case c.away:
		return true, leaveSilently
	}
	return false, c.leaving
}

// leave gives a switch its last commands, awaits its replies, ends our side, and waits until it
// has ended its own. If the reply to an earlier command is still awaited, it comes first.
func leave(conn net.Conn, last leaving, awaiting bool) {
	if last == leaveSilently {
		return
	}
	conn.SetDeadline(time.Now().Add(releaseTimeout))
	if _, err := io.WriteString(conn, string(last)); err != nil {
		return
	}
	r, replies := bufio.NewReader(conn), strings.Count(string(last), "\n\n")
	if awaiting {
		replies++
	}
	if !skipReplies(r, replies) {
		return
	}
	if half, ok := conn.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		return
	}
	io.Copy(io.Discard, r)
}

// skipReplies reads on until so many replies have come; false says that the connection has
// ended before. It looks for the replies alone and not for whole frames: the link may have read
// the beginning of one, and a JSON event, which has no line end, ends right before the next frame.
func skipReplies(r *bufio.Reader, n int) bool {
	for ; n > 0; n-- {
		if !skipTo(r, replyLine) || r.UnreadByte() != nil || !skipTo(r, "\n\n") { // the line's end may begin the blank line
			return false
		}
	}
	return true
}

// replyLine is in the header of every reply. In the body of a JSON event its end would be escaped.
const replyLine = "Content-Type: command/reply\n"

// skipTo reads up to the end of text, whose first byte begins it anew wherever it comes; false
// says that the connection has ended before.
func skipTo(r *bufio.Reader, text string) bool {
	for matched := 0; matched < len(text); {
		b, err := r.ReadByte()
		switch {
		case err != nil:
			return false
		case b == text[matched]:
			matched++
		case b == text[0]:
			matched = 1
		default:
			matched = 0
		}
	}
	return true
}

// hold keeps the connection of a channel that something else has until the channel has ended,
// or ctx: its end would unpark whatever has the channel then (F95).
func hold(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	conn.SetDeadline(time.Time{})
	if _, err := io.WriteString(conn, cmdQuiet); err == nil {
		io.Copy(io.Discard, conn)
	}
}
