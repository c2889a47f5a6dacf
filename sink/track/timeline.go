package track

import (
	"time"

	"tapdeck/wav"
)

const (
	// exactFor is how long a socket's arrivals must be seen as they come, so that the
	// start of its audio is known to the frame.
	exactFor = time.Second
	// cadence is the lateness that an ordinary frame may have.
	cadence = 60 * time.Millisecond
	// Audio that lasts longer than the time it came in by longShare is too much, once it
	// has come for longAfter.
	longShare = 1.1
	longAfter = 2 * time.Second
)

// timeline places the audio of a recording's sockets in the call's time. Times are
// those at which the sink saw the bytes.
type timeline struct {
	format   wav.Format
	sockets  int
	opened   time.Time // when the first socket was
	origin   time.Time // when the first sample was made, zero before any audio
	written  int64     // frames in the file, silence included
	received int64     // frames of audio
	missing  time.Duration
	pause    time.Duration // the longest
	gaps     []Gap
	frame    time.Duration // length of the longest message

	// The present socket.
	start   time.Time // when its first sample was made; zero before any audio
	frames  int64     // of audio in it
	first   time.Time // arrival of its first audio
	arrived time.Time // arrival of its latest audio
	batch   int64     // frames since the last EndBatch
	batchAt time.Time // arrival of the last closed batch, zero before the first
	emptyAt time.Time // latest moment at which it was open and known to hold nothing unread
}

// arrive counts frames of audio that arrived at a time. In the first second the start
// of the socket's audio is the earliest that any arrival allows, so that frames that
// were queued while the switch connected (F59) don't shift it.
func (t *timeline) arrive(frames int64, now time.Time) {
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

// EndBatch ends what was read in one go, which was all that had come by now. The
// pause before it is at least the time that the socket is known to have been empty,
// and the audio that is missing.
func (t *timeline) EndBatch(now time.Time) {
	if t.batch > 0 {
		if !t.batchAt.IsZero() {
			empty := t.emptyAt.Sub(t.batchAt)
			missing := t.arrived.Sub(t.batchAt) - t.format.Duration(t.batch)
			t.pause = max(t.pause, empty, missing)
		}
		t.batchAt, t.batch = t.arrived, 0
	}
	t.emptyAt = now
}

// TooMuch says that the socket's audio is longer than the time it came in, which is
// counted from before what was queued while the switch connected (F59).
func (t *timeline) TooMuch() bool {
	passed := t.arrived.Sub(t.start)
	return passed >= longAfter && float64(t.format.Duration(t.frames)) > longShare*float64(passed)
}

// disconnect ends the socket. Its end lies between the last moment at which it was
// open and now; the one that fits its audio best is chosen.
func (t *timeline) disconnect(now time.Time) {
	t.EndBatch(t.emptyAt)
	end, from := now, t.opened // all of it is missing
	if !t.start.IsZero() {
		end = t.start.Add(t.format.Duration(t.frames))
		if end.Before(t.emptyAt) {
			end = t.emptyAt
		}
		if end.After(now) {
			end = now
		}
		t.pause = max(t.pause, end.Sub(t.arrived))
	}
	if !t.origin.IsZero() {
		from = t.origin
	}
	t.missing = max(end.Sub(from)-t.format.Duration(t.received), 0)
	if t.missing <= t.frame+cadence {
		t.missing = 0
	}
}

// Empty records the last moment at which the socket was known to hold nothing unread.
func (t *timeline) Empty(at time.Time) { t.emptyAt = at }

// StartKnown says whether the socket's audio has begun and its start no longer depends on
// the exact time of an arrival.
func (t *timeline) StartKnown(now time.Time) bool {
	return !t.first.IsZero() && now.Sub(t.first) >= exactFor
}

// Received returns the frames of audio that came.
func (t *timeline) Received() int64 { return t.received }
