package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// RepairFile is what Repair works on: an *os.File opened for reading and writing.
type RepairFile interface {
	io.ReaderAt
	io.WriterAt
	Sync() error
}

// Report is what a Repair found and did.
type Report struct {
	// Changed is true if the file's header was written.
	Changed bool
	// Damaged is true if the header could not be read before.
	Damaged bool
	// Before is the length of the audio that could be read before, in bytes.
	Before int64
	// Header is the file's header now; its DataBytes is never below Before.
	Header Header
}

// Repair gives a file of size bytes, whose writer was killed, a header that declares
// all the audio that the file holds, in whole frames. It writes nothing but the
// header, removes nothing, uses constant memory, and a second Repair changes
// nothing. A healthy file stays as it is, byte for byte, and so does one that it
// can't understand: ErrNotWAV, ErrFormat, ErrUnknownFormat or ErrTooLarge.
//
// A header that this package wrote is repaired even if parts of it are zeros or
// missing. If the format is among these, the fallback is used; the zero Format
// stands for none.
func Repair(f RepairFile, size int64, fallback Format) (Report, error) {
	if err := fallback.Validate(); err != nil && fallback != (Format{}) {
		return Report{}, fmt.Errorf("check fallback format: %w", err)
	}
	l, err := readLayout(f, size)
	if err == nil {
		return repair(f, Report{Before: l.dataBytes()}, l)
	}
	report := Report{Damaged: true}
	if !errors.Is(err, ErrNotWAV) && !errors.Is(err, ErrFormat) {
		return report, err
	}
	l, errDamaged := damagedLayout(f, size, fallback)
	switch {
	case errors.Is(errDamaged, ErrNotWAV):
		return report, err // the first error says more
	case errDamaged != nil:
		return report, errDamaged
	}
	return repair(f, report, l)
}

// repair writes the header's sizes, unless they are right.
func repair(f RepairFile, report Report, l layout) (Report, error) {
	data, riffEnd := l.sizes(f)
	if !report.Damaged && !l.open && data == l.declared && riffEnd == l.riffEnd {
		report.Header = l.header(f)
		return report, nil
	}
	if err := l.rewrite(f, data, riffEnd); err != nil {
		return report, err
	}
	if err := f.Sync(); err != nil {
		return report, fmt.Errorf("sync repaired file: %w", err)
	}
	report.Changed = true
	var err error
	report.Header, err = ReadHeader(f, max(l.size, headerBytes))
	return report, err
}

// byWriter reports whether the header has the layout that a Writer writes.
func (l *layout) byWriter() bool {
	return l.data == headerBytes && l.fmtEnd == dataAt && l.ds64 == ds64At
}

// sizes returns the length of the audio and the end of the RIFF that the header
// should declare.
func (l *layout) sizes(r io.ReaderAt) (data, riffEnd int64) {
	switch {
	case l.open, l.declared > l.available():
		return l.allAudio()
	case l.declared == 0, l.byWriter() && l.unfinished():
		return l.unfinishedSizes(r)
	}
	return l.finishedSizes(r)
}

// unfinished reports whether what follows the declared audio can be audio: no Finish
// that wrote cues has written this header.
func (l *layout) unfinished() bool {
	end := l.dataEnd()
	return l.riffEnd <= end || end == l.size || l.declared != l.format.whole(l.declared)
}

// allAudio counts the rest of the file as audio.
func (l *layout) allAudio() (data, riffEnd int64) {
	data = l.format.whole(l.available())
	return data, l.data + data
}

// unfinishedSizes counts what follows the declared audio as audio, too, unless it is
// the cues of a Finish that was cut off.
func (l *layout) unfinishedSizes(r io.ReaderAt) (data, riffEnd int64) {
	from := l.data + l.format.whole(l.declared)
	if from < l.size && (!l.byWriter() || l.riffEnd == l.size) && chunksEnd(r, from, l.size) == l.size {
		return from - l.data, l.size
	}
	if !l.byWriter() {
		return l.allAudio()
	}
	if at, ok := findCues(r, l, from); ok {
		return at - l.data, l.size
	}
	if startsCues(r, from) {
		return from - l.data, chunksEnd(r, from, l.size)
	}
	return l.allAudio()
}

