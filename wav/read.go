package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strings"
)

// Limits on what is read from a file that another program may have written.
const (
	maxChunks = 10_000
	maxRead   = 1 << 20 // bytes at once
)

// Header describes the audio of a file.
type Header struct {
	Format Format
	// DataOffset is where the audio begins, in bytes from the file's beginning.
	DataOffset int64
	// DataBytes is the length of the whole frames that the file both declares and
	// holds, in bytes.
	DataBytes int64
	// Cues are in the file's order.
	Cues []Cue
}

// Frames returns the whole frames of audio in the file.
func (h Header) Frames() int64 { return h.DataBytes / int64(h.Format.FrameBytes()) }

// ReadHeader reads the chunks of a file of size bytes, in constant memory. The
// error is ErrNotWAV, ErrFormat for other audio than 16-bit PCM, or wraps an error of r.
// A file that is cut short or still being written is not an error.
func ReadHeader(r io.ReaderAt, size int64) (Header, error) {
	r, start, err := afterTag(r)
	if err != nil {
		return Header{}, err
	}
	l, err := readLayout(r, size-start)
	if err == nil && l.encoding != pcm16 {
		err = fmt.Errorf("read header: %w: %v", ErrFormat, l.encoding)
	}
	if err != nil {
		return Header{}, err
	}
	if !l.open {
		l.Cues = readCues(r, l.dataEnd(), min(l.size, l.riffEnd))
	}
	l.DataOffset += start
	return l.Header, nil
}

// Parse returns the header and the audio of a file in memory, as the header declares it.
// Errors are those of ReadHeader; the audio isn't copied. Decode accepts more.
func Parse(file []byte) (Header, []byte, error) {
	h, err := ReadHeader(bytes.NewReader(file), int64(len(file)))
	return h, file[h.DataOffset:][:h.DataBytes], err
}

// layout holds where the parts of a file are. Offsets are from the file's beginning.
type layout struct {
	Header
	encoding encoding
	size     int64
	damaged  bool  // its header can't be read as it is
	room     bool  // at the file's beginning is a ds64 chunk, or JUNK of its size
	rf64     bool  // it is a ds64 chunk
	declared int64 // length of the audio
	open     bool  // the file declares an unknown length; declared is what it holds
	riffEnd  int64 // as declared
}

// chunk is the header of one chunk.
type chunk struct {
	id      string
	payload int64
	size    int64
	pad     int64
}

// end returns where the next chunk begins.
func (c chunk) end() int64 { return c.payload + c.size + c.pad }

func readChunk(r io.ReaderAt, at int64) (chunk, error) {
	var b [chunkHeader]byte
	if err := readFull(r, b[:], at); err != nil {
		return chunk{}, err
	}
	c := chunk{id: string(b[:4]), payload: at + chunkHeader, size: int64(binary.LittleEndian.Uint32(b[4:]))}
	if strings.ContainsFunc(c.id, func(r rune) bool { return r < ' ' || r > '~' }) {
		return c, fmt.Errorf("read header: %w: chunk %q", ErrNotWAV, c.id)
	}
	c.pad = c.size % 2
	if c.pad > 0 {
		// The pad byte is there unless a chunk begins in its place, and none behind it.
		var next [5]byte
		n, err := r.ReadAt(next[:], c.end()-1)
		if n == len(next) && isKnown(next[:4]) && !isKnown(next[1:]) {
			c.pad = 0
		}
		return c, readError(err)
	}
	return c, nil
}

// isKnown reports whether an id is one that WAV files have.
func isKnown(id []byte) bool {
	return slices.Contains([]string{
		"fmt ", "data", "LIST", "fact", "cue ", "JUNK", "junk", "PAD ", "FLLR", "bext", "iXML", "_PMX", "id3 ", "ID3 ", "smpl", "inst", "PEAK", "plst", "afsp", "DISP", "cart",
	}, string(id))
}

// chunks yields the chunks from an offset on, up to the first that can't be read.
func chunks(r io.ReaderAt, at int64) iter.Seq2[chunk, error] {
	return func(yield func(chunk, error) bool) {
		for range maxChunks {
			c, err := readChunk(r, at)
			if !yield(c, err) || err != nil {
				return
			}
			at = c.end()
		}
	}
}

// wholeChunks yields the chunks from an offset on that end at another one or before.
func wholeChunks(r io.ReaderAt, at, end int64) iter.Seq[chunk] {
	return func(yield func(chunk) bool) {
		for c, err := range chunks(r, at) {
			if err != nil || c.end() > end || !yield(c) {
				return
			}
		}
	}
}

// readFull fills b; if the file ends before, the error is ErrNotWAV.
func readFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fmt.Errorf("read header: %w: it ends too early", ErrNotWAV)
	}
	return fmt.Errorf("read header: %w", err)
}

