package switchsim

import (
	"strconv"
	"strings"
	"time"

	"tapdeck/controller/switchsim/audio"
)

// playback plays a tone, silence or a file to the caller (F65).
func (c *Call) playback(name string, locked bool) string {
	sound, ok := c.sw.sound(name)
	if !ok {
		return "FILE NOT FOUND"
	}
	if c.spec.Faults.BrokenFiles && !strings.Contains(name, "://") {
		return "PLAYBACK ERROR"
	}
	c.preAnswer()
	c.forgetBreak()
	at := c.beginPlaying(name, sound)
	c.note("playing", name)
	whole := c.stay(sound.Length, locked)
	response := "FILE PLAYED"
	if !whole && (c.isHungUp() || c.isLeaving()) && !c.spec.Faults.BrokenIsPlayed {
		response = "PLAYBACK ERROR"
	}
	c.endPlaying(at, response)
	return response
}

// beginPlaying notes that the switch plays something from now on: from the
// first frame that no stream has read yet.
func (c *Call) beginPlaying(source string, sound audio.Sound) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.vars = c.state.vars.with(header{Name: terminatorUsed}) // unset
	from := max(c.position(time.Now()), c.consumed)
	played := append([]Played(nil), c.played...) // readers hold the old list
	c.played = append(played, Played{Source: source, From: from, To: -1, Sound: sound})
	return len(c.played) - 1
}

// endPlaying notes the end, and sets the variables that a playback leaves.
func (c *Call) endPlaying(i int, response string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	played := append([]Played(nil), c.played...)
	played[i].To = max(c.position(time.Now()), c.consumed, played[i].From)
	c.played = played
	ms := (played[i].To - played[i].From) * FrameDuration.Milliseconds()
	c.setAsCaptured("CHANNEL_EXECUTE_COMPLETE playback",
		header{Name: "ms", Value: strconv.FormatInt(ms, 10)},
		header{Name: "seconds", Value: strconv.FormatInt(ms/1000, 10)},
		header{Name: "samples", Value: strconv.FormatInt(ms*8, 10)},
		header{Name: "response", Value: response})
}

// park stays until a break, or until an older event socket of the call ends (F95).
func (c *Call) park(locked bool) {
	c.forgetBreak()
	c.setInPark(true)
	c.stay(-1, locked)
	c.setInPark(false)
}

func (c *Call) setInPark(yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inPark = yes
}

// isLeaving says that the call was transferred away and is still in the socket action.
// The channel's thread alone may ask.
func (c *Call) isLeaving() bool {
	select {
	case <-c.leaving:
		return true
	default:
		return false
	}
}

const terminatorUsed = "playback_terminator_used"

// terminate ends what plays if a digit is one of those that do (F67).
func (c *Call) terminate(digit string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ends := c.state.vars.get("playback_terminators")
	switch strings.ToLower(ends) {
	case "":
		ends = "*"
	case "any":
		ends = "1234567890*#"
	case "none":
		return
	}
	if n := len(c.played); n == 0 || c.played[n-1].To >= 0 || !strings.Contains(ends, digit) {
		return
	}
	c.state.vars = c.state.vars.with(header{Name: terminatorUsed, Value: digit})
	select {
	case c.breaks <- struct{}{}:
	default:
	}
}

// forgetBreak forgets a break of nothing (F66). It is to be called before an application stays.
func (c *Call) forgetBreak() {
	select {
	case <-c.breaks:
	default:
	}
}

// stay spends a media duration (negative: without end) in an application. It
// returns false when it was broken or the call was hung up. Unless locked,
// sendmsgs that arrive meanwhile execute inside it (F19), and its own time stands
// still.
func (c *Call) stay(media time.Duration, locked bool) bool {
	left := c.sw.real(media)
	if media < 0 {
		left = 1 << 62
	}
	var wake <-chan struct{}
	if !locked {
		wake = c.wake
	}
	for left > 0 {
		if !locked && c.queued() {
			c.message(c.dequeue())
		}
		began, t := time.Now(), time.NewTimer(left)
		select {
		case <-t.C:
			return true
		case <-wake:
		case <-c.breaks:
			t.Stop()
			return false
		case <-c.leaving:
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
