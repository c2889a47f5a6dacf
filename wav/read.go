package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Limits on what is read from a file that another program may have written.
const (
	maxChunks   = 10_000
	maxCueChunk = 1 << 20
)

// Header describes the audio of a file.
type Header struct {
	Format Format
	// DataOffset is where the audio begins, in bytes from the file's beginning.
	DataOffset int64
	// DataBytes is the length of the whole frames that the file both declares and
	// holds, in bytes.
	DataBytes int64
	// Declared is the length of the audio that the file declares, in bytes; if it
	// declares an unknown length, it is what the file holds.
	Declared int64
	// RF64 is true for the format of files above 4 GiB.
	RF64 bool
	// Cues are in the file's order.
	Cues []Cue
}

// Frames returns the whole frames of audio in the file.
func (h Header) Frames() int64 { return h.DataBytes / int64(h.Format.FrameBytes()) }

// ReadHeader reads the chunks of a file of size bytes, in constant memory. The
// error is ErrNotWAV, ErrFormat or wraps an error of r. A file that is cut short or
// still being written is not an error.
func ReadHeader(r io.ReaderAt, size int64) (Header, error) {
	l, err := readLayout(r, size)
	if err != nil {
		return Header{}, err
	}
	return l.header(r), nil
}

// layout holds where the parts of a file are. Offsets are from the file's beginning.
type layout struct {
	size     int64
	format   Format
	rf64     bool
	ds64     int64 // payload of the ds64 chunk, or of a JUNK chunk in its place; 0: none
	fmtEnd   int64
	data     int64 // payload of the data chunk; 0: none
	declared int64
	open     bool  // the data chunk declares an unknown size
	riffEnd  int64 // as declared
}

// chunk is the header of one chunk.
type chunk struct {
	id      string
	payload int64
	size    int64
}

// end returns where the next chunk begins.
func (c chunk) end() int64 { return c.payload + c.size + c.size%2 }

