package wav

import (
	"errors"
	"fmt"
	"io"
)

// piece is a stretch of a file's audio, in bytes.
type piece struct{ at, size int64 }

// Reader reads the audio of a WAV file as 16-bit PCM, whatever program wrote it: it accepts what Decode
// does, and reads the file as it is itself read, in constant memory. It is for one goroutine at a time.
type Reader struct {
	file   io.ReaderAt
	layout layout
	pieces []piece // that are still to be read
	frames int64
	raw    []byte // of another encoding
}

// NewReader reads the chunks of a file of size bytes. What the file holds beyond, as it may still grow, is
// not read. The error is ErrNotWAV, ErrFormat, or wraps an error of r.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	r, start, err := afterTag(r)
	if err != nil {
		return nil, err
	}
	l, err := readLayout(r, size-start)
	if err != nil {
		return nil, err
	}
	d := &Reader{file: r, layout: l, pieces: l.pieces(r)}
	for _, p := range d.pieces {
		d.frames += p.size / l.frameBytes()
	}
	return d, nil
}

// Format is that of the audio.
func (r *Reader) Format() Format { return r.layout.Format }

// Frames is how many there are in all.
func (r *Reader) Frames() int64 { return r.frames }

// streamedSize and more, up to 4 GiB, is what programs write that can't go back to the header at the end, such
// as sox: it promises nothing.
const streamedSize = 0x7FFF_F000

// Missing is how many frames the header promises that the file does not have: it is a truncated copy, or
// is still being written.
func (r *Reader) Missing() int64 {
	l := &r.layout
	if !l.rf64 && l.declared >= streamedSize {
		return 0
	}
	return max(l.declared-l.available(), 0) / l.frameBytes()
}

// Read fills p, which has room for one frame at least, with whole frames, as many as there are. At the end
// the error is io.EOF; one of the file, or that it has become shorter, is wrapped.
func (r *Reader) Read(p []byte) (n int, err error) {
	frame := r.layout.Format.FrameBytes()
	for len(p)-n >= frame && len(r.pieces) > 0 {
		next := &r.pieces[0]
		frames := min(next.size/r.layout.frameBytes(), int64((len(p)-n)/frame))
		if err := r.readFrames(p[n:][:int(frames)*frame], next.at); err != nil {
			return n, err
		}
		n += int(frames) * frame
		next.at, next.size = next.at+frames*r.layout.frameBytes(), next.size-frames*r.layout.frameBytes()
		if next.size == 0 {
			r.pieces = r.pieces[1:]
		}
	}
	if n == 0 && len(r.pieces) == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// readFrames fills p with what is in the file at an offset.
func (r *Reader) readFrames(p []byte, at int64) error {
	raw, e := p, r.layout.encoding
	if size := len(p) / sampleBytes * e.bits / 8; e != pcm16 {
		if cap(r.raw) < size {
			r.raw = make([]byte, size)
		}
		raw = r.raw[:size]
	}
	n, err := r.file.ReadAt(raw, at)
	if n < len(raw) {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("read audio: %w", err)
	}
	if e != pcm16 {
		e.append16(p[:0], raw)
	}
	return nil
}
