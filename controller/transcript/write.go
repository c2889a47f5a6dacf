package transcript

import (
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	// idleInterval is the time without audio after which a message keeps the connection open.
	idleInterval = 4 * time.Second
	// pauseTime is the time without audio after which silence is sent, so that the words before it become final.
	pauseTime = 2 * time.Second
	// answerTimeout is how long a service may say nothing that has left as much audio unanswered as it may.
	answerTimeout = 15 * time.Second
	// burst is what may be sent at once, whatever the greatest speed is.
	burst = 2 * time.Second
)

// write sends the service what the recording brings, until the connection is over.
func (c *connection) write() error {
	c.last = time.Now()
	if message := c.wire.open(); message != nil {
		if err := c.send(false, message); err != nil {
			return err
		}
	}
	for {
		if err := c.await(); err != nil {
			return err
		}
		next, err := c.s.source.next()
		switch {
		case errors.Is(err, io.EOF):
			return c.finish()
		case err != nil:
			return fmt.Errorf("%w: %w", errRecording, err)
		case next.frames == 0:
			err = c.waitForAudio()
		default:
			err = c.sendChunk(next)
		}
		if err != nil {
			return err
		}
	}
}

// await returns when the service may be sent more: it has answered enough, and the greatest speed permits it.
func (c *connection) await() error {
	c.collect()
	if err := c.awaitAnswer(); err != nil {
		return err
	}
	now := time.Now()
	if least := now.Add(-burst); c.due.Before(least) {
		c.due = least
	}
	c.Wait(c.due.Sub(now))
	return c.interrupted()
}

// collect gives back the buffers of audio that is not kept any more.
func (c *connection) collect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.freed {
		c.s.source.release(b)
	}
	c.freed = c.freed[:0]
}

// awaitAnswer waits while too much is unanswered.
func (c *connection) awaitAnswer() error {
	var timeout *time.Timer
	for c.isBehind() {
		if c.wire.idle() != nil { // such a service would end the connection meanwhile
			return errNoAnswer
		}
		if timeout == nil {
			timeout = time.NewTimer(answerTimeout)
			defer timeout.Stop()
		}
		select {
		case <-c.progress:
			timeout.Reset(answerTimeout)
		case <-timeout.C:
			return errNoAnswer
		case <-c.s.stopping:
		case <-c.Over():
		}
		if err := c.interrupted(); err != nil {
			return err
		}
	}
	return nil
}

// isBehind says that the service has left too much audio unanswered.
func (c *connection) isBehind() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	frames, most := c.wire.unanswered()
	return frames > c.config.frames(most)
}

// interrupted is why nothing more is to be sent.
func (c *connection) interrupted() error {
	select {
	case <-c.Over():
		return io.ErrClosedPipe
	case <-c.s.stopping:
		return errStopped
	default:
		return nil
	}
}

// waitForAudio waits until there may be something to send. Meanwhile it keeps the connection open.
func (c *connection) waitForAudio() error {
	now, until := time.Now(), time.Time{}
	pauses := c.s.source.begun && !c.s.source.filled
	if pauses {
		until = c.s.source.latest.Add(pauseTime)
	}
	idle := c.wire.idle()
	if at := c.last.Add(idleInterval); idle != nil && (!pauses || at.Before(until)) {
		until = at
	}
	if c.idle(until.Sub(now), until.IsZero()) {
		return nil
	}
	if pauses && !time.Now().Before(c.s.source.latest.Add(pauseTime)) {
		return c.sendPause()
	}
	return c.send(false, idle)
}

// sendPause sends the little audio that is left, and silence.
func (c *connection) sendPause() error {
	if c.s.source.short.frames > 0 {
		if err := c.sendChunk(c.s.source.flush()); err != nil {
			return err
		}
	}
	return c.sendChunk(c.s.source.pause())
}

// idle waits for d, or for ever. It returns true if something has ended that.
func (c *connection) idle(d time.Duration, forEver bool) bool {
	var expired <-chan time.Time
	if !forEver {
		timer := time.NewTimer(d)
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-expired:
		return false
	case <-c.s.source.ear.Ready():
	case <-c.s.stopping:
	case <-c.Over():
	}
	return true
}

// sendChunk sends a chunk. One that can't be sent is pending like all others.
func (c *connection) sendChunk(next chunk) error {
	message := next.pcm
	if next.silent {
		message = silence[:int(next.frames)*c.config.frameBytes()]
	}
	c.mu.Lock()
	c.pending.add(next)
	c.wire.sent(c.pending.sent)
	c.mu.Unlock()
	if speed := c.speed(); speed > 0 {
		c.due = c.due.Add(time.Duration(float64(c.config.duration(next.frames)) / speed))
	}
	return c.send(true, message)
}

// speed is how many times as fast as it was spoken audio may be sent; 0 is without a bound.
func (c *connection) speed() float64 {
	if c.config.Speed != 0 || c.config.Format == FormatVosk {
		return c.config.Speed
	}
	return deepgramSpeed
}

// deepgramSpeed is what Deepgram's documentation permits of live audio.
const deepgramSpeed = 1.25

// send writes one message.
func (c *connection) send(binary bool, message []byte) error {
	err := c.Write(binary, message)
	c.last = time.Now()
	return err
}

// finish asks for the last words, and waits for them.
func (c *connection) finish() error {
	c.mu.Lock()
	message := c.wire.finish()
	c.asked = true
	c.mu.Unlock()
	if err := c.send(false, message); err != nil {
		return err
	}
	timeout := time.NewTimer(c.config.FinalTimeout)
	defer timeout.Stop()
	select {
	case <-c.Over():
		return io.ErrClosedPipe
	case <-c.s.stopping:
		return errStopped
	case <-timeout.C:
		return errNoEnd
	}
}
