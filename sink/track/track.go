package sink

import (
	"fmt"
	"strings"
	"time"

	"tapdeck/wav"
)

const (
	// settleFor is how long a later socket's first audio is held back until the start
	// of it is known; settleBytes bounds what is held.
	settleFor   = 100 * time.Millisecond
	settleBytes = 64 << 10

	maxMetadata      = 32
	maxMetadataBytes = 8 << 10
)

// take is a recording's file and all that is known of its sound. It belongs to the
// stream that is live, and to Finish once none is.
type take struct {
	file     file
	w        *wav.Writer
	name     string // without an extension, relative to the directory
	timeline timeline
	meter    meter
	watching *watch // what the meter listens for

	silenceChecked bool

	metadata []string
	dropped  int

	holding bool // of a later socket, until its place is known
	held    []byte
}

func newTake(f file, format wav.Format, name string) (*take, error) {
	w, err := wav.NewWriter(f, format)
	if err != nil {
		return nil, fmt.Errorf("begin %s: %w", name, err)
	}
	return &take{
		file: f, w: w, name: name,
		timeline: timeline{format: format}, meter: newMeter(format),
	}, nil
}

// connect begins a new socket.
func (t *take) connect(now time.Time) {
	t.timeline.connect(now)
	t.holding = t.timeline.received > 0
}

// audio takes whole frames that arrived at a time.
func (t *take) audio(pcm []byte, now time.Time) error {
	t.timeline.took(int64(len(pcm)/t.timeline.format.FrameBytes()), now)
	t.meter.add(pcm)
	if !t.holding {
		return t.write(pcm)
	}
	t.held = append(t.held, pcm...)
	if len(t.held) < settleBytes && !t.settled(now) {
		return nil
	}
	return t.settle()
}

// settleAt is when what is held will have to be written; zero if nothing is.
func (t *take) settleAt() time.Time {
	if !t.holding || t.timeline.first.IsZero() {
		return time.Time{}
	}
	return t.timeline.first.Add(settleFor)
}

func (t *take) settled(now time.Time) bool {
	at := t.settleAt()
	return !at.IsZero() && !now.Before(at)
}

// settle fills the gap before the present socket and writes what was held.
func (t *take) settle() error {
	if !t.holding || len(t.held) == 0 {
		return nil
	}
	t.holding = false
	silence := t.timeline.gap()
	err := t.w.WriteSilence(silence)
	t.timeline.written = t.w.Frames()
	if err == nil {
		err = t.write(t.held)
	}
	t.held = nil
	return err
}

func (t *take) write(pcm []byte) error {
	_, err := t.w.Write(pcm)
	t.timeline.written = t.w.Frames()
	return err
}

func (t *take) flush() error { return t.w.Flush() }

// message notes the length of a whole message of audio.
func (t *take) message(bytes int) {
	f := t.timeline.format
	t.timeline.frame = max(t.timeline.frame, f.Duration(int64(bytes/f.FrameBytes())))
}

// text keeps a text frame, in bounds.
func (t *take) text(b []byte) {
	if len(t.metadata) >= maxMetadata {
		t.dropped++
		return
	}
	t.metadata = append(t.metadata, strings.ToValidUTF8(string(b), "\uFFFD"))
}

// disconnect ends the socket at a time.
func (t *take) disconnect(now time.Time) error {
	err := t.settle()
	t.timeline.disconnect(now)
	if err == nil {
		err = t.flush()
	}
	return err
}

// fullAt is when the recording will be longer than is permitted.
func (t *take) fullAt(connected time.Time, most time.Duration) time.Time {
	tl := &t.timeline
	if tl.origin.IsZero() {
		return connected.Add(most)
	}
	if tl.format.Duration(tl.written) >= most {
		return tl.origin
	}
	return tl.origin.Add(most)
}

// playable says whether the file, after an error, tells of all audio that is in it. If
// not, it stays a .part, for Recover to repair.
func (t *take) playable() bool {
	info, err := t.file.Stat()
	if err != nil {
		return false
	}
	h, err := wav.ReadHeader(t.file, info.Size())
	return err == nil && h.Frames() == t.w.Frames()
}

// sound is what the record tells.
func (t *take) sound() Sound {
	tl, e := &t.timeline, t.meter.sum()
	return Sound{
		AudioMS:         tl.format.Duration(t.w.Frames()).Milliseconds(),
		MissingMS:       tl.missing.Milliseconds(),
		LargestPauseMS:  tl.pause.Milliseconds(),
		Gaps:            tl.gaps,
		Bytes:           tl.received * int64(tl.format.FrameBytes()),
		RMSDBFS:         round2(e.rmsDBFS()),
		PeakDBFS:        round2(e.peakDBFS()),
		DigitalSilence:  e.digitalSilence(),
		WAV:             wavPath(t.name),
		Metadata:        t.metadata,
		MetadataDropped: t.dropped,
	}
}
