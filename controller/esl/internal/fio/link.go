package fio

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fiorix/go-eventsocket/eventsocket"

	"tapdeck/controller/esl/internal/frame"
)

const (
	commandBuffer  = 512              // bytes; a longer command needs more reads
	libraryTimeout = 10 * time.Second // for the library to accept a frame, and to close its end
	markHeader     = "Tapdeck-End"    // of the guard's last notice
)

// MaxReplyTimeout bounds Options.ReplyTimeout: the library itself gives up after 60 s,
// and would then leave a reply behind for the next command.
const MaxReplyTimeout = 60 * time.Second

// ErrLibrary is the library's reader ending by itself: the guard let something pass
// that it should not have.
var ErrLibrary = errors.New("library stopped reading")

// Options are what a Link works by.
type Options struct {
	// WriteTimeout bounds how long a command may wait for the switch to read it.
	WriteTimeout time.Duration
	// ReplyTimeout bounds the time from a command to its reply; under MaxReplyTimeout.
	ReplyTimeout time.Duration
	// Listed names the headers that are read of JSON events and of replies to commands.
	Listed Names
	// Deliver receives an event or a disconnect notice. An error ends the connection,
	// and nothing more is delivered.
	Deliver func(h Header, body string) error
	// Dropped is called for a frame, or the lines of one, that the library does not get.
	Dropped func(reason string, contentType []byte)
	// Done is called once, after the last Deliver, with the cause of the end.
	Done func(cause error)
}

// Link is one connection with a switch through the library.
type Link struct {
	options Options

	// The two sides.
	outer  net.Conn
	frames *frame.Reader
	guard  guard
	inner  *net.TCPConn
	lib    *eventsocket.Connection

	// Commands.
	sending sync.Mutex   // held by the command in flight
	current atomic.Value // its name, a string

	// The end.
	once    sync.Once
	over    chan struct{} // closed as soon as the connection is to end
	cause   error         // set before over is closed
	endMark string        // in the guard's last notice
	relays  sync.WaitGroup
	drained chan struct{} // closed by the pump at the guard's last notice
	pumped  chan struct{} // closed when the pump has ended, or never can
	gone    bool          // under sending: the library's last error was read
	broken  atomic.Bool   // it came before the guard's last notice
}

// Open joins the library to the switch's connection outer, whose frames are read from
// frames. The end of ctx ends the joining, not the link, which the caller must close.
func Open(ctx context.Context, outer net.Conn, frames *frame.Reader, o Options) (*Link, error) {
	lib, inner, err := join(ctx)
	if err != nil {
		return nil, err
	}
	l := &Link{
		options: o, outer: outer, frames: frames, inner: inner.(*net.TCPConn), lib: lib, endMark: rand.Text(),
		over: make(chan struct{}), drained: make(chan struct{}), pumped: make(chan struct{}),
	}
	l.guard.listed = o.Listed
	l.relays.Go(l.relayFrames)
	l.relays.Go(l.relayCommands)
	go l.pump()
	return l, nil
}

// End ends the connection, unless it has ended, and returns the cause of its end.
func (l *Link) End(cause error) error {
	l.once.Do(func() {
		l.cause = cause
		close(l.over)
		l.outer.Close()
	})
	return l.cause
}

// Err returns why the connection is over, or nil while it is not.
func (l *Link) Err() error {
	select {
	case <-l.over:
		return l.cause
	default:
		return nil
	}
}

// Close ends the connection for cause and waits for its goroutines. It returns
// ErrLibrary if the library ended by itself; its pump may be left then.
func (l *Link) Close(cause error) error {
	l.End(cause)
	l.relays.Wait()
	<-l.pumped
	if l.broken.Load() {
		return ErrLibrary
	}
	return nil
}

// relayFrames hands the switch's frames to the library until the connection
// ends, and then brings the library to its end.
func (l *Link) relayFrames() {
	l.End(l.relayUntilEnd())
	l.toLibrary([]byte("Content-Type: text/disconnect-notice\n" + markHeader + ": " + l.endMark + "\n\n"))
	select {
	case <-l.drained:
	case <-l.pumped:
	}
	l.inner.SetReadDeadline(time.Now().Add(libraryTimeout))
	l.inner.CloseWrite()
}

func (l *Link) relayUntilEnd() error {
	for {
		f, err := l.frames.Next()
		if err != nil {
			return err
		}
		v, reason := l.guard.judge(&f)
		if f.Refused > 0 {
			l.options.Dropped(DropLine, f.ContentType)
		}
		switch v {
		case drop:
			l.options.Dropped(reason, f.ContentType)
		case distrust:
			return frame.NewError(l.outer, reason, f.Data)
		default:
			if err := l.toLibrary(f.Data); err != nil {
				return err
			}
		}
		if v == forwardLast {
			return frame.ErrPeerClosed
		}
	}
}

// toLibrary writes to the library, which always reads.
func (l *Link) toLibrary(data []byte) error {
	l.inner.SetWriteDeadline(time.Now().Add(libraryTimeout))
	if _, err := l.inner.Write(data); err != nil {
		return fmt.Errorf("%w: %w", ErrLibrary, err)
	}
	return nil
}

// relayCommands hands the library's commands to the switch until the library
// has closed its end.
func (l *Link) relayCommands() {
	defer l.inner.Close()
	buf := make([]byte, commandBuffer)
	for {
		n, err := l.inner.Read(buf)
		if n > 0 && l.Err() == nil {
			l.toSwitch(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

func (l *Link) toSwitch(command []byte) {
	l.outer.SetWriteDeadline(time.Now().Add(l.options.WriteTimeout))
	if _, err := l.outer.Write(command); err != nil {
		l.End(fmt.Errorf("%w (%w)", frame.ErrPeerClosed, err))
	}
}

// pump reads everything that the library has, always, so that its small buffer
// never holds a reply back.
func (l *Link) pump() {
	defer close(l.pumped)
	defer func() { l.options.Done(l.Err()) }()
	for lost := false; ; {
		ev, err := l.lib.ReadEvent()
		switch {
		case err == nil && l.isEnd(ev):
			l.reap()
			return
		case err == nil && !lost:
			if err := l.options.Deliver(Header(ev.Header), ev.Body); err != nil {
				lost = true // after one event the rest is worth nothing
				l.End(err)
			}
		case isReply(err):
			name, _ := l.current.Load().(string)
			l.End(&ReplyError{Command: name, Reply: err.Error()})
		case err != nil:
			l.broken.Store(true)
			l.End(fmt.Errorf("%w: %w", ErrLibrary, err))
			return
		}
	}
}

// isEnd says whether ev is the guard's last notice.
func (l *Link) isEnd(ev *eventsocket.Event) bool {
	mark, _ := ev.Header[markHeader].(string)
	return mark == l.endMark
}

// reap lets the library's reader come to its end. It gives its last error to
// one consumer only: a command in flight, else this one.
func (l *Link) reap() {
	close(l.drained)
	l.sending.Lock()
	defer l.sending.Unlock()
	for !l.gone {
		_, err := l.lib.ReadEvent()
		l.gone = err != nil && !isReply(err)
	}
}

// isReply tells a reply of -ERR from the end of the library's reader: the
// library makes both with errors.New, but those of the reader are well known.
func isReply(err error) bool {
	return err != nil && err != io.EOF && err != io.ErrUnexpectedEOF && reflect.TypeOf(err) == reflect.TypeOf(errors.New(""))
}
