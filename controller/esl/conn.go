package esl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"tapdeck/controller/esl/internal/fio"
	"tapdeck/controller/esl/internal/frame"
)

// Conn is one connection with a switch. Its methods, but for those that say so, may be
// called from several goroutines; commands wait for each other. A handler must keep
// reading Events, or return.
type Conn struct {
	cfg      Config
	log      *zap.Logger
	metrics  *metrics
	accepted time.Time

	outer   *outerConn
	state   channel                   // of a server's connection
	hold    func(outer net.Conn) bool // keeps the connection open; nil or false if it can't
	left    sync.Once                 // leaveChannel
	free    func()                    // gives back its place among MaxConnections
	behind  sync.WaitGroup            // leaveChannel, if the link has ended by itself
	frames  *frame.Reader
	link    *fio.Link
	channel *Event
	events  chan *Event
}

// newConn returns a connection that has no link yet.
func newConn(cfg Config, log *zap.Logger, m *metrics, outer net.Conn) *Conn {
	c := &Conn{
		cfg: cfg, log: log, metrics: m, accepted: time.Now(), channel: &Event{}, outer: &outerConn{Conn: outer},
		free: func() {}, events: make(chan *Event, eventQueue),
	}
	c.frames = frame.NewReader(c.outer, cfg.FrameTimeout, func(n int) { m.bytes.Add(float64(n)) })
	return c
}

// open links the connection, with a spare of the library if there is one; spares may be nil. The
// caller must close it then.
func (c *Conn) open(spares *fio.Spares) (err error) {
	c.link, err = fio.Open(c.outer, c.frames, fio.Options{
		WriteTimeout: c.cfg.FrameTimeout, ReplyTimeout: c.cfg.ReplyTimeout, Listed: c.cfg.headers.names,
		Spares:  spares,
		Deliver: c.deliver, Dropped: c.dropped, Done: c.done,
		Panicked: func(p any) { logPanic(c.log, c.outer, p) },
	})
	return err
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
func (c *Conn) Err() error { return c.link.Err() }

// Close ends a connection and waits for its goroutines. A handler's connection is closed when
// the handler returns; closing it earlier does no harm. A call that is not over goes on with the
// dialplan's next action, and Close waits until the switch knows that, for at most 2 s.
func (c *Conn) Close() {
	c.link.Close(ErrClosed)
	c.behind.Wait()
	c.leaveChannel(c.Err(), c.link.Awaiting())
	if errors.Is(c.Err(), fio.ErrLibrary) {
		c.log.Error("event socket library ended by itself", zap.Stringer("peer", c.RemoteAddr()), hint(hintLibrary))
	}
	c.free()
}

// TakenOver says that something else has the call's channel now, or that its socket action has
// begun again: if no event has said so, Close can't know it.
func (c *Conn) TakenOver() {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	c.state.away = true
}

// Command sends a command and returns the text of its reply, such as "+OK will
// linger 5 seconds". A reply of -ERR ends the connection with a *ReplyError, as
// do the end of ctx with its cause and Config.ReplyTimeout. ErrUnsafe and
// ErrTooLong leave the connection as it was.
func (c *Conn) Command(ctx context.Context, line string) (reply string, err error) {
	if err := check(line); err != nil {
		return "", err
	}
	r, err := c.link.Send(ctx, firstWord(line), line)
	return r.Get("Reply-Text"), err
}

// Execute queues an application on the channel with event-lock and returns the
// Event-UUID by which CHANNEL_EXECUTE_COMPLETE names it (Application-UUID, F20). It
// returns when the switch has queued the application, not when that has ended.
// Errors are those of Command.
func (c *Conn) Execute(ctx context.Context, app, arg string) (eventUUID string, err error) {
	eventUUID = uuid.NewString()
	return eventUUID, c.ExecuteAs(ctx, eventUUID, app, arg)
}

// ExecuteAs is Execute with an Event-UUID of the caller's.
func (c *Conn) ExecuteAs(ctx context.Context, eventUUID, app, arg string) error {
	if err := check(app, arg); err != nil {
		return err
	}
	_, err := c.link.SendMessage(ctx, "execute "+app, map[string]string{
		"call-command":     "execute",
		"execute-app-name": app,
		"execute-app-arg":  arg,
		"event-lock":       "true",
		"Event-UUID":       eventUUID,
	})
	return err
}

// BgAPI starts an API command in the background and returns the Job-UUID of the
// BACKGROUND_JOB event whose body is its answer, -ERR included. Errors are those
// of Command.
func (c *Conn) BgAPI(ctx context.Context, command string) (jobUUID string, err error) {
	if err := check(command); err != nil {
		return "", err
	}
	job, name := uuid.NewString(), "bgapi "+firstWord(command)
	r, err := c.link.Send(ctx, name, "bgapi "+command, "Job-UUID: "+job)
	if err != nil {
		return "", err
	}
	if got := r.Get("Job-UUID"); got != "" && got != job {
		return "", c.link.End(fmt.Errorf("send %s: %w", name, ErrWrongJob))
	}
	return job, nil
}

// connect sends connect and keeps its answer, the channel.
func (c *Conn) connect(ctx context.Context) error {
	ctx, cancel := context.WithDeadlineCause(ctx, c.accepted.Add(c.cfg.ConnectTimeout), ErrConnectTimeout)
	defer cancel()
	c.state.set(leaveClean) // it may be a switch that is slow to answer
	r, err := c.link.Send(ctx, "connect", "connect")
	if err != nil {
		return err
	}
	c.state.connected(r)
	c.channel = &Event{header: r, listed: c.cfg.headers}
	return nil
}

// deliver queues an event for the handler.
func (c *Conn) deliver(header fio.Header, body string) error {
	c.state.observe(header)
	select {
	case c.events <- &Event{Body: body, header: header, listed: c.cfg.headers}:
		c.metrics.events.Inc()
		return nil
	default:
		return ErrQueueFull
	}
}

// dropped counts what the library does not get.
func (c *Conn) dropped(reason string, contentType []byte) {
	c.metrics.dropped.WithLabelValues(reason).Inc()
	c.log.Warn("event socket frames dropped", zap.Stringer("peer", c.RemoteAddr()), zap.String("cause", reason),
		zap.String("content_type", string(contentType[:min(len(contentType), 64)])), hint(dropHint(reason)), ratelog(reason))
}

// done closes Events, reports a frame that ended the connection, and has the call let go. It
// may be called before open has returned.
func (c *Conn) done(cause error, awaiting bool) {
	if bad := new(FrameError); errors.As(cause, &bad) {
		c.metrics.closed.WithLabelValues(bad.Reason).Inc()
		c.log.Warn("event socket closed", zap.String("peer", bad.Peer), zap.String("cause", bad.Reason),
			zap.String("bytes", fmt.Sprintf("%q", bad.Bytes)), hint(c.closedHint()), ratelog(bad.Reason))
	}
	close(c.events)
	c.behind.Go(func() { // which may take a while, and whoever waits for a reply waits for done
		guarded(c.log, c.outer.Conn, func() { c.leaveChannel(cause, awaiting) })
	})
}
