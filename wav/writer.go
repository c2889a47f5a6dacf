package wav

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"sync"
)

// bufferBytes is the most audio that a Writer buffers.
const bufferBytes = 8 << 10

var silence [bufferBytes]byte

// File is what a Writer writes to: an *os.File that wasn't opened with O_APPEND.
// Audio goes through Write, in order; the header and the cues through WriteAt.
type File interface {
	io.Writer
	io.WriterAt
	Sync() error
	Truncate(size int64) error
}

// Writer writes one recording. It is for one goroutine at a time.
//
// After an error of the file every method but Finish returns that error; buffered
// audio is kept, and Finish tries once more to write it.
type Writer struct {
	f      File
	format Format
	header []byte

	// Audio: bytes in the file, and what comes after them.
	bytes int64
	most  int64  // whole frames of it
	buf   []byte // a whole number of frames long, of lent; nil if nothing is in it
	lent  *[bufferBytes]byte
	n     int // bytes in buf; the last frame may be incomplete
	sum   hash.Hash

	patched int64 // bytes of audio that the header in the file declares
	synced  int64 // bytes of audio that Sync has brought to the disk
	cues    []Cue

	err error // the first error of the file; after Finish, ErrFinished
}

// NewWriter writes the header of an empty recording to f and returns its Writer. f
// must be empty and at its beginning; the caller closes it after Finish. A format
// that can't be written is an error of *FieldError values, joined.
//
// The recording is expected to have at most so many frames, 0 if nobody knows. If so many
// are less than 4 GiB, the header is the plain one of 44 bytes, and what would reach 4 GiB
// all the same is not accepted: the error is ErrTooLarge then.
func NewWriter(f File, format Format, frames int64) (*Writer, error) {
	if err := format.Validate(); err != nil {
		return nil, fmt.Errorf("check format: %w", err)
	}
	w := &Writer{f: f, format: format, most: format.whole(maxPlainAudio), sum: sha256.New()}
	room := frames <= 0 || frames > w.most/int64(format.FrameBytes())
	if room {
		w.most = math.MaxInt64
	}
	w.header = newHeader(format, room)
	setSizes(w.header, int64(format.FrameBytes()), 0, w.end(), false)
	if _, err := f.Write(w.header); err != nil {
		return nil, fmt.Errorf("write header: %w", err)
	}
	return w, nil
}

// Write accepts audio in any split, also within a sample. It buffers up to 8 KiB, in a buffer
// that goes to other Writers after a Flush, and doesn't allocate. It returns the number of bytes
// accepted: all of them unless the file fails, and the error wraps the file's, or it grows too
// large for its header.
func (w *Writer) Write(pcm []byte) (int, error) {
	accepted := 0
	for accepted < len(pcm) && w.err == nil {
		w.takeBuffer()
		space := min(int64(len(w.buf)), w.most-w.bytes)
		n := copy(w.buf[w.n:space], pcm[accepted:])
		w.n += n
		accepted += n
		switch {
		case w.n == len(w.buf):
			w.err = w.drain()
		case n == 0:
			w.err = fmt.Errorf("write audio: %w", ErrTooLarge)
		}
	}
	return accepted, w.err
}

// WriteSilence appends so many frames of zeros. An incomplete frame before them is
// completed with zeros first and is a frame of its own; WriteSilence(0) does only
// that, so that a new stream begins with a whole sample.
func (w *Writer) WriteSilence(frames int64) error {
	remaining := max(frames, 0) * int64(w.format.FrameBytes())
	if partial := w.n - w.whole(); partial != 0 {
		remaining += int64(w.format.FrameBytes() - partial)
	}
	for remaining > 0 && w.err == nil {
		n, _ := w.Write(silence[:min(remaining, bufferBytes)])
		remaining -= int64(n)
	}
	return w.err
}

// CueAt marks a position given in frames from the beginning; a position beyond the
// recording's end moves to its end. The label is cut to 80 bytes; the first 500 cues
// are kept.
func (w *Writer) CueAt(frame int64, label string) {
	if len(w.cues) < maxCues {
		w.cues = append(w.cues, Cue{Frame: frame, Label: cleanLabel(label)})
	}
}

// Flush writes the buffered whole frames and then the header's sizes, so that the
// file is playable to its end. It writes nothing if there is nothing new.
func (w *Writer) Flush() error {
	if w.err == nil {
		w.err = w.drain()
	}
	if w.err == nil && w.patched != w.bytes {
		w.err = w.patch(w.end())
	}
	w.giveBuffer()
	return w.err
}

