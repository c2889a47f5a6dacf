package agent

import (
	"errors"
	"io"
	"time"
)

// write brings the caller's audio and the notices to the bot, until the connection is over.
func (c *connection) write() error {
	defer c.countSent()
	c.fetched = c.s.notices.fetch(c.fetched)
	for _, message := range c.wire.open() {
		if err := c.Write(false, message); err != nil {
			return err
		}
	}
	for {
		if err := c.tellAll(c.fetched); err != nil {
			return err
		}
		sent, err := c.sendFrame()
		if err != nil {
			return err
		}
		if !sent {
			c.wait()
		}
		if c.s.isStopped() {
			return c.close()
		}
		select {
		case <-c.Over():
			return io.ErrClosedPipe
		case <-c.s.notices.wake:
			c.fetched = c.s.notices.fetch(c.fetched)
		default:
			c.fetched = c.fetched[:0]
		}
	}
}

// wait returns when there is something to write.
func (c *connection) wait() {
	ready := c.s.ear.Ready()
	if c.mute {
		ready = nil
	}
	c.countSent()
	select {
	case <-ready:
	case <-c.s.notices.wake:
		signal(c.s.notices.wake) // it is fetched in one place
	case <-c.s.stopping:
	case <-c.Over():
	}
}

// countSent adds what was sent to the state: before each pause, since frames are many.
func (c *connection) countSent() {
	c.s.shared.mu.Lock()
	c.s.shared.state.Frames += c.sent
	c.s.shared.mu.Unlock()
	c.sent = 0
}

// sendFrame sends one frame of audio, if there is one.
func (c *connection) sendFrame() (bool, error) {
	if c.mute {
		return false, nil
	}
	frame, at, err := c.frames.next()
	switch {
	case errors.Is(err, io.EOF):
		c.mute = true
		return false, nil
	case frame == nil || err != nil:
		return false, err
	}
	message, binary := c.wire.audio(c.buffer[:0], frame, at)
	c.buffer = message
	c.sent++
	err = c.Write(binary, message)
	if c.total++; c.total%framesPerSecond == 0 && c.s.config.Position != nil {
		c.s.metrics.observeAdded(c.s.config.Position(time.Now()) - at - time.Second/framesPerSecond)
	}
	return true, err
}

// framesPerSecond is of frames of 20 ms.
const framesPerSecond = 50

// tellAll tells the bot what this connection is about: digits, and what belongs to it.
func (c *connection) tellAll(all []notice) error {
	for _, n := range all {
		if n.of != nil && n.of != c {
			continue
		}
		c.buffer = c.wire.tell(c.buffer[:0], n)
		if len(c.buffer) == 0 {
			continue
		}
		if err := c.Write(false, c.buffer); err != nil {
			return err
		}
	}
	return nil
}

// close says stop, with all that was to be told before, and closes as one does.
func (c *connection) close() error {
	c.Expire(stopTimeout) // again: what was sent before may have had no bound yet
	c.fetched = c.s.notices.fetch(c.fetched)
	err := c.tellAll(append(c.fetched, notice{kind: noticeStop, text: c.s.stopReason()}))
	if err == nil {
		c.Close()
	}
	return errStopped
}
