package sink

import (
	"io"
	"slices"
	"sync"
	"time"

	"tapdeck/wav"
)

const (
	// tapBuffer is what a tap keeps unless its options say otherwise.
	tapBuffer = 2 * time.Second
	// firstTapBytes is what it begins with: it grows only for a reader that is slow.
	firstTapBytes = 4 << 10
	// spansPerSecond of a tap's buffer, and leastSpans, bound the stretches of audio and silence that it keeps
	// apart.
	spansPerSecond = 5
	leastSpans     = 32
)

// TapDropped is the Reason of a TapRead's Gap that is audio for which the reader was too slow.
const TapDropped = "dropped"

// TapOptions say what a Tap's reader wants.
type TapOptions struct {
	// Latency is how late the reader may have the audio, so that one wake-up serves many frames: the
	// recording's reads of its socket are so far apart, but no farther than Config.ReadInterval. 0
	// is at once.
	Latency time.Duration
	// Buffer is how much audio is kept for a reader that is slow; 0 is 2 s.
	Buffer time.Duration
	// Left gives the left channel of a stereo stream alone.
	Left bool
}

// TapRead is what one Read of a Tap returns: audio, or a Gap.
type TapRead struct {
	// At is the position in the recording at which it begins.
	At time.Duration
	// Bytes of PCM were copied, whole frames.
	Bytes int
	// Gap is so much silence in the recording, if it is not 0: a track.Gap of this Reason; or, if Reason is
	// TapDropped, what the reader was too slow for, of which as much as Dropped was audio.
	Gap, Dropped time.Duration
	Reason       string
}

// Tap is one reader's view of a recording while it grows: the audio and the silence of its WAV,
// from where it was when the tap was opened to its end, in order. Its methods are safe for concurrent use.
type Tap struct {
	rec     *Recording
	ready   chan struct{}
	latency time.Duration
	format  wav.Format // of what is read
	skip    int        // bytes of a frame of the stream that are not read
	most    int        // bytes that are kept

	mostSpans int // that are kept apart

	mu      sync.Mutex // protects the following
	ring    []byte
	from    int    // of what is kept, in ring
	size    int    // bytes
	spans   []span // what it is, and the silence between; the oldest first
	at      int64  // frame of the recording at which they begin
	dropped int64  // frames
	ended   bool   // nothing follows
	closed  bool   // by its reader
}

// span is so many frames of audio, or, if there is a reason, of silence: that of TapDropped was audio in part.
type span struct {
	frames  int64
	reason  string
	dropped int64 // frames
}

// audio is how many frames of it are audio, or were.
func (s span) audio() int64 {
	if s.reason == "" {
		return s.frames
	}
	return s.dropped
}

// Tap opens a tap. It begins with what is added to the recording from now on; what is held back at
// this moment is that, too. The caller must Close it.
func (r *Recording) Tap(o TapOptions) *Tap {
	t := &Tap{rec: r, ready: make(chan struct{}, 1), latency: o.Latency, format: r.format, spans: make([]span, 0, leastSpans)}
	if o.Left && r.format.Channels == 2 {
		t.format.Channels = 1
		t.skip = t.format.FrameBytes()
	}
	if o.Buffer == 0 {
		o.Buffer = tapBuffer
	}
	t.most = max(int(t.format.Frames(o.Buffer)), 1) * t.format.FrameBytes()
	t.mostSpans = max(leastSpans, int(o.Buffer.Seconds()*spansPerSecond))
	r.openTap(t)
	return t
}

// Ready delivers a value after there is something to read, or the end. Several may make one
// value, so read until there is nothing.
func (t *Tap) Ready() <-chan struct{} { return t.ready }

// Read returns what comes next, and copies it to p if it is audio. It never waits: the zero TapRead
// says that there is nothing now. The error is io.EOF after the recording's end, when all was
// read, and after Close; or io.ErrShortBuffer if p has no room for a frame.
func (t *Tap) Read(p []byte) (TapRead, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.spans) == 0 {
		if t.ended {
			return TapRead{}, io.EOF
		}
		return TapRead{}, nil
	}
	next := t.spans[0]
	read := TapRead{At: t.format.Duration(t.at), Reason: next.reason}
	if next.reason != "" {
		read.Gap, read.Dropped = t.format.Duration(next.frames), t.format.Duration(next.dropped)
		t.pass(next.frames)
		return read, nil
	}
	frames := min(int64(len(p)/t.format.FrameBytes()), next.frames)
	if frames == 0 {
		return TapRead{}, io.ErrShortBuffer
	}
	read.Bytes = int(frames) * t.format.FrameBytes()
	n := copy(p[:read.Bytes], t.ring[t.from:min(t.from+read.Bytes, len(t.ring))])
	copy(p[n:read.Bytes], t.ring)
	t.pass(frames)
	return read, nil
}

