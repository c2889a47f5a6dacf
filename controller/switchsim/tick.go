package switchsim

import (
	"time"

	"tapdeck/controller/switchsim/audio"
)

// Everything that a session does happens at its 20 ms frame (F80). The channel's thread counts
// frames: a playback ends a whole number of them after it began, and what is queued begins in the
// frame in which the one before it ends, however late this process is with it.

// sendDelay is how many frames later the caller is sent what the session writes in one (F137).
const sendDelay = 1

// lateness is how late the channel's thread may be with a frame, in real time, before streams
// and later playbacks go on without it: this process has too much to do.
const lateness = time.Second

// inTime says whether the channel's thread is not later than that with a frame, which is -1 if it
// comes to none. It needs c.mu.
func (c *Call) inTime(frame int64, now time.Time) bool {
	return frame >= 0 && now.Sub(c.begins(frame)) < lateness
}

// grid is when the session's first frame began. It needs c.mu.
func (c *Call) grid() time.Time {
	if c.mediaAt.IsZero() {
		return c.state.created
	}
	return c.mediaAt
}

// position is the media frame that is being spoken at a time; before media there is only frame 0.
// It needs c.mu.
func (c *Call) position(at time.Time) int64 {
	if c.mediaAt.IsZero() {
		return 0
	}
	return c.frames(at)
}

// frames is how many of the session's frames are over at a time. It needs c.mu.
func (c *Call) frames(at time.Time) int64 {
	return audio.Frames(time.Duration(float64(at.Sub(c.grid())) * c.sw.cfg.Speed))
}

// begins is when a frame begins, never a nanosecond earlier. It needs c.mu.
func (c *Call) begins(frame int64) time.Time {
	return c.grid().Add(c.sw.real(time.Duration(frame)*FrameDuration) + 1)
}

// beginOf is when a frame begins.
func (c *Call) beginOf(frame int64) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.begins(frame)
}

// nextTick is when the session's next frame begins.
func (c *Call) nextTick() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.begins(c.frames(time.Now()) + 1)
}

// awaitTick waits for the session's next frame; false means that the call was hung up first.
func (c *Call) awaitTick() bool {
	c.setFrame(-1)
	return c.sleepUntil(c.nextTick())
}

// setFrame is the frame that the channel's thread has come to: -1 is that of now, since it waits
// or has waited. Another one is held: streams with both directions wait for what is played in it.
func (c *Call) setFrame(frame int64) {
	c.mu.Lock()
	c.at, c.held = frame, frame
	c.mu.Unlock()
}

// passFrame lets a frame pass after one in which something was broken off (F122).
func (c *Call) passFrame() {
	c.mu.Lock()
	next, pass := c.at+1, c.broken && c.at >= 0 && c.next == nil
	c.broken = false
	c.mu.Unlock()
	if pass {
		c.setFrame(next)
		c.sleepUntil(c.beginOf(next))
	}
}

// frame returns the frame in which something begins that the channel's thread does now. It
// needs c.mu.
func (c *Call) frame() int64 {
	now := time.Now()
	if c.inTime(c.at, now) {
		return max(c.at, c.mixed-sendDelay)
	}
	return max(c.position(now), c.mixed-sendDelay)
}

// nextLook is when the event socket next looks for events: a whole number of frames after the last
// command (F137). Other events than the module's are not kept until then here.
func (c *Call) nextLook() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, frame := c.state.created, c.sw.real(FrameDuration)
	if n := len(c.report.CommandedAt); n > 0 {
		last = c.report.CommandedAt[n-1]
	}
	return last.Add((time.Since(last)/frame + 1) * frame)
}

// namedEvent is an event of the module that waits.
type namedEvent struct {
	kind, body string
	late       time.Duration // by fault
}

// nameLater sends an event of the module when the event socket looks for events, in order (F85,
// F137). It is called in one of the group's goroutines.
func (m module) nameLater(kind, body string, late time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.named = append(m.named, namedEvent{kind, body, late})
	if len(m.named) == 1 {
		m.wg.Go(m.sendNamed)
	}
}

// sendNamed sends what waits, until nothing does.
func (m module) sendNamed() {
	for {
		m.pause(time.Until(m.nextLook()))
		m.mu.Lock()
		named := m.named
		m.mu.Unlock()
		for _, e := range named {
			m.pause(e.late)
			m.sendEvent(e.kind, e.body)
		}
		m.mu.Lock()
		m.named = m.named[len(named):]
		over := len(m.named) == 0
		m.mu.Unlock()
		if over {
			return
		}
	}
}
