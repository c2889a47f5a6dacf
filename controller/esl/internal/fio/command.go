package fio

import (
	"context"
	"errors"
	"fmt"
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

// Send sends a command and waits for its reply. The name is what errors say of it. The
// lines behind its first are ended by CR LF, as the library ends the last: FreeSWITCH
// takes the first CR for the end of the command line if there is any, and would not
// see a line behind a bare LF (F12). One command is in flight at a time; the others wait.
//
// The reply to an api command, which is of another kind, does not pass: use bgapi. A
// reply of -ERR ends the connection with a *ReplyError, as do the end of ctx with its
// cause and Options.ReplyTimeout.
func (l *Link) Send(ctx context.Context, name string, lines ...string) (Header, error) {
	command := strings.Join(lines, "\r\n")
	return l.exchange(ctx, name, func() (*eventsocket.Event, error) { return l.lib.Send(command) })
}

// SendMessage sends a sendmsg command with these headers, in any order; it is otherwise
// like Send.
func (l *Link) SendMessage(ctx context.Context, name string, headers map[string]string) (Header, error) {
	return l.exchange(ctx, name, func() (*eventsocket.Event, error) { return l.lib.SendMsg(headers, "", "") })
}

// exchange runs one command of the library and waits for its reply. Whatever
// ends the wait ends the connection, whose end is what makes the library return.
func (l *Link) exchange(ctx context.Context, name string, send func() (*eventsocket.Event, error)) (Header, error) {
	l.sending.Lock()
	defer l.sending.Unlock()
	if err := l.Err(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	limited, cancel := context.WithTimeoutCause(ctx, l.options.ReplyTimeout, ErrReplyTimeout)
	defer cancel()
	stop := context.AfterFunc(limited, func() { l.End(fmt.Errorf("send %s: %w", name, context.Cause(limited))) })
	defer stop()
	l.current.Store(name)
	ev, err := send()
	if err == nil {
		return Header(ev.Header), nil
	}
	l.soiled.Store(true)
	if isReply(err) {
		return nil, l.End(&ReplyError{Command: name, Reply: err.Error()})
	}
	l.finish()
	return nil, l.End(ErrLibrary)
}
