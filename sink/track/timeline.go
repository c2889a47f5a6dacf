package sink

import (
	"time"

	"tapdeck/wav"
)

const (
	// exactFor is how long a socket's arrivals are read as they come, so that the
	// start of its audio can be told to the frame.
	exactFor = time.Second
	// cadence is the lateness that an ordinary frame may have.
	cadence = 60 * time.Millisecond
)

// Gap is a stretch of a recording in which no audio came, filled with silence.
type Gap struct {
	// AtMS is where it begins, in ms from the recording's first sample.
	AtMS int64 `json:"at_ms"`
	// MS is how long it is.
	MS int64 `json:"ms"`
}

// timeline places the audio of a recording's sockets in the call's time. Times are
// those at which the sink saw the bytes.
type timeline struct {
	format   wav.Format
	opened   time.Time // when the first socket was
	origin   time.Time // when the first sample was taken, zero before any audio
	written  int64     // frames in the file, silence included
	received int64     // frames of audio
	missing  time.Duration
	pause    time.Duration // the longest
	gaps     []Gap
	frame    time.Duration // length of the longest message

	// The present socket.
	start   time.Time // when its first sample was taken; zero before any audio
	frames  int64     // of audio in it
	first   time.Time // arrival of its first audio
	arrived time.Time // arrival of its latest audio
	batch   int64     // frames since the last closeBatch
	batchAt time.Time // arrival of the last closed batch, zero before the first
	emptyAt time.Time // latest moment at which it was open and all that had come was taken
}

// connect begins a new socket.
func (t *timeline) connect(now time.Time) {
	t.start, t.first, t.arrived, t.batchAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	t.frames, t.batch = 0, 0
	t.emptyAt = now
	if t.opened.IsZero() {
		t.opened = now
	}
}

// took counts frames of audio that arrived at a time. In the first second the start
// of the socket's audio is the earliest that any arrival allows, so that frames that
// were queued while the switch connected don't shift it.
func (t *timeline) took(frames int64, now time.Time) {
	if t.first.IsZero() {
		t.first = now
	}
	t.frames += frames
	t.received += frames
	t.batch += frames
	t.arrived = now
	start := now.Add(-t.format.Duration(t.frames))
	if t.start.IsZero() || (start.Before(t.start) && now.Sub(t.first) < exactFor) {
		t.start = start
	}
	if t.received == t.frames { // the recording's first socket
		t.origin = t.start
	}
}

// gap returns how many frames of silence bring the file up to the start of the
// socket's audio, and notes the gap. It is called once for each socket, before its
// audio is written.
func (t *timeline) gap() int64 {
	silence := t.format.Frames(t.start.Sub(t.origin)) - t.written
	if silence <= 0 {
		return 0
	}
	t.gaps = append(t.gaps, Gap{
		AtMS: t.format.Duration(t.written).Milliseconds(),
		MS:   t.format.Duration(silence).Round(time.Millisecond).Milliseconds(),
	})
	return silence
}

// closeBatch ends what was read in one go, which was all that was there at a time. The
// pause before it is at least the time that the socket is known to have been empty,
// and the audio that lacks.
func (t *timeline) closeBatch(now time.Time) {
	if t.batch > 0 {
		if !t.batchAt.IsZero() {
			empty := t.emptyAt.Sub(t.batchAt)
			lacks := t.arrived.Sub(t.batchAt) - t.format.Duration(t.batch)
			t.pause = max(t.pause, empty, lacks)
		}
		t.batchAt, t.batch = t.arrived, 0
	}
	t.emptyAt = now
}

// tooMuch says that the socket's audio is longer than the time it came in, which is
// counted from before what was queued while the switch connected.
func (t *timeline) tooMuch() bool {
	passed := t.arrived.Sub(t.start)
	return passed >= longAfter && float64(t.format.Duration(t.frames)) > longShare*float64(passed)
}

// disconnect ends the socket. Its end lies between the last moment at which it was
// open and now; the one that fits its audio best is taken.
func (t *timeline) disconnect(now time.Time) {
	t.closeBatch(t.emptyAt)
	if t.start.IsZero() { // all of it is missing
		t.lacks(now)
		return
	}
	end := t.start.Add(t.format.Duration(t.frames))
	if end.Before(t.emptyAt) {
		end = t.emptyAt
	}
	if end.After(now) {
		end = now
	}
	t.pause = max(t.pause, end.Sub(t.arrived))
	t.lacks(end)
}

// lacks notes how much less audio came, up to end, than the time would give.
func (t *timeline) lacks(end time.Time) {
	from := t.origin
	if from.IsZero() {
		from = t.opened
	}
	t.missing = max(end.Sub(from)-t.format.Duration(t.received), 0)
	if t.missing <= t.frame+cadence {
		t.missing = 0
	}
}

// position returns the frame of the recording that belongs to a moment.
func (t *timeline) position(at time.Time) int64 {
	if t.origin.IsZero() || at.Before(t.origin) {
		return 0
	}
	return min(t.format.Frames(at.Sub(t.origin)), t.written)
}
