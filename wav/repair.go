package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// RepairFile is what Repair mends: an *os.File opened for reading and writing.
type RepairFile interface {
	io.ReaderAt
	io.WriterAt
	Sync() error
}

// Report is what a Repair found and did.
type Report struct {
	// Changed says that the file's header was written.
	Changed bool
	// Damaged says that the file couldn't be read before.
	Damaged bool
	// Before is the length of the audio that could be read before, in bytes.
	Before int64
	// Header is what the file says now; its DataBytes is never below Before.
	Header Header
}

// Repair gives a file of size bytes, whose writer was killed, a header that tells
// of all the audio that the file holds, in whole frames. It writes nothing but the
// header, removes nothing, uses constant memory, and a second Repair changes
// nothing. A healthy file stays as it is, byte for byte, and so does one that it
// can't understand: ErrNotWAV, ErrFormat, ErrUnknownFormat or ErrTooLarge.
//
// A header that this package wrote is mended also where parts of it are zeros or
// missing. Where the format is among these, the fallback is taken for it; the zero
// Format stands for none.
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
	l, guessErr := guessLayout(f, size, fallback)
	switch {
	case errors.Is(guessErr, ErrNotWAV):
		return report, err // it says more of what is wrong
	case guessErr != nil:
		return report, guessErr
	}
	return repair(f, report, l)
}

// repair writes the sizes that the file should have, if it hasn't.
func repair(f RepairFile, report Report, l layout) (Report, error) {
	data, riffEnd := l.mend(f)
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

// ours says that the header has the layout that a Writer writes.
func (l *layout) ours() bool { return l.data == headerBytes && l.fmtEnd == dataAt && l.ds64 == ds64At }

// mend returns the length of the audio and the end of the RIFF that the header
// should tell of.
func (l *layout) mend(r io.ReaderAt) (data, riffEnd int64) {
	switch {
	case l.open, l.declared > l.available():
		return l.grown()
	case l.declared == 0, l.ours() && l.unfinished():
		return l.mendUnfinished(r)
	}
	return l.mendFinished(r)
}

// unfinished says that the header is none of a Finish that wrote cues, so that what
// follows the declared audio can be audio.
func (l *layout) unfinished() bool {
	end := l.dataEnd()
	return l.riffEnd <= end || end == l.size || l.declared != l.format.whole(l.declared)
}

// grown takes all the file for audio.
func (l *layout) grown() (data, riffEnd int64) {
	data = l.format.whole(l.available())
	return data, l.data + data
}

// mendUnfinished takes what follows the declared audio for audio too, unless it is
// the cues of a Finish that was cut off.
func (l *layout) mendUnfinished(r io.ReaderAt) (data, riffEnd int64) {
	from := l.data + l.format.whole(l.declared)
	if from < l.size && (!l.ours() || l.riffEnd == l.size) && chunksEnd(r, from, l.size) == l.size {
		return from - l.data, l.size
	}
	if !l.ours() {
		return l.grown()
	}
	if at, ok := findCues(r, l, from); ok {
		return at - l.data, l.size
	}
	if startsCues(r, from) {
		return from - l.data, chunksEnd(r, from, l.size)
	}
	return l.grown()
}

// mendFinished keeps the audio as declared and mends the end of the RIFF, unless
// what follows the audio shows that its declared length can't be true.
func (l *layout) mendFinished(r io.ReaderAt) (data, riffEnd int64) {
	end := l.dataEnd()
	if end == l.size {
		data = l.format.whole(l.declared)
		return data, l.data + data
	}
	chunks := chunksEnd(r, end, l.size)
	switch {
	case chunks == l.size:
		return l.declared, l.size
	case l.ours() && chunks == end && !startsCues(r, end) && !l.lostCues(r, end):
		return l.mendUnfinished(r)
	case l.riffEnd >= end && l.riffEnd <= l.size, l.ours() && l.lostCues(r, end):
		return l.declared, l.riffEnd
	}
	return l.declared, chunks
}

// lostCues says that there are zeros where the header promises cues.
func (l *layout) lostCues(r io.ReaderAt, end int64) bool {
	c, err := readChunk(r, end)
	cut := errors.Is(err, ErrNotWAV) // less than a chunk's header is there
	zeros := err == nil && c.id == "\x00\x00\x00\x00" && c.size == 0
	return (cut || zeros) && l.riffEnd-end <= cueTailBytes
}

func chunksEnd(r io.ReaderAt, at, end int64) int64 {
	return walkChunks(r, at, end, func(chunk) {})
}

// startsCues says that what is at the offset begins as a Writer's cues do.
func startsCues(r io.ReaderAt, at int64) bool {
	c, err := readChunk(r, at)
	return err == nil && isCue(r, c)
}

// isCue says that a chunk is a cue chunk as a Writer writes it, perhaps cut short.
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
	if !l.ours() {
		return l.rewriteForeign(f, data, riffEnd)
	}
	var head [headerBytes]byte
	encodeHeader(&head, l.format, data, riffEnd)
	return writeAt(f, head[:], 0)
}

// rewriteForeign writes the sizes into a header that no Writer has written.
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
