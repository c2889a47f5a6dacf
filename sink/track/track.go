package track

import (
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"time"

	"tapdeck/wav"
)

const (
	// holdTime is how long a later socket's first audio is held back until the start
	// of it is known; holdBytes bounds what is held.
	holdTime  = 100 * time.Millisecond
	holdBytes = 64 << 10

	// Less than shortShare of the audio that the time would give is too little, if the
	// time is at least shortAfter.
	shortShare = 0.9
	shortAfter = time.Second
)

// File is what a Track writes to: an *os.File, empty and at its beginning.
type File interface {
	wav.File
	io.ReaderAt
	Stat() (fs.FileInfo, error)
}

// Track is the audio of one recording, over all its sockets. It is for one goroutine at
// a time.
type Track struct {
	file     File
	w        *wav.Writer
	timeline timeline
	level    levelMeter

	holding bool // of a later socket, until its place is known
	held    []byte
}

// Mark is a cue point to be: a moment of the call and what it is called.
type Mark struct {
	Label string
	At    time.Time
}

// New writes the header of an empty recording to f, which the caller closes after Finish.
func New(f File, format wav.Format) (*Track, error) {
	w, err := wav.NewWriter(f, format)
	if err != nil {
		return nil, fmt.Errorf("begin recording: %w", err)
	}
	return &Track{file: f, w: w, timeline: timeline{format: format}, level: newLevelMeter(format)}, nil
}

// Connect begins a new socket.
func (t *Track) Connect(now time.Time) {
	t.timeline.connect(now)
	t.holding = t.timeline.received > 0
}

// Audio takes whole frames of PCM that arrived at a time. It doesn't keep pcm.
func (t *Track) Audio(pcm []byte, now time.Time) error {
	t.timeline.arrive(int64(len(pcm)/t.timeline.format.FrameBytes()), now)
	t.level.add(pcm)
	if !t.holding {
		return t.write(pcm)
	}
	t.held = append(t.held, pcm...)
	if len(t.held) >= holdBytes {
		return t.writeHeld()
	}
	return t.WriteHeld(now)
}

// HeldUntil is when WriteHeld will write what is held back; zero if nothing is.
func (t *Track) HeldUntil() time.Time {
	if !t.holding || t.timeline.first.IsZero() {
		return time.Time{}
	}
	return t.timeline.first.Add(holdTime)
}

// WriteHeld writes what is held back, once the place of it is known.
func (t *Track) WriteHeld(now time.Time) error {
	if at := t.HeldUntil(); at.IsZero() || now.Before(at) {
		return nil
	}
	return t.writeHeld()
}

// writeHeld fills the gap before the present socket and writes what was held.
func (t *Track) writeHeld() error {
	if !t.holding || len(t.held) == 0 {
		return nil
	}
	t.holding = false
	err := t.w.WriteSilence(t.timeline.gap())
	t.timeline.written = t.w.Frames()
	if err == nil {
		err = t.write(t.held)
	}
	t.held = nil
	return err
}

func (t *Track) write(pcm []byte) error {
	_, err := t.w.Write(pcm)
	t.timeline.written = t.w.Frames()
	return err
}

// Flush brings the file up to all that is not held back, and makes it playable to there.
func (t *Track) Flush() error { return t.w.Flush() }

// Message notes the length, in bytes, of a whole message of audio.
func (t *Track) Message(bytes int) {
	f := t.timeline.format
	t.timeline.frame = max(t.timeline.frame, f.Duration(int64(bytes/f.FrameBytes())))
}

// EndBatch ends what was read in one go, which was all that had come by now.
func (t *Track) EndBatch(now time.Time) { t.timeline.closeBatch(now) }

// Empty records the last moment at which the socket was known to hold nothing unread.
func (t *Track) Empty(at time.Time) { t.timeline.emptyAt = at }

// StartKnown says whether the socket's audio has begun and its start no longer depends on
// the exact time of an arrival.
func (t *Track) StartKnown(now time.Time) bool {
	first := t.timeline.first
	return !first.IsZero() && now.Sub(first) >= exactFor
}

// Disconnect ends the socket at a time and writes all that is left of its audio.
func (t *Track) Disconnect(now time.Time) error {
	err := t.writeHeld()
	t.timeline.disconnect(now)
	if err == nil {
		err = t.Flush()
	}
	return err
}

// FullAt is when the recording will be longer than most. Until its first sample it is
// counted from connected.
func (t *Track) FullAt(connected time.Time, most time.Duration) time.Time {
	tl := &t.timeline
	if tl.origin.IsZero() {
		return connected.Add(most)
	}
	if tl.format.Duration(tl.written) >= most {
		return tl.origin
	}
	return tl.origin.Add(most)
}

// Received returns the frames of audio that came.
func (t *Track) Received() int64 { return t.timeline.received }

// RecentLevel returns the level, in dBFS, of what came since the last call, and whether
// there was a whole window of 20 ms.
func (t *Track) RecentLevel() (dbfs float64, ok bool) { return t.level.recentDBFS() }

// ForgetVoice makes QuietFor begin anew.
func (t *Track) ForgetVoice() { t.level.forgetVoice() }

// QuietFor says whether the caller has spoken since ForgetVoice and has then been quiet
// for d of audio.
func (t *Track) QuietFor(d time.Duration) bool { return t.level.quietFor(d) }

// OnlySilence says that at least so much audio came, and that all of it was digital silence.
func (t *Track) OnlySilence(least time.Duration) bool {
	if t.timeline.format.Duration(t.timeline.received) < least {
		return false
	}
	e := t.level.sum()
	return e.digitalSilence()
}

// TooMuch says that a socket brings more audio than time passes.
func (t *Track) TooMuch() bool { return t.timeline.tooMuch() }

// TooLittle says, after the last socket, that less than 90 % of the audio came that the
// time would give.
func (t *Track) TooLittle() bool {
	got := t.timeline.format.Duration(t.timeline.received)
	want := got + t.timeline.missing
	return want >= shortAfter && float64(got) < shortShare*float64(want)
}

// Finish completes the file, with a cue point at each mark, and syncs it. Even beside an
// error, complete says whether the file's header tells of all audio that is in it; if not,
// it is for wav.Repair.
func (t *Track) Finish(marks []Mark) (complete bool, err error) {
	for _, m := range marks {
		t.w.CueAt(t.timeline.position(m.At), m.Label)
	}
	if err := t.w.Finish(); err != nil {
		return t.playable(), fmt.Errorf("finish recording: %w", err)
	}
	return true, nil
}

func (t *Track) playable() bool {
	info, err := t.file.Stat()
	if err != nil {
		return false
	}
	h, err := wav.ReadHeader(t.file, info.Size())
	return err == nil && h.Frames() == t.w.Frames()
}

// SHA256 returns the SHA-256, in hex, of the PCM in the file.
func (t *Track) SHA256() string {
	sum := t.w.Sum()
	return hex.EncodeToString(sum[:])
}
