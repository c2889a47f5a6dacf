package esl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"

	"github.com/fiorix/go-eventsocket/eventsocket"
)

// exchange runs one command of the library and waits for its reply. Whatever
// ends the wait ends the connection, whose end is what makes the library return.
func (c *Conn) exchange(ctx context.Context, name string, kind int32, send func() (*eventsocket.Event, error)) (*Event, error) {
	if err := c.takeTurn(ctx); err != nil {
		return nil, err
	}
	defer c.giveTurn()
	limited, cancel := context.WithTimeoutCause(ctx, c.cfg.ReplyTimeout, ErrReplyTimeout)
	defer cancel()
	stop := context.AfterFunc(limited, func() { c.end(fmt.Errorf("send %s: %w", name, context.Cause(limited))) })
	defer stop()
	c.current.Store(name)
	c.guard.await(kind)
	ev, err := send()
	c.guard.await(awaitNothing)
	switch {
	case err == nil:
		return &Event{Body: ev.Body, header: ev.Header}, nil
	case isReply(err):
		return nil, c.end(&ReplyError{Command: name, Reply: err.Error()})
	}
	return nil, c.lost(err)
}

// connect sends connect and keeps its answer, the channel.
func (c *Conn) connect(ctx context.Context) error {
	ctx, cancel := context.WithDeadlineCause(ctx, c.accepted.Add(c.cfg.ConnectTimeout), ErrConnectTimeout)
	defer cancel()
	ev, err := c.exchange(ctx, "connect", awaitCommandReply, func() (*eventsocket.Event, error) { return c.lib.Send("connect") })
	if err != nil {
		return err
	}
	c.channel = ev
	return nil
}

// takeTurn waits until no other command is in flight.
func (c *Conn) takeTurn(ctx context.Context) error {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.over:
		return c.Err()
	}
	if err := c.Err(); err != nil {
		c.giveTurn()
		return err
	}
	if ctx.Err() != nil {
		c.giveTurn()
		return context.Cause(ctx)
	}
	return nil
}

func (c *Conn) giveTurn() { <-c.turn }

// lost notes under turn that a command got the library's last error. Before
// the guard's notice that means that the library's reader ended by itself, and
// that the pump waits for an error that can't come again.
func (c *Conn) lost(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "write" {
		return c.end(errLibrary)
	}
	c.gone = true
	select {
	case <-c.drained:
	default:
		close(c.orphan)
	}
	return c.end(errLibrary)
}

// isReply tells a reply of -ERR from the end of the library's reader: the
// library makes both with errors.New, but those of the reader are well known.
func isReply(err error) bool {
	return err != io.EOF && err != io.ErrUnexpectedEOF && reflect.TypeOf(err) == reflect.TypeOf(errors.New(""))
}
