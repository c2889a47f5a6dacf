package track

import (
	"time"

	"tapdeck/wav"
)

const (
	// exactFor is how long a socket's arrivals must be seen as they come, so that the
	// start of its audio is known to the frame.
	exactFor = time.Second
	// burstFor is how long what was queued while the switch connected (F59) may come.
	burstFor = 250 * time.Millisecond
	// pauseAfter is the time without audio that becomes a gap.
	pauseAfter = 200 * time.Millisecond
	// cadence is the lateness that an ordinary frame may have.
	cadence = 60 * time.Millisecond
	// clockError is how far two machines' clocks may drift apart: one part of so many (100 ppm).
	clockError = 10_000
	// maxGaps bounds the gaps that are listed.
	maxGaps = 1000
)

// Stop is a time for which a call has stopped its stream.
type Stop struct{ From, To time.Time }

// timeline places the audio of a recording's sockets in the call's time. Times are
// those at which the sink saw the bytes.
type timeline struct {
	format   wav.Format
	sockets  int
	opened   time.Time     // when the first socket was
	origin   time.Time     // when the first sample was made, zero before any audio
	closed   time.Time     // when the latest socket ended
	ended    time.Time     // when the call did, zero if that is unknown
	written  int64         // frames in the file, silence included
	received int64         // frames of audio
	dropped  int64         // of them, those of a wrong rate that the time had no room for, and those beyond the greatest length
	pause    time.Duration // the longest
	gaps     []Gap
	stop     Stop          // behind what is written, zero if there is none
	stopped  int64         // frames of all GapStopped
	frame    time.Duration // length of the longest message

	// The present socket.
	frames   int64         // of audio in it
	first    time.Time     // arrival of its first audio
	earliest time.Time     // that its first sample may have been made, as the recording's first socket
	arrived  time.Time     // arrival of its latest audio
	batch    int64         // frames since the last EndBatch
	batchAt  time.Time     // arrival of the last closed batch, zero before the first
	lag      time.Duration // by which the end of its audio may have arrived earlier: reads may be coalesced
	emptyAt  time.Time     // latest moment at which it was open and known to hold nothing unread
	rate     rateWatch
}

// connect begins a new socket.
func (t *timeline) connect(now time.Time) {
	t.first, t.arrived, t.batchAt, t.earliest = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	t.frames, t.batch, t.lag = 0, 0, 0
	t.rate = rateWatch{}
	t.emptyAt = now
	t.sockets++
	if t.opened.IsZero() {
		t.opened = now
	}
	if !t.stop.From.IsZero() {
		t.stop.To = now // connecting takes its time, which is none of the audio's
	}
}

// Stopped says, after the last socket before it and before the next, for how long the call had
// stopped its stream.
func (t *timeline) Stopped(s Stop) { t.stop, t.ended = s, time.Time{} }

// excused is how much of the time the call wanted no audio for.
func (t *timeline) excused() time.Duration {
	from := t.stop.From
	if end := t.end(); end.After(from) {
		from = end
	}
	return t.format.Duration(t.stopped) + max(t.stop.To.Sub(from), 0)
}

// end is when the last sample of the file was made.
func (t *timeline) end() time.Time { return t.origin.Add(t.format.Duration(t.written)) }

// arrive counts frames of audio that arrived at a time, when so many others were held back.
// In the first second of the recording its zero is the earliest that any arrival allows, so
// that frames that were queued while the switch connected (F59) don't shift it.
func (t *timeline) arrive(frames, held int64, now time.Time) {
	if t.first.IsZero() {
		t.first = now
	}
	if t.received == 0 { // a stop before the recording's zero is none of its time
		t.stop = Stop{}
	}
	t.frames += frames
	t.received += frames
	t.batch += frames
	t.arrived = now
	if t.received != t.frames || now.Sub(t.first) >= exactFor {
		return // it is not the recording's first socket, or known well enough
	}
	origin := now.Add(-t.format.Duration(t.written + held + frames))
	if now.Sub(t.first) >= burstFor && origin.Before(t.earliest) {
		origin = t.earliest
	}
	if t.origin.IsZero() || origin.Before(t.origin) {
		t.origin = origin
	}
	if now.Sub(t.first) < burstFor {
		t.earliest = t.origin.Add(-pauseAfter)
	}
}

