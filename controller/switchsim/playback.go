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
	c.forgetBreak()
	at := c.beginPlaying(name, sound)
	c.note("playing", name)
	whole := c.stay(sound.Length, locked)
	response := "FILE PLAYED"
	if !whole && (c.isHungUp() || c.isLeaving()) && !c.spec.Faults.BrokenIsPlayed {
		response = "PLAYBACK ERROR"
	}
	c.endPlaying(at, whole, response)
	return response
}

// beginPlaying notes that the switch plays something from now on: from the
// first frame that no stream has read yet.
func (c *Call) beginPlaying(source string, sound audio.Sound) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := max(c.position(time.Now()), c.consumed)
	played := append([]Played(nil), c.played...) // readers hold the old list
	c.played = append(played, Played{Source: source, From: from, To: -1, Sound: sound})
	return len(c.played) - 1
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
func (c *Call) endPlaying(i int, whole bool, response string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	played := append([]Played(nil), c.played...)
	played[i].To = max(c.position(time.Now()), c.consumed, played[i].From)
	c.played = played
	rate := c.spec.Leg.Rate(played[i].From) // a change within it changes nothing (F114)
	heard, read := samples(&played[i], rate, whole)
	c.setAsCaptured("CHANNEL_EXECUTE_COMPLETE playback",
		header{Name: "offset", Value: itoa(heard)},
		header{Name: "ms", Value: itoa(read * 1000 / rate)},
		header{Name: "seconds", Value: itoa(read / rate)},
		header{Name: "samples", Value: itoa(read)},
		header{Name: "response", Value: response})
}

// park stays until a break, or until an older event socket of the call ends (F95).
func (c *Call) park(locked bool) {
	c.forgetBreak()
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
	leaving := c.leavingNow()
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
