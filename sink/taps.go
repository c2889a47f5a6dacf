package sink

import (
	"slices"
	"time"
)

// liveLatency is the greatest latency of a tap whose reader waits for the audio as it comes.
const liveLatency = 40 * time.Millisecond

// taps are those of a recording that are open. They are never changed, only replaced.
type taps struct {
	open    []*Tap
	latency time.Duration // the least
}

func newTaps(open []*Tap) *taps {
	if len(open) == 0 {
		return nil
	}
	all := &taps{open: open, latency: open[0].latency}
	for _, t := range open {
		all.latency = min(all.latency, t.latency)
	}
	return all
}

// live says that somebody waits for the audio.
func (t *taps) live() bool { return t != nil && t.latency <= liveLatency }

// openTap gives a tap what comes from now on. A stream that waits between two reads is woken.
func (r *Recording) openTap(t *Tap) {
	r.mu.Lock()
	over := r.over
	if !over {
		var open []*Tap
		if all := r.taps.Load(); all != nil {
			open = all.open
		}
		r.taps.Store(newTaps(append(slices.Clone(open), t)))
	}
	r.mu.Unlock()
	if over {
		t.end()
	} else if h := r.liveHandle(); h != nil {
		h.nudge()
	}
}

// closeTap takes a tap off the list.
func (r *Recording) closeTap(t *Tap) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if all := r.taps.Load(); all != nil {
		r.taps.Store(newTaps(slices.DeleteFunc(slices.Clone(all.open), func(o *Tap) bool { return o == t })))
	}
}

// endTaps ends every tap: no audio follows.
func (r *Recording) endTaps() {
	r.mu.Lock()
	r.over = true
	all := r.taps.Swap(nil)
	r.mu.Unlock()
	if all == nil {
		return
	}
	for _, t := range all.open {
		t.end()
	}
}

// interval is how far the recording's reads are apart.
func (r *Recording) interval() time.Duration {
	if all := r.taps.Load(); all != nil {
		return min(r.cfg.ReadInterval, all.latency)
	}
	return r.cfg.ReadInterval
}

// added is a recording that its track tells what it adds to the file.
type added struct{ *Recording }

// Audio implements track.Listener.
func (a added) Audio(at int64, pcm []byte) {
	a.noteOrigin()
	if all := a.taps.Load(); all != nil {
		a.fed = true
		for _, t := range all.open {
			t.audio(at, pcm)
		}
	}
}

// Gap implements track.Listener.
func (a added) Gap(at, frames int64, reason string) {
	a.noteOrigin()
	if all := a.taps.Load(); all != nil {
		a.fed = true
		for _, t := range all.open {
			t.gap(at, frames, reason)
		}
	}
}

// wakeReaders lets the taps' readers know of what was added, once for all that came in one go.
func (r *Recording) wakeReaders() {
	if !r.fed {
		return
	}
	r.fed = false
	if all := r.taps.Load(); all != nil {
		for _, t := range all.open {
			t.signal()
		}
	}
}

// noteOrigin lets Position know the recording's zero.
func (r *Recording) noteOrigin() {
	if at := r.track.Origin(); at != r.origin { // which nobody else changes
		r.mu.Lock()
		r.origin = at
		r.mu.Unlock()
	}
}

// Position returns where in the recording a moment is: 0 before its first sample, or if none came.
// It may be beyond the audio that has come. In the first second of the audio it may still
// grow by what is known better then.
func (r *Recording) Position(at time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.origin.IsZero() {
		return 0
	}
	return max(at.Sub(r.origin), 0)
}