var buffers = sync.Pool{New: func() any { return new([bufferBytes]byte) }}

// takeBuffer makes buf a buffer, if it is none.
func (w *Writer) takeBuffer() {
	if w.lent == nil {
		w.lent = buffers.Get().(*[bufferBytes]byte)
		w.buf = w.lent[:w.format.whole(bufferBytes)]
	}
}

// giveBuffer gives buf to the next Writer, if nothing is in it.
func (w *Writer) giveBuffer() {
	if w.lent != nil && w.n == 0 {
		buffers.Put(w.lent)
		w.lent, w.buf = nil, nil
	}
}

// Sync flushes and syncs the file, so that a power loss spares what was accepted so far. It
// does nothing if there is nothing new.
func (w *Writer) Sync() error {
	if w.Flush() != nil || w.synced == w.bytes {
		return w.err
	}
	if err := w.f.Sync(); err != nil {
		w.err = fmt.Errorf("sync recording: %w", err)
		return w.err
	}
	w.synced = w.bytes
	return nil
}

// Frames returns the whole frames accepted so far, buffered ones included; after
// Finish those that are in the file.
func (w *Writer) Frames() int64 {
	return (w.bytes + int64(w.n)) / int64(w.format.FrameBytes())
}

// Sum returns the SHA-256 of the PCM bytes of Frames.
func (w *Writer) Sum() [sha256.Size]byte {
	var sum [sha256.Size]byte
	h, err := w.sum.(hash.Cloner).Clone()
	if err != nil {
		panic(err) // a sha256 digest can be cloned
	}
	h.Write(w.buf[:w.whole()])
	h.Sum(sum[:0])
	return sum
}

// Finish writes the buffered frames, the cues and the final sizes, and syncs the
// file. An incomplete last frame is dropped. If it returns nil, every frame accepted
// is in the file, playable and synced, even if an earlier Write had failed; otherwise
// it has done as much of this as the file permits. f stays open. A second Finish does
// nothing and returns ErrFinished.
func (w *Writer) Finish() error {
	if errors.Is(w.err, ErrFinished) {
		return ErrFinished
	}
	errAudio := w.drain()
	w.n, w.err = 0, ErrFinished
	w.giveBuffer()
	end, errCues := w.writeCues()
	errHeader := w.patch(end)
	if errAudio != nil || errCues != nil {
		_ = w.f.Truncate(end) // half a frame or half a cue chunk; the header says where the end is
	}
	errSync := w.f.Sync()
	if errSync != nil {
		errSync = fmt.Errorf("sync recording: %w", errSync)
	}
	return errors.Join(errAudio, errCues, errHeader, errSync)
}

// end returns where the audio in the file ends.
func (w *Writer) end() int64 { return int64(len(w.header)) + w.bytes }

// whole returns the bytes of the whole frames in the buffer.
func (w *Writer) whole() int { return w.n - w.n%w.format.FrameBytes() }

// drain moves the buffer's whole frames to the file, as many as it accepts. After an
// error they go where the last whole frame ends: the file's own position may be beyond.
func (w *Writer) drain() (err error) {
	n := w.whole()
	switch {
	case n == 0:
		return nil
	case w.err == nil:
		n, err = w.f.Write(w.buf[:n])
	default:
		n, err = w.f.WriteAt(w.buf[:n], w.end())
	}
	n = int(w.format.whole(int64(n)))
	w.sum.Write(w.buf[:n])
	w.bytes += int64(n)
	w.n = copy(w.buf, w.buf[n:w.n])
	if err != nil {
		return fmt.Errorf("write audio: %w", err)
	}
	return nil
}

// writeCues returns the offset at which the RIFF ends, with or without cues.
func (w *Writer) writeCues() (int64, error) {
	end := w.end()
	chunks := encodeCues(w.cues, w.Frames())
	if len(chunks) == 0 {
		return end, nil
	}
	if _, err := w.f.WriteAt(chunks, end); err != nil {
		return end, fmt.Errorf("write cues: %w", err)
	}
	return end + int64(len(chunks)), nil
}

// patch writes the header of a file whose RIFF ends at the offset end.
func (w *Writer) patch(end int64) error {
	setSizes(w.header, int64(w.format.FrameBytes()), w.bytes, end, needsRF64(end))
	w.patched = w.bytes
	return writeHeader(w.f, w.header, 0)
}
