package track

import (
	"time"
)

const (
	// holdTime is how long a later socket's first audio is held back until the start
	// of it is known, and how long even audio after a pause says that no burst follows.
	holdTime = 100 * time.Millisecond
	// liveHold is holdTime of a later socket's first audio while somebody waits for it.
	liveHold = 20 * time.Millisecond
	// burstPause is how long the parts of a late burst may be apart.
	burstPause = time.Second
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
	reason string        // a Gap constant: what it may turn out to be; "" holds nothing back
	since  time.Time     // arrival of the first of it, zero before
	due    time.Time     // when its first sample would have been made without a pause
	lag    time.Duration // by which due is before the arrival of the audio before it
	empty  time.Time     // latest moment at which none of it was there
	burst  time.Time     // arrival of the latest that brought a part notably nearer to its time
	even   time.Time     // since when it has come evenly, as live audio does
	frames int64         // with which, and since
	last   time.Time     // arrival of the latest
	parts  []part
	pcm    []byte
}

// part is what came after one time without audio.
type part struct {
	at      int64     // its first frame in what is held back
	begin   time.Time // when its first sample was made: the earliest that any arrival allows
	nearest time.Time // begin when it last came notably nearer
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
	frames := int64(len(pcm) / t.format.FrameBytes())
	if h.reason == GapWrongRate && t.rate.right && t.format.Duration(t.held()+frames) > holdAudio {
		t.dropped += frames // of a rate that was right before and is several times that now
		return t.release(now)
	}
	if h.since.IsZero() {
		h.since = now
	}
	if len(h.parts) == 0 || now.Sub(h.last) >= pauseAfter+t.frame {
		h.parts = append(h.parts, part{at: t.held(), begin: now, nearest: now})
	}
	h.pcm = append(h.pcm, pcm...)
	h.frames += frames
	t.near(frames, now)
	return t.release(now)
}

// near notes an arrival of so many frames, by which each part of what is held back began at a moment at the latest.
func (t *Track) near(frames int64, now time.Time) {
	h, held := &t.hold, t.held()
	for i := range h.parts {
		p := &h.parts[i]
		p.begin = earlier(p.begin, now.Add(-t.format.Duration(held-p.at)))
		if p.nearest.Sub(p.begin) > notable {
			p.nearest = p.begin
			h.burst, h.even, h.frames = now, now, frames
		}
	}
	if now.Sub(h.last) > t.frame+cadence { // live audio is not so far apart
		h.even, h.frames = now, frames
	}
	h.last = now
}

// release writes what is held back if it is clear by now where it belongs.
func (t *Track) release(now time.Time) error {
	h := &t.hold
	full := t.format.Duration(t.held()) >= holdAudio
	known := false
	switch h.reason {
	case GapReconnect:
		known = full
	case GapNoFrames:
		if !t.paused() || t.cameEvenly() {
			t.mistrust()
			known = true
		} else if full {
			return t.writePart()
		}
	case GapWrongRate:
		known = t.cutting || !t.mayCut() || t.rate.long == 0 && t.rate.began.After(h.since) || full && !t.rate.right
	}
	if known {
		return t.writeHeld(now)
	}
	if t.live && h.reason == GapWrongRate {
		return t.writeInTime(now)
	}
	return t.WriteHeld(now)
}

// writeInTime writes of audio of which there may be too much what the time has room for by now, and
// holds the rest back.
func (t *Track) writeInTime(now time.Time) error {
	h := &t.hold
	bytes := min(t.held(), t.silenceUntil(now)) * int64(t.format.FrameBytes())
	err := t.write(h.pcm[:bytes])
	h.pcm = append(h.pcm[:0], h.pcm[bytes:]...)
	h.parts = append(h.parts[:0], part{begin: now, nearest: now})
	return err
}

// cameEvenly says that what is held back has come as live audio does, for long enough: if
// somebody waits for it, as soon as one frame came in its turn behind another.
func (t *Track) cameEvenly() bool {
	enough := max(holdTime, t.frame)
	if t.live {
		enough = max(notable, t.frame/2)
	}
	return t.hold.last.Sub(t.hold.even) >= enough
}

