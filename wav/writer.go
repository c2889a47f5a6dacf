package wav

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
)

// bufferBytes is the most audio that a Writer buffers.
const bufferBytes = 8 << 10

// File is what a Writer writes to: an *os.File that wasn't opened with O_APPEND.
// Audio goes through Write, in order; the header and the cues through WriteAt.
type File interface {
	io.Writer
	io.WriterAt
	Sync() error
}

// Writer writes one recording. It is for one goroutine at a time.
//
// After an error of the file every method but Finish returns that error; buffered
// audio is kept, and Finish tries once more to write it.
type Writer struct {
	f      File
	format Format
	header [headerBytes]byte

	// Audio: bytes in the file, and what comes after them.
	bytes int64
	buf   []byte // a whole number of frames long
	n     int    // bytes in buf; the last frame may be incomplete
	sum   hash.Hash

	patched int64 // bytes of audio that the header in the file declares
	cues    []Cue

	err      error // the first error of the file
	finished bool
}

// NewWriter writes the header of an empty recording to f and returns its Writer. f
// must be empty and at its beginning; the caller closes it after Finish. A format
// that can't be written is an error of *FieldError values, joined.
func NewWriter(f File, format Format) (*Writer, error) {
	if err := format.Validate(); err != nil {
		return nil, fmt.Errorf("check format: %w", err)
	}
	size := bufferBytes - bufferBytes%format.FrameBytes()
	w := &Writer{f: f, format: format, buf: make([]byte, size), sum: sha256.New()}
	encodeHeader(&w.header, format, 0, headerBytes)
	if _, err := f.Write(w.header[:]); err != nil {
		return nil, fmt.Errorf("write header: %w", err)
	}
	return w, nil
}

// Write accepts audio in any split, also within a sample. It buffers up to 8 KiB and
// doesn't allocate. It returns the number of bytes accepted: all of them unless the
// file fails; the error then wraps the file's.
func (w *Writer) Write(pcm []byte) (int, error) {
	if err := w.usable(); err != nil {
		return 0, err
	}
	accepted := 0
	for accepted < len(pcm) {
		n := copy(w.buf[w.n:], pcm[accepted:])
		w.n += n
		accepted += n
		if err := w.drainFull(); err != nil {
			return accepted, err
		}
	}
	return accepted, nil
}

// WriteSilence appends so many frames of zeros. An incomplete frame before them is
// completed with zeros first and is a frame of its own; WriteSilence(0) does only
// that, so that a new stream begins with a whole sample.
func (w *Writer) WriteSilence(frames int64) error {
	if err := w.usable(); err != nil {
		return err
	}
	frame := w.format.FrameBytes()
	remaining := max(frames, 0) * int64(frame)
	if partial := w.n % frame; partial != 0 {
		remaining += int64(frame - partial)
	}
	for remaining > 0 {
		n := min(remaining, int64(len(w.buf)-w.n))
		clear(w.buf[w.n:][:n])
		w.n += int(n)
		remaining -= n
		if err := w.drainFull(); err != nil {
			return err
		}
	}
	return nil
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
	if err := w.usable(); err != nil {
		return err
	}
	if err := w.drain(); err != nil {
		return err
	}
	if w.patched == w.bytes {
		return nil
	}
	if err := w.patch(headerBytes + w.bytes); err != nil {
		w.err = err
	}
	return w.err
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
	if w.finished {
		return ErrFinished
	}
	w.finished = true
	errAudio := w.drainRest()
	w.n = 0
	end, errCues := w.writeCues()
	errHeader := w.patch(end)
	if errAudio != nil || errCues != nil {
		w.cut(end)
	}
	errSync := w.f.Sync()
	if errSync != nil {
		errSync = fmt.Errorf("sync recording: %w", errSync)
	}
	return errors.Join(errAudio, errCues, errHeader, errSync)
}

func (w *Writer) usable() error {
	if w.finished {
		return ErrFinished
	}
	return w.err
}

// whole returns the bytes of the whole frames in the buffer.
func (w *Writer) whole() int { return w.n - w.n%w.format.FrameBytes() }

func (w *Writer) drainFull() error {
	if w.n < len(w.buf) {
		return nil
	}
	return w.drain()
}

// drain writes the buffer's whole frames to the file.
func (w *Writer) drain() error {
	whole := w.whole()
	if whole == 0 {
		return nil
	}
	n, err := w.f.Write(w.buf[:whole])
	w.err = w.written(n, whole, err)
	return w.err
}

// drainRest is drain for Finish: after an error it writes where the last whole frame
// ends, which the file's own position may have passed.
func (w *Writer) drainRest() error {
	if w.err == nil {
		return w.drain()
	}
	whole := w.whole()
	if whole == 0 {
		return nil
	}
	n, err := w.f.WriteAt(w.buf[:whole], headerBytes+w.bytes)
	return w.written(n, whole, err)
}

// written counts the whole frames among the first n bytes of the buffer as in the
// file, and removes them from the buffer.
func (w *Writer) written(n, asked int, err error) error {
	if err == nil && n < asked {
		err = io.ErrShortWrite
	}
	n = int(w.format.whole(int64(min(max(n, 0), asked))))
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
	end := headerBytes + w.bytes
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
	encodeHeader(&w.header, w.format, w.bytes, end)
	if _, err := w.f.WriteAt(w.header[:], 0); err != nil {
		return fmt.Errorf("write header: %w", err)
	}
	w.patched = w.bytes
	return nil
}

// cut removes what a failed write left behind the end, half a frame or half a cue
// chunk, if the file can be truncated. If not, the header still says where the end is.
func (w *Writer) cut(end int64) {
	if t, ok := w.f.(interface{ Truncate(size int64) error }); ok {
		_ = t.Truncate(end)
	}
}