// uncovered is how much of the time since the last batch has no audio in the present one.
func (t *timeline) uncovered(now time.Time) time.Duration {
	if t.batchAt.IsZero() {
		return 0
	}
	return now.Sub(t.batchAt) - t.format.Duration(t.batch)
}

// lateness is how much later than an even stream the present socket's audio is, counted from
// its first arrival.
func (t *timeline) lateness(now time.Time) time.Duration {
	return now.Sub(t.first) - t.format.Duration(t.frames)
}

// silenceUntil is how many frames of silence bring the file up to a moment.
func (t *timeline) silenceUntil(at time.Time) int64 {
	return max(t.format.Frames(at.Sub(t.origin))-t.written, 0)
}

// addGap lists a gap of so many frames from the present end of the file on.
func (t *timeline) addGap(frames int64, reason string) {
	if frames > 0 && len(t.gaps) < maxGaps {
		t.gaps = append(t.gaps, Gap{AtMS: t.milliseconds(t.written), MS: t.milliseconds(frames), Reason: reason})
	}
}

func (t *timeline) milliseconds(frames int64) int64 {
	return t.format.Duration(frames).Round(time.Millisecond).Milliseconds()
}

// endBatch ends what was read in one go, which was all that had come by now. The
// pause before it is at least the time that the socket is known to have been empty,
// and the audio that is missing. held is how many frames are held back.
func (t *timeline) endBatch(now time.Time, held int64) {
	if t.batch > 0 {
		uncovered := t.uncovered(t.arrived)
		if !t.batchAt.IsZero() {
			t.pause = max(t.pause, t.emptyAt.Sub(t.batchAt), uncovered)
		}
		t.rate.note(t.lateness(t.arrived), t.arrived, t.written+held, uncovered >= pauseAfter+t.frame)
		t.batchAt, t.batch, t.lag = t.arrived, 0, 0
		if held == 0 && uncovered < pauseAfter && t.rate.slow == 0 {
			t.lag = max(uncovered, 0)
		}
	}
	t.emptyAt = now
}

// disconnect ends the socket, of whose audio nothing is held back any more. Its end lies
// between the last moment at which it was open and now; the one that fits its audio best is
// chosen.
func (t *timeline) disconnect(now time.Time) {
	t.closed = now
	if t.first.IsZero() {
		return
	}
	end := t.end()
	if end.Before(t.emptyAt) {
		end = t.emptyAt
	}
	if end.Before(now) {
		t.closed = end
	}
	t.pause = max(t.pause, t.closed.Sub(t.arrived))
}

// missing is how much less audio came than the time to the end of the call would give. Less
// than a frame and cadence is none, and neither is what two clocks may differ by.
func (t *timeline) missing() time.Duration {
	end, from := t.closed, t.opened // all of it is missing
	if !t.ended.IsZero() {
		end = t.ended
	}
	if !t.origin.IsZero() {
		from = t.origin
	}
	lasted := end.Sub(from)
	missing := lasted - t.format.Duration(t.received-t.dropped) - t.excused()
	if t.closed.IsZero() || missing <= t.frame+cadence+lasted/clockError {
		return 0
	}
	return missing
}

// CallEnded says when the call ended. Time without audio after that is not the call's.
func (t *timeline) CallEnded(at time.Time) { t.ended = at }

// Empty records the last moment at which the socket was known to hold nothing unread.
func (t *timeline) Empty(at time.Time) { t.emptyAt = at }

// Origin returns the moment of the recording's zero; zero before any audio. Within the first
// second of the first socket's audio it may still become earlier.
func (t *timeline) Origin() time.Time { return t.origin }

// Received returns the frames of audio that came.
func (t *timeline) Received() int64 { return t.received }
