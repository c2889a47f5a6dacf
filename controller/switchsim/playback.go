package switchsim

import (
	"strings"
	"time"

	"tapdeck/controller/switchsim/audio"
)

// playback plays a tone, silence or a file to the caller (F65).
func (c *Call) playback(name string, locked bool) string {
	c.setVar(terminatorUsed, "")
	sound, ok := c.sw.sound(name)
	if !ok { // playback_last_offset_pos stays that of the playback before (F114)
		return "FILE NOT FOUND"
	}
	if c.spec.Faults.BrokenFiles && !strings.Contains(name, "://") {
		return "PLAYBACK ERROR"
	}
	c.preAnswer()
	i, from := c.beginPlaying(name, sound)
	c.note("playing", name)
	to, whole := c.stayFrames(from, sound.Length, locked)
	response, status := "FILE PLAYED", "done"
	if !whole {
		status = "break"
	}
	if !whole && (c.isHungUp() || c.isLeaving()) && !c.spec.Faults.BrokenIsPlayed {
		response = "PLAYBACK ERROR"
	}
	c.endPlaying(i, to, whole, response)
	c.emit("PLAYBACK_STOP", header{Name: "file", Value: name}, header{Name: "status", Value: status})
	return response
}

// beginPlaying notes that the switch plays something from now on, and returns its number and
// its first frame.
func (c *Call) beginPlaying(source string, sound audio.Sound) (i int, from int64) {
	c.mu.Lock()
	from = c.frame()
	i = c.played.Begin(source, from, 0, sound)
	c.mu.Unlock()
	c.emit("PLAYBACK_START", header{Name: "file", Value: source})
	return i, from
}

// readAhead is in how many samples at a time a sound is read (F68).
const readAhead = 16384

// samples are how many of a sound were heard, to one frame, and how many had been read for that, at the
// codec's rate (F114; a file is read at its own, which a simulated one has none of).
func samples(p *Played, rate int, whole bool) (heard, read int) {
	heard = int(p.To-p.From) * rate / int(time.Second/FrameDuration)
	read = (heard/readAhead + 1) * readAhead
	if length := p.Sound.Length; length >= 0 {
		total := int(length.Seconds() * float64(rate))
		heard, read = min(heard, total), min(read, total)
		if whole {
			heard, read = total, total
		}
	}
	return heard, read
}

// endPlaying notes the end, and sets the variables that a playback leaves.
func (c *Call) endPlaying(i int, to int64, whole bool, response string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	played := c.played.End(i, to)
	rate := c.spec.Leg.Rate(played.From) // a change within it changes nothing (F114)
	heard, read := samples(&played, rate, whole)
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

// stayFrames spends the frames that it takes to play length (negative: without end) from frame
// from on, and returns the frame in which something else may begin. whole is false if it was
// broken off: by a break or a transfer, at the next frame, or by the hangup. Unless locked,
// sendmsgs that arrive meanwhile execute inside it (F19), and its own time stands still.
func (c *Call) stayFrames(from int64, length time.Duration, locked bool) (to int64, whole bool) {
	end := int64(endless)
	if length >= 0 {
		end = from + audio.FramesOf(length)
	}
	leaving := c.leavingNow()
	for !c.isHungUp() && !c.isLeaving() {
		if !locked && c.queued() {
			end += c.nested()
			continue
		}
		switch c.awaitFrame(end, locked, leaving) {
		case frameBegun:
			return end, true
		case brokenOff:
			return c.breakOff(from, end)
		}
	}
	return max(from, c.now()), false
}

// endless is a frame that never comes.
const endless = 1 << 35

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
	c.mu.Lock()
	t := time.NewTimer(time.Until(c.begins(frame)))
	c.mu.Unlock()
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

// breakOff ends at the next frame what has played since frame from and would have ended with
// frame end.
func (c *Call) breakOff(from, end int64) (to int64, whole bool) {
	if c.isHungUp() {
		return max(from, c.now()), false
	}
	to = min(max(from, c.now()+1), end)
	c.setFrame(to)
	c.mu.Lock()
	at := c.begins(to)
	c.mu.Unlock()
	c.sleepUntil(at)
	return to, to == end
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