// size64 reads a size of a ds64 chunk, cut to what can be added to an offset.
func size64(b []byte) int64 { return int64(min(binary.LittleEndian.Uint64(b), math.MaxInt64/2)) }

// readLayout walks the chunks up to the audio.
func readLayout(r io.ReaderAt, size int64) (layout, error) {
	l := layout{size: size}
	var b [riffHeader]byte
	if err := readFull(r, b[:], 0); err != nil {
		return l, err
	}
	if id := string(b[:4]); id != "RIFF" && id != "RF64" || string(b[8:]) != "WAVE" {
		return l, fmt.Errorf("read header: %w", ErrNotWAV)
	}
	l.riffEnd = chunkHeader + int64(binary.LittleEndian.Uint32(b[4:]))
	for c, err := range chunks(r, riffHeader) {
		if err == nil {
			err = l.scan(r, c)
		}
		if err != nil || l.DataOffset != 0 {
			return l, err
		}
	}
	return l, fmt.Errorf("read header: %w: more than %d chunks before the audio", ErrNotWAV, maxChunks)
}

// scan reads one chunk into the layout.
func (l *layout) scan(r io.ReaderAt, c chunk) error {
	switch {
	case c.id == "fmt ":
		return l.scanFormat(r, c)
	case c.id == "data":
		return l.scanData(r, c)
	case c.payload != ds64At || c.size < junkBytes || c.id != "ds64" && c.id != "JUNK":
		return nil
	}
	l.room, l.rf64 = true, c.id == "ds64"
	var b [16]byte
	if err := readFull(r, b[:], c.payload); err != nil {
		return err
	}
	if l.rf64 {
		l.riffEnd, l.declared = chunkHeader+size64(b[:]), size64(b[8:])
	}
	return nil
}

func (l *layout) scanFormat(r io.ReaderAt, c chunk) (err error) {
	b := make([]byte, min(c.size, fmtBytes+10))
	if len(b) < fmtBytes {
		return fmt.Errorf("read header: %w: fmt chunk of %d bytes", ErrNotWAV, len(b))
	}
	if err := readFull(r, b, c.payload); err != nil {
		return err
	}
	l.Format, l.encoding, err = decodeFormat(b)
	return err
}

// decodeFormat reads the payload of a fmt chunk, at least fmtBytes long.
func decodeFormat(b []byte) (Format, encoding, error) {
	var c formatChunk
	_, _ = binary.Decode(b, binary.LittleEndian, &c)
	if c.Tag == tagExtensible && len(b) >= 26 {
		c.Tag = binary.LittleEndian.Uint16(b[24:])
	}
	f, e := Format{SampleRate: int(min(c.SampleRate, math.MaxInt32)), Channels: int(c.Channels)}, encoding{c.Tag, int(c.Bits)}
	if e.sample() == nil {
		return Format{}, encoding{}, fmt.Errorf("read header: %w: %v", ErrFormat, e)
	}
	if err := f.Validate(); err != nil {
		return Format{}, encoding{}, fmt.Errorf("read header: %w: %w", ErrFormat, err)
	}
	if int(c.FrameBytes) != f.Channels*e.bits/8 {
		return Format{}, encoding{}, fmt.Errorf("read header: %w: %d bytes a frame", ErrFormat, c.FrameBytes)
	}
	return f, e, nil
}

// scanData reads the data chunk. An empty one that another one follows is passed over.
func (l *layout) scanData(r io.ReaderAt, c chunk) error {
	if next, err := readChunk(r, c.payload); c.size == 0 && err == nil && next.id == "data" {
		return nil
	}
	if l.Format == (Format{}) {
		return fmt.Errorf("read header: %w: no fmt chunk before the data chunk", ErrNotWAV)
	}
	if c.payload > l.size {
		return fmt.Errorf("read header: %w: it is shorter than its header", ErrNotWAV)
	}
	l.DataOffset = c.payload
	switch {
	case c.size != unknownSize:
		l.declared = c.size
	case l.declared == 0: // no ds64 chunk declares it
		l.open, l.declared = true, l.available()
	}
	l.DataBytes = l.whole(min(l.declared, l.available()))
	return nil
}

// frameBytes returns the bytes of one frame as the file writes it.
func (l *layout) frameBytes() int64 { return int64(l.Format.Channels * l.encoding.bits / 8) }

// whole returns the bytes of the whole frames in n bytes.
func (l *layout) whole(n int64) int64 { return n - n%l.frameBytes() }

func (l *layout) available() int64 { return l.size - l.DataOffset }

// dataEnd returns where the declared audio ends, its pad byte included.
func (l *layout) dataEnd() int64 { return min(l.DataOffset+l.declared+l.declared%2, l.size) }
