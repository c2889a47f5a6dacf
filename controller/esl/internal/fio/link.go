package fio

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fiorix/go-eventsocket/eventsocket"

	"tapdeck/controller/esl/internal/frame"
)

const commandBuffer = 512 // bytes; a longer command needs more reads

// ErrLibrary is the library's reader ending by itself: the guard let something pass
// that it should not have.
var ErrLibrary = errors.New("library stopped reading")

// ErrPanic is a panic in one of a link's goroutines, which are the switch's frames on their way.
var ErrPanic = errors.New("a defect of tapdeck")

// Options are what a Link works by.
type Options struct {
	// WriteTimeout bounds how long a command may wait for the switch to read it.
	WriteTimeout time.Duration
	// ReplyTimeout bounds the time from a command to its reply; under 60 s, after
	// which the library itself gives up and would leave the reply behind for the next command.
	ReplyTimeout time.Duration
	// Listed names the headers that are read of JSON events and of replies to commands.
	Listed Names
	// Spares has the library's connections of links that are over. nil: each link joins its own.
	Spares *Spares
	// Deliver receives an event or a disconnect notice. An error ends the connection,
	// and nothing more is delivered.
	Deliver func(h Header, body string) error
	// Dropped is called for a frame, or the lines of one, that the library does not get.
	Dropped func(reason string, contentType []byte)
	// Done is called once, after the last Deliver, with the cause of the end, and with what
	// Awaiting returns then.
	Done func(cause error, awaiting bool)
	// Panicked is called, in its deferred function, for a panic in one of the link's goroutines,
	// which ends the connection with ErrPanic.
	Panicked func(p any)
}

// Link is one connection with a switch through the library.
type Link struct {
	options Options

	// The two sides.
	outer  net.Conn
	frames *frame.Reader
	guard  guard
	pair

	// Commands.
	sending sync.Mutex   // held by the command in flight
	current atomic.Value // its name, a string
	soiled  atomic.Bool  // an error came from the library

	// The end.
	once   sync.Once
	over   chan struct{} // closed as soon as the connection is to end
	cause  error         // set before over is closed
	mark   string        // of our notice behind the last frame, which nobody else can make
	relays sync.WaitGroup
	done   chan struct{} // closed by finish
	finish func()        // called by the pump at its end, and by a command that got the library's last error
}

// Open joins the library to the switch's connection outer, whose frames are read from
// frames. The caller must close the link.
func Open(outer net.Conn, frames *frame.Reader, o Options) (*Link, error) {
	p, err := o.Spares.get()
	if err != nil {
		return nil, err
	}
	l := &Link{
		options: o, outer: outer, frames: frames, pair: p,
		over: make(chan struct{}), mark: rand.Text(), done: make(chan struct{}),
	}
	l.guard.listed = o.Listed
	l.finish = sync.OnceFunc(func() { close(l.done) })
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

// Awaiting says whether a command was sent whose reply has not come: once the link is over, the
// switch may still send it.
func (l *Link) Awaiting() bool { return l.guard.awaiting.Load() }

// Close ends the connection for cause and waits for its goroutines. If the library's reader
// ended by itself and a command got its last error, nothing reaches the pump any more: Close
// does not wait for it.
func (l *Link) Close(cause error) {
	l.End(cause)
	l.relays.Wait()
	<-l.done
}

// guarded runs what the switch or a defect may make panic: that ends this connection only.
func (l *Link) guarded(run func()) {
	defer func() {
		if p := recover(); p != nil {
			l.End(fmt.Errorf("%w: %v", ErrPanic, p))
			l.options.Panicked(p)
		}
	}()
	run()
}

// relayFrames hands the switch's frames to the library, which always reads, until the
// connection ends. The notice behind them says so to the pump.
func (l *Link) relayFrames() {
	l.guarded(func() { l.End(l.relayUntilEnd()) })
	io.WriteString(l.inner, "Content-Type: text/disconnect-notice\nContent-Disposition: "+l.mark+"\n\n")
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
			continue
		case distrust:
			return frame.NewError(l.outer, reason, f.Data)
		}
		if _, err := l.inner.Write(f.Data); err != nil {
			return fmt.Errorf("%w: %w", ErrLibrary, err)
		}
		if v == forwardLast {
			return frame.ErrPeerClosed
		}
	}
}

// relayCommands hands the library's commands to the switch until the library
// has closed its end, or the pair is clean.
func (l *Link) relayCommands() {
	buf := make([]byte, commandBuffer)
	for {
		n, err := l.inner.Read(buf)
		if n > 0 && l.Err() == nil {
			l.guarded(func() { l.command(buf[:n]) }) // and read on: the library's end would leave its command behind
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		if err != nil {
			l.inner.Close()
			return
		}
	}
}

func (l *Link) command(b []byte) {
	l.guard.pass(b)
	l.outer.SetWriteDeadline(time.Now().Add(l.options.WriteTimeout))
	if _, err := l.outer.Write(b); err != nil {
		l.guard.awaiting.Store(false)
		l.End(fmt.Errorf("%w (%w)", frame.ErrPeerClosed, err))
	}
}

// pump reads everything that the library has, always, so that its small buffer never
// holds a reply back. It ends at our notice behind the last frame, and then keeps the library's
// connection for another link, or closes it, which ends a command in flight.
func (l *Link) pump() {
	var all bool
	l.guarded(func() { all = l.readEvents() })
	l.guarded(func() { l.options.Done(l.Err(), l.Awaiting()) })
	if all && l.options.Spares != nil && l.clean() {
		l.inner.SetReadDeadline(time.Unix(0, 0))
		l.relays.Wait()
		l.options.Spares.put(l.pair)
	} else {
		l.inner.CloseWrite()
	}
	l.finish()
}

// clean says whether the library has no command, and no error of one. No command begins once
// the connection is over.
func (l *Link) clean() bool {
	if !l.sending.TryLock() {
		return false
	}
	defer l.sending.Unlock()
	return !l.soiled.Load()
}

// readEvents delivers events until our notice, and then returns true, or until the library ends
// by itself.
func (l *Link) readEvents() bool {
	for lost := false; ; {
		ev, err := l.lib.ReadEvent()
		switch {
		case err == nil && ev.Header["Content-Disposition"] == l.mark:
			return true
		case err == nil && !lost:
			if err := l.deliver(ev); err != nil {
				lost = true // after one event the rest is worth nothing
				l.End(err)
			}
		case isReply(err):
			name, _ := l.current.Load().(string)
			l.End(&ReplyError{Command: name, Reply: err.Error()})
		case err != nil:
			l.End(fmt.Errorf("%w: %w", ErrLibrary, err))
			return false
		}
	}
}

// deliver delivers an event. A panic is an error: the library is to be read on.
func (l *Link) deliver(ev *eventsocket.Event) (err error) {
	err = ErrPanic
	l.guarded(func() { err = l.options.Deliver(Header(ev.Header), ev.Body) })
	return err
}

// isReply tells a reply of -ERR from the end of the library's reader: the
// library makes both with errors.New, but those of the reader are well known.
func isReply(err error) bool {
	return err != nil && err != io.EOF && err != io.ErrUnexpectedEOF && reflect.TypeOf(err) == reflect.TypeOf(errors.New(""))
}