func readChunk(r io.ReaderAt, at int64) (chunk, error) {
	var b [chunkHeader]byte
	if err := readFull(r, b[:], at); err != nil {
		return chunk{}, err
	}
	return chunk{id: string(b[:4]), payload: at + chunkHeader, size: int64(binary.LittleEndian.Uint32(b[4:]))}, nil
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

// readLayout walks the chunks up to the audio.
func readLayout(r io.ReaderAt, size int64) (layout, error) {
	l := layout{size: size}
	if err := l.readRIFF(r); err != nil {
		return l, err
	}
	at := int64(riffHeader)
	for range maxChunks {
		c, err := readChunk(r, at)
		if err != nil {
			return l, err
		}
		if !printable(c.id) {
			return l, fmt.Errorf("read header: %w: chunk %q", ErrNotWAV, c.id)
		}
		if err := l.scan(r, c); err != nil {
			return l, err
		}
		if l.data != 0 {
			return l, nil
		}
		at = c.end()
	}
	return l, fmt.Errorf("read header: %w: more than %d chunks before the audio", ErrNotWAV, maxChunks)
}

func (l *layout) readRIFF(r io.ReaderAt) error {
	var b [riffHeader]byte
	if err := readFull(r, b[:], 0); err != nil {
		return err
	}
	l.rf64 = string(b[:4]) == "RF64"
	if !l.rf64 && string(b[:4]) != "RIFF" || string(b[8:]) != "WAVE" {
		return fmt.Errorf("read header: %w", ErrNotWAV)
	}
	l.riffEnd = chunkHeader + int64(binary.LittleEndian.Uint32(b[4:]))
	return nil
}

// scan reads one chunk into the layout.
func (l *layout) scan(r io.ReaderAt, c chunk) error {
	switch c.id {
	case "ds64", "JUNK":
		return l.scanDS64(r, c)
	case "fmt ":
		return l.scanFormat(r, c)
	case "data":
		return l.scanData(c)
	}
	return nil
}

func (l *layout) scanDS64(r io.ReaderAt, c chunk) error {
	if c.payload != ds64At || c.size < junkBytes {
		return nil
	}
	l.ds64 = c.payload
	if !l.rf64 || c.id != "ds64" {
		return nil
	}
	var b [16]byte
	if err := readFull(r, b[:], c.payload); err != nil {
		return err
	}
	l.riffEnd = chunkHeader + int64(min(binary.LittleEndian.Uint64(b[0:]), 1<<62))
	l.declared = int64(min(binary.LittleEndian.Uint64(b[8:]), 1<<62))
	return nil
}

func (l *layout) scanFormat(r io.ReaderAt, c chunk) error {
	var b [26]byte
	n := min(c.size, int64(len(b)))
	if n < fmtBytes {
		return fmt.Errorf("read header: %w: fmt chunk of %d bytes", ErrNotWAV, n)
	}
	if err := readFull(r, b[:n], c.payload); err != nil {
		return err
	}
	f, err := decodeFormat(b[:n])
	l.format, l.fmtEnd = f, c.end()
	return err
}

// decodeFormat reads the payload of a fmt chunk, at least fmtBytes long.
func decodeFormat(b []byte) (Format, error) {
	tag, bits := binary.LittleEndian.Uint16(b[0:]), binary.LittleEndian.Uint16(b[14:])
	if tag == formatExtensible && len(b) >= 26 {
		tag = binary.LittleEndian.Uint16(b[24:])
	}
	if tag != formatPCM || bits != 8*sampleBytes {
		return Format{}, fmt.Errorf("read header: %w: format tag %d of %d bits", ErrFormat, tag, bits)
	}
	f := Format{
		SampleRate: int(binary.LittleEndian.Uint32(b[4:])),
		Channels:   int(binary.LittleEndian.Uint16(b[2:])),
	}
	if err := f.Validate(); err != nil {
		return Format{}, fmt.Errorf("read header: %w: %w", ErrFormat, err)
	}
	if block := binary.LittleEndian.Uint16(b[12:]); int(block) != f.FrameBytes() {
		return Format{}, fmt.Errorf("read header: %w: %d bytes a frame", ErrFormat, block)
	}
	return f, nil
}

func (l *layout) scanData(c chunk) error {
	if l.fmtEnd == 0 {
		return fmt.Errorf("read header: %w: no fmt chunk before the data chunk", ErrNotWAV)
	}
	if c.payload > l.size {
		return fmt.Errorf("read header: %w: it is shorter than its header", ErrNotWAV)
	}
	l.data = c.payload
	l.open = c.size == unknownSize && (!l.rf64 || l.declared == 0)
	switch {
	case l.open:
		l.declared = l.available()
	case !l.rf64 || c.size != unknownSize:
		l.declared = c.size
	}
	return nil
}

func (l *layout) available() int64 { return l.size - l.data }

// dataBytes returns the bytes of the whole frames that are both declared and there.
func (l *layout) dataBytes() int64 { return l.format.whole(min(l.declared, l.available())) }

// dataEnd returns where the declared audio ends, its pad byte included.
func (l *layout) dataEnd() int64 { return min(l.data+l.declared+l.declared%2, l.size) }

func (l *layout) header(r io.ReaderAt) Header {
	h := Header{Format: l.format, DataOffset: l.data, DataBytes: l.dataBytes(), Declared: l.declared, RF64: l.rf64}
	if !l.open {
		h.Cues = readCues(r, l.dataEnd(), min(l.size, l.riffEnd))
	}
	return h
}

// readCues reads the cues among the chunks between two offsets; chunks that are
// broken or of other kinds are left out.
func readCues(r io.ReaderAt, at, end int64) (cues []Cue) {
	var ids []uint32
	walkChunks(r, at, end, func(c chunk) {
		if c.size > maxCueChunk || c.id != "cue " && c.id != "LIST" {
			return
		}
		b := make([]byte, c.size)
		if readFull(r, b, c.payload) != nil {
			return
		}
		if c.id == "cue " {
			cues, ids = decodeCues(b)
		} else {
			decodeLabels(b, cues, ids)
		}
	})
	return cues
}

// walkChunks calls visit for every whole chunk from the offset at to end, and
// returns where the last of them ended.
func walkChunks(r io.ReaderAt, at, end int64, visit func(chunk)) int64 {
	for range maxChunks {
		c, err := readChunk(r, at)
		if err != nil || c.end() > end || !printable(c.id) {
			break
		}
		visit(c)
		at = c.end()
	}
	return at
}

func printable(id string) bool {
	return !bytes.ContainsFunc([]byte(id), func(c rune) bool { return c < ' ' || c > '~' })
}