// mistrust counts as a pause only the time that is known to have been one, if what is held comes
// so slowly that the audio before it may have, too: then no two of its frames were far apart.
func (t *Track) mistrust() {
	h := &t.hold
	if 5*t.format.Duration(h.frames) < 4*h.last.Sub(h.even) {
		h.due = h.due.Add(h.lag)
		h.parts[0].begin = earlier(h.parts[0].begin, h.empty)
	}
}

// paused says that there is time without audio in front of some part of what is held back.
func (t *Track) paused() bool {
	due := t.hold.due
	for i, p := range t.hold.parts {
		if p.begin.Sub(due) >= pauseAfter {
			return true
		}
		due = p.begin.Add(t.format.Duration(t.partEnd(i) - p.at))
	}
	return false
}

// partEnd is the frame behind a part of what is held back.
func (t *Track) partEnd(i int) int64 {
	if i+1 < len(t.hold.parts) {
		return t.hold.parts[i+1].at
	}
	return t.held()
}

// HeldUntil is when WriteHeld will write what is held back; zero if nothing is.
func (t *Track) HeldUntil() time.Time {
	h, known, burst := &t.hold, holdTime, burstPause
	if t.live {
		known, burst = liveHold, holdTime
	}
	switch {
	case h.since.IsZero():
		return time.Time{}
	case h.reason == GapReconnect:
		return h.since.Add(known)
	case h.reason == GapNoFrames:
		return h.burst.Add(max(burst, 2*t.frame))
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

// writeHeld writes what is held back, and the silence before each part of it.
func (t *Track) writeHeld(now time.Time) (err error) {
	h := &t.hold
	if h.since.IsZero() {
		return nil
	}
	if h.reason == GapNoFrames && (len(h.parts) > 1 || !t.cameEvenly()) { // with coalesced reads it may have come at any time since
		h.parts[0].begin = earlier(h.parts[0].begin, h.empty)
	}
	due, reason, size := h.due, h.reason, int64(t.format.FrameBytes())
	for i := 0; i < len(h.parts) && err == nil; i++ {
		p, end := h.parts[i], t.partEnd(i)
		if reason == GapReconnect || reason == GapNoFrames && t.isPause(due, p.begin) {
			err = t.fillGap(p.begin, reason)
			due = p.begin
		}
		if err == nil {
			err = t.put(h.pcm[p.at*size:end*size], now)
		}
		due = due.Add(t.format.Duration(end - p.at))
		if reason != GapWrongRate {
			reason = GapNoFrames
		}
	}
	t.forget()
	return err
}

// isPause says that the time between two moments, behind all that is written, has no audio. If
// what is written was ahead of its time, as after a burst, there is less of that than it seems.
func (t *Track) isPause(from, to time.Time) bool {
	return to.Sub(from) >= pauseAfter && t.silenceUntil(to) >= t.format.Frames(pauseAfter/2)
}

// forget holds nothing back any more.
func (t *Track) forget() {
	h := &t.hold
	if cap(h.pcm) > keptHold {
		h.pcm = nil
	}
	*h = hold{pcm: h.pcm[:0], parts: h.parts[:0]}
	t.lag = 0
}

// writePart writes what is held back of a burst that is too long to be held.
func (t *Track) writePart() error {
	h := &t.hold
	lasts := t.format.Duration(t.held())
	first := h.parts[0]
	h.parts = append(h.parts[:0], part{begin: first.begin.Add(lasts), nearest: first.nearest.Add(lasts)})
	h.due = h.due.Add(lasts)
	err := t.write(h.pcm)
	h.pcm = h.pcm[:0]
	return err
}

// fillGap fills the time up to a moment, of which the call may have stopped its stream for a part.
func (t *Track) fillGap(until time.Time, reason string) error {
	if t.stop.From.IsZero() {
		return t.fill(until, reason)
	}
	if t.stop.From.Sub(t.end()) >= pauseAfter { // the stream was down before it was stopped
		if err := t.fill(t.stop.From, reason); err != nil {
			return err
		}
	}
	t.stop = Stop{}
	t.stopped += t.silenceUntil(until)
	return t.fill(until, GapStopped)
}

// fill writes silence up to a moment, or the greatest length, and lists it as a gap.
func (t *Track) fill(until time.Time, reason string) error {
	frames := t.silenceUntil(until)
	if room := max(t.format.Frames(t.most)-t.written, 0); frames > room {
		frames, t.full = room, true
	}
	t.rate.pause()
	t.addGap(frames, reason)
	t.tellGap(frames, reason)
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