// finishedSizes keeps the audio as declared and corrects the end of the RIFF, unless
// what follows the audio shows that its declared length can't be true.
func (l *layout) finishedSizes(r io.ReaderAt) (data, riffEnd int64) {
	end := l.dataEnd()
	if end == l.size {
		data = l.format.whole(l.declared)
		return data, l.data + data
	}
	chunks := chunksEnd(r, end, l.size)
	switch {
	case chunks == l.size:
		return l.declared, l.size
	case l.byWriter() && chunks == end && !startsCues(r, end) && !l.lostCues(r, end):
		return l.unfinishedSizes(r)
	case l.riffEnd >= end && l.riffEnd <= l.size, l.byWriter() && l.lostCues(r, end):
		return l.declared, l.riffEnd
	}
	return l.declared, chunks
}

// findCues looks for the cue chunks of a Finish that was cut off before it wrote
// its header: they begin at or after an offset and end with the file.
func findCues(r io.ReaderAt, l *layout, from int64) (int64, bool) {
	frame := int64(l.format.FrameBytes())
	at := l.data + l.format.whole(max(from, l.size-cueTailBytes)-l.data+frame-1)
	if at >= l.size {
		return 0, false
	}
	tail := make([]byte, l.size-at)
	if err := readFull(r, tail, at); err != nil && !errors.Is(err, ErrNotWAV) {
		return 0, false
	}
	for ; int64(len(tail)) >= frame; at, tail = at+frame, tail[frame:] {
		if isCueTail(tail) {
			return at, true
		}
	}
	return 0, false
}

// isCueTail reports whether b is a cue chunk, perhaps followed by other chunks, and
// nothing else.
func isCueTail(b []byte) bool {
	if !bytes.HasPrefix(b, []byte("cue ")) {
		return false
	}
	r := bytes.NewReader(b)
	c, err := readChunk(r, 0)
	return err == nil && isCue(r, c) && chunksEnd(r, 0, r.Size()) == r.Size()
}

// lostCues reports whether zeros, or nothing, stand where the header declares cues.
func (l *layout) lostCues(r io.ReaderAt, end int64) bool {
	c, err := readChunk(r, end)
	cut := errors.Is(err, ErrNotWAV) // not even a chunk's header is there
	zeros := err == nil && c.id == "\x00\x00\x00\x00" && c.size == 0
	return (cut || zeros) && l.riffEnd-end <= cueTailBytes
}

func chunksEnd(r io.ReaderAt, at, end int64) int64 {
	return walkChunks(r, at, end, func(chunk) {})
}

// startsCues reports whether a Writer's cues begin at the offset.
func startsCues(r io.ReaderAt, at int64) bool {
	c, err := readChunk(r, at)
	return err == nil && isCue(r, c)
}

// isCue reports whether a chunk is a cue chunk as a Writer writes it, perhaps cut short.
func isCue(r io.ReaderAt, c chunk) bool {
	points := (c.size - 4) / cueBytes
	if c.id != "cue " || points < 1 || points > maxCues || c.size != 4+points*cueBytes {
		return false
	}
	var n [4]byte
	err := readFull(r, n[:], c.payload)
	return err != nil || int64(binary.LittleEndian.Uint32(n[:])) == points
}

// rewrite writes the header with the new sizes.
func (l *layout) rewrite(f RepairFile, data, riffEnd int64) error {
	if !l.byWriter() {
		return l.rewriteForeign(f, data, riffEnd)
	}
	var head [headerBytes]byte
	encodeHeader(&head, l.format, data, riffEnd)
	return writeAt(f, head[:], 0)
}

// rewriteForeign writes the sizes into a header that another program wrote.
func (l *layout) rewriteForeign(f RepairFile, data, riffEnd int64) error {
	large := riffEnd-chunkHeader >= unknownSize
	if large && l.ds64 == 0 {
		return fmt.Errorf("repair header: %w", ErrTooLarge)
	}
	large = large || l.rf64 && l.ds64 != 0
	head := make([]byte, min(l.data-chunkHeader, ds64At+24))
	if err := readFull(f, head, 0); err != nil {
		return err
	}
	var size [4]byte
	if large {
		copy(head, "RF64")
		copy(head[junkAt:], "ds64")
		encodeDS64(head[ds64At:], l.format, data, riffEnd)
		data, riffEnd = unknownSize, unknownSize+chunkHeader
	} else {
		copy(head, "RIFF")
	}
	binary.LittleEndian.PutUint32(head[riffSizeAt:], uint32(riffEnd-chunkHeader))
	binary.LittleEndian.PutUint32(size[:], uint32(data))
	return errors.Join(writeAt(f, size[:], l.data-4), writeAt(f, head, 0))
}

func writeAt(f io.WriterAt, b []byte, at int64) error {
	if _, err := f.WriteAt(b, at); err != nil {
		return fmt.Errorf("write header: %w", err)
	}
	return nil
}
