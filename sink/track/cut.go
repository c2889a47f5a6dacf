package track

import "time"

const (
	// cutFor is how long the stream may take to be started anew.
	cutFor = 5 * time.Second
	// endSurplus is how much too early audio may be at the end of a socket.
	endSurplus = 500 * time.Millisecond
)

// wrongRate is what is known of audio that comes at another rate than the recording's, as after
// a change of the call's codec (F50).
type wrongRate struct {
	asked   int       // how often a restart was asked for
	slow    bool      // less came than time passed, for a while
	wrong   bool      // the present socket is to be started anew
	given   bool      // up: the present socket's audio is written as it comes
	cutting bool      // what the time has no room for is dropped
	since   time.Time // when that was asked for
	at      int64     // position at which the stretch begins
	gap     int       // its index in gaps, -1 if it is not listed
}

// connect forgets the socket before.
func (w *wrongRate) connect() { w.wrong, w.given, w.cutting = false, false, false }

// EndBatch ends what was read in one go, which was all that had come by now.
func (t *Track) EndBatch(now time.Time) {
	t.endBatch(now, t.held())
	much, little := t.rate.tooMuch(), t.rate.tooLittle()
	t.slow = t.slow || little
	switch {
	case t.wrong && now.Sub(t.since) >= cutFor: // nobody has started it anew
		t.wrong, t.cutting, t.given = false, false, true
	case t.wrong || t.given || !much && !little:
	case much && !t.mayCut(), little && t.asked > 0 && !t.rate.even:
		t.given = true
	default:
		t.asked++
		t.wrong, t.since = true, now
		if much {
			t.beginCut(t.rate.from)
		}
	}
}

// TooMuch says that more audio comes than time passes, and has for a while.
func (t *Track) TooMuch() bool { return t.rate.tooMuch() }

// WrongRate says that the present socket brings audio at another rate than the recording's, and
// that starting the stream anew may mend it: it did not have that rate before, or no other
// socket was started anew for this.
func (t *Track) WrongRate() bool { return t.wrong }

// mayCut says whether too much audio is worth a restart: of a stream that had the right rate
// before, or once in a recording.
func (t *Track) mayCut() bool { return !t.given && (t.wrong || t.asked == 0 || t.rate.right) }

// beginCut begins to drop what the time has no room for, of a stretch that began at a position.
func (t *Track) beginCut(at int64) {
	t.cutting, t.at, t.gap = true, at, -1
	if len(t.gaps) < maxGaps {
		t.gap = len(t.gaps)
		t.gaps = append(t.gaps, Gap{AtMS: t.milliseconds(at), Reason: GapWrongRate})
	}
}

// cutEnd begins that at the end of a socket whose rate has not been wrong for long enough to be
// sure, if there is far more than the time has room for.
func (t *Track) cutEnd(now time.Time) {
	h := &t.hold
	surplus := t.format.Duration(t.held())
	if !t.live { // else what the time has room for is written
		surplus -= now.Sub(h.since)
	}
	if h.reason == GapWrongRate && !t.cutting && t.rate.right && surplus > endSurplus {
		t.beginCut(t.written)
	}
}

// put writes audio, of a wrong rate only as much as the time has room for.
func (t *Track) put(pcm []byte, now time.Time) error {
	if !t.cutting {
		return t.write(pcm)
	}
	frames := int64(len(pcm) / t.format.FrameBytes())
	room := min(frames, t.silenceUntil(now))
	t.dropped += frames - room
	err := t.write(pcm[:room*int64(t.format.FrameBytes())])
	if t.gap >= 0 {
		t.gaps[t.gap].MS = t.milliseconds(t.written - t.at)
	}
	return err
}

// Slow says that for a while far less audio came than time passed, evenly.
func (t *Track) Slow() bool { return t.slow }
