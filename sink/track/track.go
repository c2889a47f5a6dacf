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
	wrongRate
	queue *queue
	hold  hold
	most  time.Duration // the greatest length
	full  bool          // silence was cut there

	listener Listener // or nil
	live     bool     // somebody waits for the audio
	talk     talk

	lost      int64 // frames for which there was no room
	lostUntil int64 // the frame after the last of them that is listed
}

// Mark is a cue point to be: a moment of the call and what it is called.
type Mark struct {
	Label string
	At    time.Time
}

// New begins an empty recording, whose file is made meanwhile. No silence makes it longer than
// most, and what comes after silence that is cut there is dropped.
func New(disk Disk, format wav.Format, most time.Duration) *Track {
	return &Track{queue: newQueue(disk), timeline: timeline{format: format}, levelMeter: newLevelMeter(format), most: most}
}

// Connect begins a new socket.
func (t *Track) Connect(now time.Time) {
	t.timeline.connect(now)
	t.wrongRate.connect()
	t.forget()
	if t.received > 0 {
		t.hold.reason = GapReconnect
	}
}

// Audio adds whole frames of PCM that arrived at a time. It doesn't keep pcm.
func (t *Track) Audio(pcm []byte, now time.Time) error {
	t.arrive(int64(len(pcm)/t.format.FrameBytes()), t.held(), now)
	t.measure(pcm)
	if t.hold.reason == "" {
		t.hold.reason, t.hold.due, t.hold.lag, t.hold.empty = t.doubt(now), t.batchAt.Add(-t.lag), t.lag, t.emptyAt
	}
	if t.hold.reason != "" {
		return t.holdBack(pcm, now)
	}
	return t.put(pcm, now)
}

// Steady says whether the present socket's audio has begun, comes as it should, and its
// position no longer depends on the exact time of an arrival.
func (t *Track) Steady(now time.Time) bool {
	return t.hold.reason == "" && !t.wrong && !t.first.IsZero() && now.Sub(t.first) >= exactFor &&
		now.Sub(t.arrived) < pauseAfter+t.frame
}

// write has whole frames written, or silence for as long if the disk stalls and there is no
// more room for what waits.
func (t *Track) write(pcm []byte) error {
	frames := int64(len(pcm) / t.format.FrameBytes())
	if t.full {
		t.dropped += frames
		return t.queue.error()
	}
	at := t.written
	if t.queue.audio(pcm) {
		t.written += frames
	} else {
		t.lose(frames)
	}
	t.tellAudio(at, pcm)
	return t.queue.error()
}

// silence has so many frames of zeros written.
func (t *Track) silence(frames int64) error {
	t.queue.silence(frames)
	t.written += frames
	return t.queue.error()
}

// lose has silence in the place of audio for which there is no room.
func (t *Track) lose(frames int64) {
	last := len(t.gaps) - 1
	listed := last >= 0 && t.gaps[last].Reason == GapDisk && t.written == t.lostUntil
	if listed {
		t.gaps[last].MS = t.milliseconds(t.written+frames) - t.gaps[last].AtMS
	} else {
		t.addGap(frames, GapDisk)
		listed = len(t.gaps) > last+1
	}
	_ = t.silence(frames) // its error comes again
	t.lost += frames
	if listed {
		t.lostUntil = t.written
	}
}

// Flush has the file brought up to all that is not held back, and made playable to there.
func (t *Track) Flush() error {
	t.queue.handOver(playable)
	return t.queue.error()
}

// Do has something else done at the disk, in the goroutine that writes, after what was added so
// far and before the next Flush ends. It is not done after an error of the file.
func (t *Track) Do(job func()) { t.queue.do(job) }

// Err returns the first error of the file, nil if there is none so far.
func (t *Track) Err() error { return t.queue.error() }

// Slowest is the longest time that the disk has taken, or is taking, for one turn.
func (t *Track) Slowest(now time.Time) time.Duration { return t.queue.slow(now) }

// Sync has the file flushed and brought to the disk itself.
func (t *Track) Sync() error {
	t.queue.handOver(durable)
	return t.queue.error()
}

// Message notes the length, in bytes, of a whole message of audio.
func (t *Track) Message(bytes int) {
	t.frame = max(t.frame, t.format.Duration(int64(bytes/t.format.FrameBytes())))
}

