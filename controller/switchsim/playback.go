package switchsim

import (
	"strings"
	"time"

	"tapdeck/controller/switchsim/audio"
)

// playing is a playback that runs.
type playing struct {
	source string
	sound  audio.Sound
	number int   // in the call's playlist
	from   int64 // the frame in which the session begins to write it
	end    int64 // the one with which it ends unless it is broken off
	skip   int64 // frames of the sound that were heard before a stall
}

// playback plays a tone, silence or a file to the caller (F65).
func (c *Call) playback(name string, locked bool) string {
	c.setVar(terminatorUsed, "")
	sound, ok := c.sound(name)
	if !ok { // playback_last_offset_pos stays that of the playback before (F114)
		return "FILE NOT FOUND"
	}
	if c.spec.Faults.BrokenFiles && !strings.Contains(name, "://") {
		return "PLAYBACK ERROR"
	}
	c.preAnswer()
	p := c.beginPlaying(name, sound)
	c.note("playing", name)
	to, whole := c.stayFrames(p, locked)
	response, status := "FILE PLAYED", "done"
	if !whole {
		status = "break"
	}
	if !whole && (c.isHungUp() || c.isLeaving()) && !c.spec.Faults.BrokenIsPlayed {
		response = "PLAYBACK ERROR"
	}
	c.endPlaying(p, to, whole, response)
	c.emit("PLAYBACK_STOP", header{Name: "file", Value: name}, header{Name: "status", Value: status})
	if late := c.spec.Faults.LateComplete; late > 0 {
		c.pause(late)
	}
	return response
}

// endless is a frame that never comes.
const endless = 1 << 35

// beginPlaying notes that the switch plays something from now on.
func (c *Call) beginPlaying(source string, sound audio.Sound) *playing {
	c.mu.Lock()
	p := &playing{source: source, sound: sound, from: c.frame(), end: endless}
	if sound.Length >= 0 {
		p.end = p.from + audio.FramesOf(sound.Length)
	}
	p.number = c.played.Begin(source, p.from+sendDelay, 0, sound)
	if c.syncs != nil {
		c.syncs.Add(max(p.from, c.consumed))
	}
	c.mu.Unlock()
	c.emit("PLAYBACK_START", header{Name: "file", Value: source})
	return p
}

// readAhead is in how many samples at a time a sound is read (F68).
const readAhead = 16384

// samples are how many of a sound were heard in so many frames, and how many had been read for that, at the
// codec's rate (F114; a file is read at its own, which a simulated one has none of).
func samples(sound *audio.Sound, frames int64, rate int, whole bool) (heard, read int) {
	heard = int(frames) * rate / int(time.Second/FrameDuration)
	read = (heard/readAhead + 1) * readAhead
	if length := sound.Length; length >= 0 {
		total := int(length.Seconds() * float64(rate))
		heard, read = min(heard, total), min(read, total)
		if whole {
			heard, read = total, total
		}
	}
	return heard, read
}

// endPlaying notes the end, and sets the variables that a playback leaves.
func (c *Call) endPlaying(p *playing, to int64, whole bool, response string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.played.End(p.number, to+sendDelay)
	rate := c.spec.Leg.Rate(p.from) // a change within it changes nothing (F114)
	heard, read := samples(&p.sound, p.skip+last.To-last.From, rate, whole)
	c.setAsCaptured("CHANNEL_EXECUTE_COMPLETE playback",
		header{Name: "offset", Value: itoa(heard)},
		header{Name: "ms", Value: itoa(read * 1000 / rate)},
		header{Name: "seconds", Value: itoa(read / rate)},
		header{Name: "samples", Value: itoa(read)},
		header{Name: "response", Value: response})
}

// park stays until a break, or until an older event socket of the call ends (F95).
func (c *Call) park(locked bool) {
	c.setInPark(true)
	c.emit("CHANNEL_PARK")
	c.stay(-1, locked)
	c.setInPark(false)
	c.emit("CHANNEL_UNPARK")
}

func (c *Call) setInPark(yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inPark = yes
}

// forgetBreak forgets a break of nothing (F66). It is to be called before an application that stays
// has begun: who breaks it after its event means it.
func (c *Call) forgetBreak() {
	select {
	case <-c.breaks:
	default:
	}
}

// stayFrames spends the frames that a playback takes, and returns the frame in which something
// else may begin. whole is false if it was broken off: by a break or a transfer, at the next
// frame, or by the hangup. Unless locked, sendmsgs that arrive meanwhile execute inside it (F19),
// and its own time stands still.
func (c *Call) stayFrames(p *playing, locked bool) (to int64, whole bool) {
	leaving := c.leavingNow()
	if c.isLeaving() {
		return p.from, false
	}
	for !c.isHungUp() {
		if !locked && c.queued() {
			p.end += c.nested()
			continue
		}
		stall := c.stallIn(p)
		switch c.awaitFrame(min(p.end, stall), locked, leaving) {
		case brokenOff:
			return c.breakOff(p)
		case frameBegun:
			if stall >= p.end {
				return p.end, true
			}
			c.stall(p, stall)
		}
	}
	return max(p.from, c.now()), false
}

// nested executes a sendmsg inside of another one, and returns how many frames that took.
func (c *Call) nested() int64 {
	c.setFrame(-1)
	began := c.now()
	c.message(c.dequeue())
	return c.now() - began
}

// now is the media frame that is being spoken.
func (c *Call) now() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.position(time.Now())
}

// awaited is what the channel's thread has waited for.
type awaited int

const (
	frameBegun awaited = iota
	brokenOff
	anotherMessage
)

// awaitFrame waits until a frame begins, or something comes between.
func (c *Call) awaitFrame(frame int64, locked bool, leaving <-chan struct{}) awaited {
	c.setFrame(frame)
	t := time.NewTimer(time.Until(c.beginOf(frame)))
	defer t.Stop()
	var wake <-chan struct{}
	if !locked {
		wake = c.wake
	}
	select {
	case <-t.C:
		return frameBegun
	case <-wake:
		return anotherMessage
	case <-c.breaks:
	case <-leaving:
	case <-c.hungUp:
	}
	return brokenOff
}

// breakOff ends a playback at the next frame.
func (c *Call) breakOff(p *playing) (to int64, whole bool) {
	if c.isHungUp() {
		return max(p.from, c.now()), false
	}
	to = min(max(p.from, c.now()+1), p.end)
	c.setFrame(to)
	c.sleepUntil(c.beginOf(to))
	c.mu.Lock()
	c.broken = true
	c.mu.Unlock()
	return to, to == p.end
}

// stay spends a media duration (negative: without end) in an application that plays nothing. It
// returns false when it was broken or the call was hung up. Unless locked,
// sendmsgs that arrive meanwhile execute inside it (F19), and its own time stands
// still.
func (c *Call) stay(media time.Duration, locked bool) bool {
	c.setFrame(-1)
	left := c.sw.real(media)
	if media < 0 {
		left = 1 << 62
	}
	var wake <-chan struct{}
	leaving := c.leavingNow()
	if !locked {
		wake = c.wake
	}
	for left > 0 {
		if !locked && c.queued() {
			c.message(c.dequeue())
			c.setFrame(-1)
		}
		began, t := time.Now(), time.NewTimer(left)
		select {
		case <-t.C:
			return true
		case <-wake:
		case <-c.breaks:
			t.Stop()
			return false
		case <-leaving:
			t.Stop()
			return false
		case <-c.hungUp:
			t.Stop()
			return false
		}
		t.Stop()
		left -= time.Since(began)
	}
	return true
}