// Dropped is how much audio the reader was too slow for.
func (t *Tap) Dropped() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.format.Duration(t.dropped)
}

// Close ends the tap, and forgets what was not read.
func (t *Tap) Close() {
	t.rec.closeTap(t)
	t.mu.Lock()
	t.closed, t.spans, t.ring, t.size = true, nil, nil, 0
	t.mu.Unlock()
	t.end()
}

// end says that nothing follows.
func (t *Tap) end() {
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	t.signal()
}

func (t *Tap) signal() {
	select {
	case t.ready <- struct{}{}:
	default:
	}
}

// audio adds audio of the stream that begins at a frame.
func (t *Tap) audio(at int64, pcm []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	size := t.format.FrameBytes()
	for len(pcm) > 0 && !t.closed {
		frames := min(len(pcm)/(size+t.skip), t.most/size)
		t.makeRoom(frames * size)
		t.append(at, span{frames: int64(frames)})
		t.fill(pcm[:frames*(size+t.skip)])
		pcm, at = pcm[frames*(size+t.skip):], at+int64(frames)
	}
}

// gap adds silence that begins at a frame.
func (t *Tap) gap(at, frames int64, reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.append(at, span{frames: frames, reason: reason})
	}
}

// append adds a span.
func (t *Tap) append(at int64, s span) {
	last := len(t.spans) - 1
	switch {
	case last < 0:
		t.at = at
	case t.spans[last].reason == s.reason:
		t.spans[last].frames += s.frames
		return
	}
	for len(t.spans) >= t.mostSpans-1 { // one is for drop
		t.mergeOldest()
	}
	t.spans = append(t.spans, s)
}

// mergeOldest makes the two oldest spans one that is dropped.
func (t *Tap) mergeOldest() {
	for i := range 2 {
		if t.spans[i].reason == "" {
			t.discard(t.spans[i].frames)
		}
	}
	t.spans[1] = span{t.spans[0].frames + t.spans[1].frames, TapDropped, t.spans[0].audio() + t.spans[1].audio()}
	t.spans = slices.Delete(t.spans, 0, 1)
}

// makeRoom makes room for so many bytes: in a larger ring, or by dropping the oldest audio.
func (t *Tap) makeRoom(bytes int) {
	if need := min(t.size+bytes, t.most); need > len(t.ring) {
		ring := make([]byte, min(max(2*len(t.ring), need, firstTapBytes), t.most))
		n := copy(ring, t.ring[t.from:min(t.from+t.size, len(t.ring))])
		copy(ring[n:], t.ring[:t.size-n])
		t.ring, t.from = ring, 0
	}
	for t.size+bytes > t.most {
		t.drop(int64(t.size+bytes-t.most) / int64(t.format.FrameBytes()))
	}
}

// drop drops up to so many frames of the oldest span of audio.
func (t *Tap) drop(frames int64) {
	i := slices.IndexFunc(t.spans, func(s span) bool { return s.reason == "" })
	frames = min(frames, t.spans[i].frames)
	t.discard(frames)
	t.spans[i].frames -= frames
	if i > 0 && t.spans[i-1].reason == TapDropped {
		t.spans[i-1].frames += frames
		t.spans[i-1].dropped += frames
	} else {
		t.spans = slices.Insert(t.spans, i, span{frames, TapDropped, frames})
		i++
	}
	if t.spans[i].frames == 0 {
		t.spans = slices.Delete(t.spans, i, i+1)
	}
}

// discard counts and forgets so many frames of audio, the oldest.
func (t *Tap) discard(frames int64) {
	t.dropped += frames
	t.release(frames)
}

// release gives back the room of so many frames of audio, the oldest.
func (t *Tap) release(frames int64) {
	bytes := int(frames) * t.format.FrameBytes()
	t.from, t.size = (t.from+bytes)%max(len(t.ring), 1), t.size-bytes
}

// pass goes on behind so many frames of the first span.
func (t *Tap) pass(frames int64) {
	if t.spans[0].reason == "" {
		t.release(frames)
	}
	t.at += frames
	if t.spans[0].frames -= frames; t.spans[0].frames == 0 {
		t.spans = slices.Delete(t.spans, 0, 1)
	}
}

// fill copies frames of the stream into the ring, which has room for them.
func (t *Tap) fill(pcm []byte) {
	to := (t.from + t.size) % len(t.ring)
	if t.skip == 0 {
		n := copy(t.ring[to:], pcm)
		copy(t.ring, pcm[n:])
		t.size += len(pcm)
		return
	}
	for i := 0; i < len(pcm); i += 2 + t.skip { // mono: 2 bytes of each frame
		t.ring[to], t.ring[to+1] = pcm[i], pcm[i+1]
		if to += 2; to == len(t.ring) {
			to = 0
		}
	}
	t.size += len(pcm) / 2
}