// Disconnect ends the socket at a time and writes all that is left of its audio. If it ended
// in order, so that no network lost what came last, a pause at its end becomes silence, too.
func (t *Track) Disconnect(now time.Time, inOrder bool) error {
	t.EndBatch(t.emptyAt)
	t.cutEnd(now)
	err := t.writeHeld(now)
	t.talk.pause()
	t.timeline.disconnect(now)
	switch {
	case err != nil:
	case t.first.IsZero() && t.received > 0 && !t.stop.From.IsZero():
		err = t.fillGap(t.stop.To, GapReconnect)
	case !t.first.IsZero() && inOrder:
		err = t.fillEnd()
	}
	if err == nil {
		err = t.Flush()
	}
	return err
}

// fillEnd fills the time without audio at the end of a socket, but not beyond the call's end.
func (t *Track) fillEnd() error {
	end := t.closed
	if !t.ended.IsZero() && t.ended.Before(end) {
		end = t.ended
	}
	switch {
	case t.wrong:
		return t.fill(end, GapWrongRate)
	case end.Sub(t.arrived) >= pauseAfter+t.frame:
		return t.fill(end, GapNoFrames)
	}
	return nil
}

// FullAt is when the recording will have its greatest length. Until its first sample it is
// counted from connected.
func (t *Track) FullAt(connected time.Time) time.Time {
	switch {
	case t.origin.IsZero():
		return connected.Add(t.most)
	case t.format.Duration(t.written) >= t.most:
		return t.origin
	}
	return t.origin.Add(t.most)
}

// OnlySilence says that at least so much audio came, and that all of it was digital silence.
func (t *Track) OnlySilence(least time.Duration) bool {
	e := t.sum()
	return e.caller.digitalSilence() && t.format.Duration(t.received) >= least
}

// TooLittle says, after the last socket and CallEnded, that less than 90 % of the audio came that
// the time would give. What came and was lost to the disk is not too little.
func (t *Track) TooLittle() bool {
	got := t.format.Duration(t.received - t.dropped)
	want := got + t.missing()
	return want >= shortAfter && float64(got) < shortShare*float64(want)
}

// Held says that most of what is missing came to be because no frames came on a live socket.
func (t *Track) Held() bool { return t.mostly(GapNoFrames) }

// Down says that most of what is missing came to be between two sockets, or, at the end, that no
// audio has come since the call started its stream again.
func (t *Track) Down() bool { return !t.stop.From.IsZero() || t.mostly(GapReconnect) }

// mostly says that gaps of a reason are most of what is missing.
func (t *Track) mostly(reason string) bool {
	var ms int64
	for _, g := range t.gaps {
		if g.Reason == reason {
			ms += g.MS
		}
	}
	return 2*ms > t.missing().Milliseconds()
}

// Position returns where in the recording a moment is, in frames: 0 if that is before the first
// sample. It may be beyond the audio that has come.
func (t *Track) Position(at time.Time) int64 {
	if t.origin.IsZero() || !at.After(t.origin) {
		return 0
	}
	return t.format.Frames(at.Sub(t.origin))
}

// Finish waits until all is written and completes the file, with a cue point at each mark, and
// syncs it. Even beside an error, complete says whether the file's header covers all audio
// that is in it; if not, it is for wav.Repair. A file that could not be made is not complete.
func (t *Track) Finish(marks []Mark) (complete bool, err error) {
	t.queue.handOver(written)
	t.queue.wait()
	w := t.queue.w
	if w == nil {
		return false, t.queue.error()
	}
	for _, m := range marks {
		w.CueAt(t.Position(m.At), m.Label)
	}
	err = w.Finish()
	t.written = w.Frames()
	if err != nil {
		return t.covered(), fmt.Errorf("finish recording: %w", err)
	}
	return true, nil
}

// covered says whether the file's header declares all audio that was written.
func (t *Track) covered() bool {
	info, err := t.queue.file.Stat()
	if err != nil {
		return false
	}
	h, err := wav.ReadHeader(t.queue.file, info.Size())
	return err == nil && h.Frames() == t.written
}

// SHA256 returns the SHA-256, in hex, of the PCM in the file, after Finish.
func (t *Track) SHA256() string {
	sum := t.queue.w.Sum()
	return hex.EncodeToString(sum[:])
}
