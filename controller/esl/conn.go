package esl

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fiorix/go-eventsocket/eventsocket"
	"github.com/google/uuid"
	"go.uber.org/zap"
)

// Conn is one connection with a switch. Its methods, but for those that say so, may be
// called from several goroutines; commands wait for each other. A handler must keep
// reading Events, or return.
type Conn struct {
	cfg      Config
	log      *zap.Logger
	metrics  *metrics
	drops    *meter
	accepted time.Time
	channel  *Event

	// The two sides.
	outer  net.Conn
	frames *frameReader
	guard  guard
	inner  *net.TCPConn
	lib    *eventsocket.Connection

	// Commands.
	turn    chan struct{} // of capacity 1: held by the command in flight
	current atomic.Value  // its name, a string

	// Events.
	events   chan *Event
	overflow bool   // pump only: an event was lost
	endMark  string // in the guard's last notice

	// The end.
	ending  sync.Once
	over    chan struct{}  // closed as soon as the connection is to end
	cause   error          // set before over is closed
	tasks   sync.WaitGroup // the two relays
	drained chan struct{}  // closed by the pump at the guard's notice
	left    chan struct{}  // closed when the library has closed its end
	pumped  chan struct{}  // closed when the pump has ended
	gone    bool           // under turn: the library's last error was taken
	orphan  chan struct{}  // closed when a command took the error that the pump waits for
}

// Channel returns the reply to connect: Unique-ID, Control, Socket-Mode and the
// channel's variables, as far as Config.Headers names them. It is empty for a dialled
// connection, and after ReleaseChannel.
func (c *Conn) Channel() *Event { return c.channel }

// ReleaseChannel gives up the reply to connect, 14 KB of a whole one, once the handler
// has read what it needs of it. Channel and ReleaseChannel are for one goroutine.
func (c *Conn) ReleaseChannel() { c.channel = &Event{} }

// RemoteAddr returns the switch's address.
func (c *Conn) RemoteAddr() net.Addr { return c.outer.RemoteAddr() }

// AcceptedAt returns when the connection was accepted or dialled.
func (c *Conn) AcceptedAt() time.Time { return c.accepted }

// Events returns the events and disconnect notices in order. It is closed when
// the connection is over and everything that came before its end was queued;
// Err then says why it ended.
func (c *Conn) Events() <-chan *Event { return c.events }

// Err returns why the connection is over, or nil while it is not:
// ErrPeerClosed, ErrQueueFull, ErrClosed, ErrReplyTimeout, *ReplyError,
// *FrameError, or the cause of a context.
func (c *Conn) Err() error {
	select {
	case <-c.over:
		return c.cause
	default:
		return nil
	}
}

// Command sends a command and returns the text of its reply, such as "+OK will
// linger 5 seconds". A reply of -ERR ends the connection with a *ReplyError, as
// do the end of ctx with its cause and Config.ReplyTimeout. ErrUnsafe and
// ErrTooLong leave the connection as it was.
func (c *Conn) Command(ctx context.Context, line string) (reply string, err error) {
	if err := check(line); err != nil {
		return "", err
	}
	kind := awaitCommandReply
	if isAPI(line) {
		kind = awaitAnyReply
	}
	ev, err := c.exchange(ctx, commandName(line), kind, func() (*eventsocket.Event, error) { return c.lib.Send(line) })
	if err != nil {
		return "", err
	}
	if text := ev.Get("Reply-Text"); text != "" {
		return text, nil
	}
	return ev.Body, nil
}

// Execute queues an application on the channel with event-lock and returns the
// Event-UUID by which CHANNEL_EXECUTE_COMPLETE names it (Application-UUID). It
// returns when the switch has taken the application, not when that has ended.
// Errors are those of Command.
func (c *Conn) Execute(ctx context.Context, app, arg string) (eventUUID string, err error) {
	if err := check(app, arg); err != nil {
		return "", err
	}
	eventUUID = uuid.NewString()
	msg := eventsocket.MSG{
		"call-command":     "execute",
		"execute-app-name": app,
		"execute-app-arg":  arg,
		"event-lock":       "true",
		"Event-UUID":       eventUUID,
	}
	_, err = c.exchange(ctx, "execute "+app, awaitCommandReply, func() (*eventsocket.Event, error) { return c.lib.SendMsg(msg, "", "") })
	if err != nil {
		return "", err
	}
	return eventUUID, nil
}

// BgAPI starts an API command in the background and returns the Job-UUID of the
// BACKGROUND_JOB event whose body is its answer, -ERR included. Errors are those
// of Command.
func (c *Conn) BgAPI(ctx context.Context, command string) (jobUUID string, err error) {
	if err := check(command); err != nil {
		return "", err
	}
	job := uuid.NewString()
	line := backgroundCommand(command, job)
	ev, err := c.exchange(ctx, commandName(line), awaitCommandReply, func() (*eventsocket.Event, error) { return c.lib.Send(line) })
	if err != nil {
		return "", err
	}
	if got := ev.Get("Job-UUID"); got != "" && got != job {
		return "", c.end(fmt.Errorf("send %s: %w", commandName(line), ErrWrongJob))
	}
	return job, nil
}
