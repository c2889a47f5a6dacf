package track

import (
	"time"
)

const (
	// holdTime is how long a later socket's first audio is held back until the start
	// of it is known, and how much steady audio after a pause says that no burst follows.
	holdTime = 100 * time.Millisecond
	// burstPause is how long the parts of a late burst may be apart.
	burstPause = 5 * holdTime
	// notable is by how much audio of a burst comes nearer to its time.
	notable = 10 * time.Millisecond
	// surplusTime is how long audio may be held back because there is too much of it.
	surplusTime = (rateWindows + 1) * rateWindow
	// holdAudio bounds the audio that is held back.
	holdAudio = 4 * time.Second
	// keptHold bounds the memory, in bytes, that is kept for the next time.
	keptHold = 16 << 10
)

// hold is audio that is held back until its position is known. Whether time without audio
// was a pause or a stall shows afterwards: after a stall all of it comes, in a burst.
type hold struct {
	reason  string        // a Gap constant: what it may turn out to be; "" holds nothing back
	since   time.Time     // arrival of the first of it, zero before
	due     time.Time     // when its first sample would have been made without a pause
	empty   time.Time     // latest moment at which none of it was there
	begin   time.Time     // when its first sample was made: the earliest that any arrival allows
	burst   time.Time     // arrival of the latest that brought begin notably nearer to due
	nearest time.Time     // begin then
	lag     time.Duration // by which due is before the arrival of the audio before it
	even    time.Time     // since when it has come evenly, as live audio does
	frames  int64         // since then
	last    time.Time     // arrival of the latest
	pcm     []byte
}

// doubt says why the audio that has just arrived must be held back, "" if it need not.
func (t *Track) doubt(now time.Time) string {
	switch {
	case t.uncovered(now)+t.lag >= pauseAfter:
		return GapNoFrames
	case t.mayCut() && t.rate.surplus(t.lateness(now)):
		return GapWrongRate
	}
	return ""
}

// holdBack holds audio back, and writes what is held once its position is known.
func (t *Track) holdBack(pcm []byte, now time.Time) error {
	h := &t.hold
	if n := int64(len(pcm) / t.format.FrameBytes()); h.reason == GapWrongRate && t.rate.right && t.format.Duration(t.held()+n) > holdAudio {
		t.dropped += n // of a rate that was right before and is several times that now
		return t.release(now)
	}
	h.pcm = append(h.pcm, pcm...)
	h.frames += int64(len(pcm) / t.format.FrameBytes())
	h.arrive(now, now.Add(-t.format.Duration(t.held())), t.frame+cadence)
	return t.release(now)
}

// arrive notes an arrival, by which the held audio began at a moment at the latest. Live audio
// arrives at most so far apart.
func (h *hold) arrive(now, begin time.Time, apart time.Duration) {
	if h.since.IsZero() {
		h.since, h.begin, h.burst, h.nearest, h.even = now, begin, now, begin, now
	}
	h.begin = earlier(h.begin, begin)
	if h.nearest.Sub(begin) > notable {
		h.burst, h.nearest, h.even, h.frames = now, begin, now, 0
	}
	if now.Sub(h.last) > apart {
		h.even, h.frames = now, 0
	}
	h.last = now
}

// release writes what is held back if it is clear by now where it belongs.
func (t *Track) release(now time.Time) error {
	h := &t.hold
	full := t.format.Duration(t.held()) >= holdAudio
	switch h.reason {
	case GapReconnect:
		if full {
			return t.writeHeld(now)
		}
	case GapNoFrames:
		if t.cameEvenly() || !t.paused() {
			t.forgetLag()
			return t.writeHeld(now)
		}
		if full {
			return t.writePart()
		}
	case GapWrongRate:
		if t.cutting || !t.mayCut() || t.rate.long == 0 && t.rate.began.After(h.since) || full && !t.rate.right {
			return t.writeHeld(now)
		}
	}
	return t.WriteHeld(now)
}

// cameEvenly says that what is held back has come as live audio does, for long enough.
func (t *Track) cameEvenly() bool { return t.hold.last.Sub(t.hold.even) >= max(holdTime, t.frame) }

// forgetLag counts the pause from the arrival of the audio before it, if what is held comes as
// slowly as that may have: then no two of its frames were far apart.
func (t *Track) forgetLag() {
	h := &t.hold
	if 5*t.format.Duration(h.frames) < 4*h.last.Sub(h.even) {
		h.due = h.due.Add(h.lag)
	}
}

// paused says that the time before what is held back has no audio. If the audio before it was
// ahead of its time, as after a burst, that time is not empty.
func (t *Track) paused() bool {
	h := &t.hold
	return h.begin.Sub(h.due) >= pauseAfter && t.silenceUntil(h.begin) >= t.format.Frames(pauseAfter/2)
}

// HeldUntil is when WriteHeld will write what is held back; zero if nothing is.
func (t *Track) HeldUntil() time.Time {
	h := &t.hold
	if h.since.IsZero() {
		return time.Time{}
	}
	switch h.reason {
	case GapReconnect:
		return h.since.Add(holdTime)
	case GapNoFrames:
		return h.burst.Add(max(burstPause, 2*t.frame))
	}
	return h.since.Add(surplusTime)
}

// WriteHeld writes what is held back, once its position is known.
func (t *Track) WriteHeld(now time.Time) error {
	if at := t.HeldUntil(); at.IsZero() || now.Before(at) {
		return nil
	}
	return t.writeHeld(now)
}

// writeHeld writes what is held back, and the silence before it.
func (t *Track) writeHeld(now time.Time) (err error) {
	h := &t.hold
	if h.since.IsZero() {
		return nil
	}
	if h.reason == GapNoFrames && !t.cameEvenly() {
		h.begin = earlier(h.begin, h.empty) // coalesced reads: it may have come at any time since
	}
	if h.reason == GapReconnect || h.reason == GapNoFrames && t.paused() {
		err = t.fill(h.begin, h.reason)
	}
	if err == nil {
		err = t.put(h.pcm, now)
	}
	t.lag = 0
	if cap(h.pcm) > keptHold {
		h.pcm = nil
	}
	*h = hold{pcm: h.pcm[:0]}
	return err
}

// writePart writes what is held back of a burst that is too long to be held.
func (t *Track) writePart() error {
	h := &t.hold
	lasts := t.format.Duration(t.held())
	h.due, h.begin, h.nearest = h.due.Add(lasts), h.begin.Add(lasts), h.nearest.Add(lasts)
	err := t.write(h.pcm)
	h.pcm = h.pcm[:0]
	return err
}

// fill writes silence up to a moment and lists it as a gap.
func (t *Track) fill(until time.Time, reason string) error {
	frames := t.silenceUntil(until)
	t.rate.pause()
	t.addGap(frames, reason)
	return t.silence(frames)
}

// held is how many frames are held back.
func (t *Track) held() int64 { return int64(len(t.hold.pcm) / t.format.FrameBytes()) }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
