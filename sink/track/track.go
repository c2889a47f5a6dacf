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
	timeline
	levelMeter
	file File
	w    *wav.Writer

	holding bool // of a later socket, until its position is known
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
	return &Track{file: f, w: w, timeline: timeline{format: format}, levelMeter: newLevelMeter(format)}, nil
}

// Connect begins a new socket.
func (t *Track) Connect(now time.Time) {
	t.start, t.first, t.arrived, t.batchAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	t.frames, t.batch = 0, 0
	t.emptyAt = now
	t.sockets++
	if t.opened.IsZero() {
		t.opened = now
	}
	t.holding = t.received > 0
}

// Audio adds whole frames of PCM that arrived at a time. It doesn't keep pcm.
func (t *Track) Audio(pcm []byte, now time.Time) error {
	t.arrive(int64(len(pcm)/t.format.FrameBytes()), now)
	t.measure(pcm)
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
	if !t.holding || t.first.IsZero() {
		return time.Time{}
	}
	return t.first.Add(holdTime)
}

// WriteHeld writes what is held back, once its position is known.
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
	err := t.w.WriteSilence(t.gap())
	t.written = t.w.Frames()
	if err == nil {
		err = t.write(t.held)
	}
	t.held = nil
	return err
}

func (t *Track) write(pcm []byte) error {
	_, err := t.w.Write(pcm)
	t.written = t.w.Frames()
	return err
}

// Flush brings the file up to all that is not held back, and makes it playable to there.
func (t *Track) Flush() error { return t.w.Flush() }

// Message notes the length, in bytes, of a whole message of audio.
func (t *Track) Message(bytes int) {
	t.frame = max(t.frame, t.format.Duration(int64(bytes/t.format.FrameBytes())))
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
	switch {
	case t.origin.IsZero():
		return connected.Add(most)
	case t.format.Duration(t.written) >= most:
		return t.origin
	}
	return t.origin.Add(most)
}

// OnlySilence says that at least so much audio came, and that all of it was digital silence.
func (t *Track) OnlySilence(least time.Duration) bool {
	e := t.sum()
	return e.digitalSilence() && t.format.Duration(t.received) >= least
}

// TooLittle says, after the last socket, that less than 90 % of the audio came that the
// time would give.
func (t *Track) TooLittle() bool {
	got := t.format.Duration(t.received)
	want := got + t.missing
	return want >= shortAfter && float64(got) < shortShare*float64(want)
}

// Finish completes the file, with a cue point at each mark, and syncs it. Even beside an
// error, complete says whether the file's header covers all audio that is in it; if not,
// it is for wav.Repair.
func (t *Track) Finish(marks []Mark) (complete bool, err error) {
	for _, m := range marks {
		at := int64(0)
		if !t.origin.IsZero() && m.At.After(t.origin) {
			at = min(t.format.Frames(m.At.Sub(t.origin)), t.written)
		}
		t.w.CueAt(at, m.Label)
	}
	if err := t.w.Finish(); err != nil {
		if info, errFile := t.file.Stat(); errFile == nil {
			h, errFile := wav.ReadHeader(t.file, info.Size())
			complete = errFile == nil && h.Frames() == t.w.Frames()
		}
		return complete, fmt.Errorf("finish recording: %w", err)
	}
	return true, nil
}

// SHA256 returns the SHA-256, in hex, of the PCM in the file.
func (t *Track) SHA256() string {
	sum := t.w.Sum()
	return hex.EncodeToString(sum[:])
}
