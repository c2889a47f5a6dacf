package fio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/fiorix/go-eventsocket/eventsocket"
)

// ErrReplyTimeout is a command whose reply did not come in time.
var ErrReplyTimeout = errors.New("no reply in time")

// ReplyError is a reply of -ERR. It has ended its connection.
type ReplyError struct {
	// Command is the command's name without its arguments, which may hold secrets.
	Command string
	// Reply is the text of the reply after "-ERR ".
	Reply string
}

// Error gives command and reply.
func (e *ReplyError) Error() string {
	return fmt.Sprintf("send %s: switch replied -ERR %s", e.Command, e.Reply)
}

// Reply is the answer to a command.
type Reply struct {
	Header Header
	Body   string
}

// Send sends a command and waits for its reply. The name is what errors say of it. The
// lines behind its first are ended by CR LF, as the library ends the last: FreeSWITCH
// takes the first CR for the end of the command line if there is any, and would not
// see a line behind a bare LF. One command is in flight at a time; the others wait.
//
// A reply of -ERR ends the connection with a *ReplyError, as do the end of ctx with its
// cause and Options.ReplyTimeout.
func (l *Link) Send(ctx context.Context, name string, lines ...string) (Reply, error) {
	awaited := awaitCommandReply
	if first := lines[0]; len(first) >= 4 && strings.EqualFold(first[:4], "api ") {
		awaited = awaitAnyReply
	}
	command := strings.Join(lines, "\r\n")
	return l.exchange(ctx, name, awaited, func() (*eventsocket.Event, error) { return l.lib.Send(command) })
}

// SendMessage sends a sendmsg command with these headers, in any order; it is otherwise
// like Send.
func (l *Link) SendMessage(ctx context.Context, name string, headers map[string]string) (Reply, error) {
	return l.exchange(ctx, name, awaitCommandReply, func() (*eventsocket.Event, error) { return l.lib.SendMsg(headers, "", "") })
}

// exchange runs one command of the library and waits for its reply. Whatever
// ends the wait ends the connection, whose end is what makes the library return.
func (l *Link) exchange(ctx context.Context, name string, awaited int32, send func() (*eventsocket.Event, error)) (Reply, error) {
	l.sending.Lock()
	defer l.sending.Unlock()
	if err := l.Err(); err != nil {
		return Reply{}, err
	}
	if ctx.Err() != nil {
		return Reply{}, context.Cause(ctx)
	}
	limited, cancel := context.WithTimeoutCause(ctx, l.options.ReplyTimeout, ErrReplyTimeout)
	defer cancel()
	stop := context.AfterFunc(limited, func() { l.End(fmt.Errorf("send %s: %w", name, context.Cause(limited))) })
	defer stop()
	l.current.Store(name)
	l.guard.await(awaited)
	ev, err := send()
	l.guard.await(awaitNothing)
	switch {
	case err == nil:
		return Reply{Header(ev.Header), ev.Body}, nil
	case isReply(err):
		return Reply{}, l.End(&ReplyError{Command: name, Reply: err.Error()})
	}
	l.noteLast(err)
	return Reply{}, l.End(ErrLibrary)
}

// noteLast is called with sending held if a command got the library's last error. Before
// the guard's last notice that means that the library's reader ended by itself, and that
// the pump waits for an error that can't come again.
func (l *Link) noteLast(err error) {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "write" {
		return
	}
	l.gone = true
	select {
	case <-l.drained:
	default:
		l.broken.Store(true)
		close(l.pumped)
	}
}
