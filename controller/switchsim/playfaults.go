package switchsim

import (
	"path/filepath"
	"time"

	"tapdeck/controller/switchsim/audio"
	"tapdeck/controller/switchsim/eventsocket"
)

// sound finds what playback is given, unless it is the file that is lost.
func (c *Call) sound(name string) (audio.Sound, bool) {
	if c.spec.Faults.LoseFile > 0 && filepath.IsAbs(name) {
		c.mu.Lock()
		c.faults.files++
		lost := c.faults.files == c.spec.Faults.LoseFile
		c.mu.Unlock()
		if lost {
			c.fault("lost " + name)
			return audio.Sound{}, false
		}
	}
	return c.sw.sound(name)
}

// stallIn is the frame in which the session's thread stalls, if that is before a playback's end.
func (c *Call) stallIn(p *playing) int64 {
	f := &c.spec.Faults.Stall
	if f.For <= 0 || c.faults.stalled {
		return endless
	}
	return max(audio.FramesOf(f.After), p.from)
}

// stall lets the session's thread stand still from a frame on: nothing is heard, and what plays
// goes on after it where it was.
func (c *Call) stall(p *playing, frame int64) {
	still := audio.FramesOf(c.spec.Faults.Stall.For)
	c.fault("stalled")
	c.mu.Lock()
	c.faults.stalled = true
	c.played.End(p.number, frame+sendDelay)
	p.skip, p.end, p.from = frame-p.from, p.end+still, frame+still
	p.number = c.played.Begin(p.source, p.from+sendDelay, p.skip, p.sound)
	c.at, c.held = p.from, p.from
	c.mu.Unlock()
	c.sleepUntil(c.beginOf(p.from))
}

// eventFirst executes a command whose reply is to come after the next event, if cmd is one.
func (c *outbound) eventFirst(cmd *eventsocket.Command) bool {
	f := &c.spec.Faults
	c.mu.Lock()
	n := c.faults.commands
	c.mu.Unlock()
	if !c.isCommand(cmd, f.EventFirst, n) {
		return false
	}
	_, before := c.listener.Sent()
	reply, _ := c.command(cmd)
	for until := time.Now().Add(time.Second); time.Now().Before(until) && !c.isHungUp(); c.pause(time.Millisecond) {
		if _, events := c.listener.Sent(); events > before {
			c.fault("replied late to " + cmd.Label())
			break
		}
	}
	c.reply(cmd, reply)
	return true
}
