package esl

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/fiorix/go-eventsocket/eventsocket"
	"go.uber.org/zap"
)

const (
	commandBuffer = 512              // bytes; a longer command takes more reads
	leaveTimeout  = 10 * time.Second // for the library to close its end
	markHeader    = "Tapdeck-End"    // in the guard's last notice
)

// newConn makes a connection of which nothing runs yet.
func newConn(cfg Config, log *zap.Logger, m *metrics, drops *meter, outer net.Conn) *Conn {
	c := &Conn{
		cfg: cfg, log: log, metrics: m, drops: drops, accepted: time.Now(), channel: &Event{}, outer: outer,
		turn:    make(chan struct{}, 1),
		events:  make(chan *Event, cfg.EventQueue),
		endMark: rand.Text(),
		over:    make(chan struct{}),
		drained: make(chan struct{}),
		left:    make(chan struct{}),
		pumped:  make(chan struct{}),
		orphan:  make(chan struct{}),
	}
	c.guard.wanted = cfg.wanted()
	c.frames = newFrameReader(outer, cfg, c.count)
	return c
}

// start joins the library to the connection and starts its goroutines. After
// it has succeeded the caller must call close.
func (c *Conn) start(b *bridge) error {
	p, err := b.join()
	if err != nil {
		return err
	}
	c.lib, c.inner = p.lib, p.inner.(*net.TCPConn)
	c.tasks.Go(c.relayFrames)
	c.tasks.Go(c.relayCommands)
	go c.pump()
	return nil
}

// end ends the connection, unless it has ended, and returns the cause of its end.
func (c *Conn) end(cause error) error {
	c.ending.Do(func() {
		c.cause = cause
		close(c.over)
		c.outer.Close()
	})
	return c.cause
}

// close ends the connection and waits until its goroutines have ended.
func (c *Conn) close() {
	c.end(ErrClosed)
	c.tasks.Wait()
	select {
	case <-c.pumped:
	case <-c.orphan:
		c.log.Error("event socket library ended by itself", zap.Stringer("peer", c.RemoteAddr()), hint(hintLibrary))
	}
}

func (c *Conn) count(n int) {
	c.metrics.bytes.Add(float64(n))
}

// relayFrames hands the switch's frames to the library until the connection
// ends, and then brings the library to its end.
func (c *Conn) relayFrames() {
	err := c.relayUntilEnd()
	c.report(c.end(err), err)
	c.send([]byte("Content-Type: text/disconnect-notice\n" + markHeader + ": " + c.endMark + "\n\n"))
	select {
	case <-c.drained:
	case <-c.left:
	}
	c.inner.SetReadDeadline(time.Now().Add(leaveTimeout))
	c.inner.CloseWrite()
}

func (c *Conn) relayUntilEnd() error {
	for {
		f, err := c.frames.next()
		if err != nil {
			return err
		}
		v, reason := c.guard.judge(&f)
		if f.refused > 0 {
			c.noteDrop(dropLine, &f)
		}
		switch v {
		case drop:
			c.noteDrop(reason, &f)
		case distrust:
			return newFrameError(c.outer, reason, f.data)
		default:
			if err := c.send(f.data); err != nil {
				return err
			}
		}
		if v == forwardLast {
			return ErrPeerClosed
		}
	}
}

// send writes to the library, which always reads.
func (c *Conn) send(data []byte) error {
	c.inner.SetWriteDeadline(time.Now().Add(leaveTimeout))
	if _, err := c.inner.Write(data); err != nil {
		return fmt.Errorf("%w: %w", errLibrary, err)
	}
	return nil
}

// noteDrop counts what the library does not get to see.
func (c *Conn) noteDrop(reason string, f *frame) {
	c.metrics.dropped.WithLabelValues(reason).Inc()
	kind := string(f.contentType[:min(len(f.contentType), quotedBytes)]) // a copy: it is logged later
	c.drops.add(zap.Stringer("peer", c.RemoteAddr()), zap.String("cause", reason), zap.String("content_type", kind), hint(hintDropped))
}

// report logs and counts a frame that ended the connection. A frame error
// that came second is what the end of the connection made of the rest.
func (c *Conn) report(cause, err error) {
	var bad *FrameError
	if cause != err || !errors.As(err, &bad) {
		return
	}
	c.metrics.closed.WithLabelValues(bad.Reason).Inc()
	c.log.Warn("event socket closed", zap.String("peer", bad.Peer), zap.String("cause", bad.Reason), zap.String("bytes", fmt.Sprintf("%q", bad.Bytes)), hint(hintClosed))
}

// relayCommands hands the library's commands to the switch until the library
// has closed its end.
func (c *Conn) relayCommands() {
	defer close(c.left)
	defer c.inner.Close()
	buf := make([]byte, commandBuffer)
	for {
		n, err := c.inner.Read(buf)
		if n > 0 && c.Err() == nil {
			c.passOn(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

func (c *Conn) passOn(command []byte) {
	c.outer.SetWriteDeadline(time.Now().Add(c.cfg.FrameTimeout))
	if _, err := c.outer.Write(command); err != nil {
		c.end(fmt.Errorf("%w (%w)", ErrPeerClosed, err))
	}
}

// pump takes everything that the library has, always, so that its small buffer
// never holds a reply back.
func (c *Conn) pump() {
	defer close(c.pumped)
	defer close(c.events)
	for {
		ev, err := c.lib.ReadEvent()
		switch {
		case err == nil && c.isEnd(ev):
			c.reap()
			return
		case err == nil:
			c.deliver(&Event{Body: ev.Body, header: ev.Header})
		case isReply(err):
			name, _ := c.current.Load().(string)
			c.end(&ReplyError{Command: name, Reply: err.Error()})
		default:
			c.end(fmt.Errorf("%w: %w", errLibrary, err))
			return
		}
	}
}

// isEnd says whether ev is the guard's last notice.
func (c *Conn) isEnd(ev *eventsocket.Event) bool {
	mark, _ := ev.Header[markHeader].(string)
	return mark == c.endMark
}

// deliver queues an event. After one was lost the rest is worth nothing.
func (c *Conn) deliver(ev *Event) {
	if c.overflow {
		return
	}
	select {
	case c.events <- ev:
		c.metrics.events.Inc()
	default:
		c.overflow = true
		c.end(ErrQueueFull)
	}
}

// reap lets the library's reader come to its end. It gives its last error to
// one consumer only: a command in flight, else this one.
func (c *Conn) reap() {
	close(c.drained)
	c.turn <- struct{}{}
	defer c.giveTurn()
	for !c.gone {
		_, err := c.lib.ReadEvent()
		c.gone = err != nil && !isReply(err)
	}
}
