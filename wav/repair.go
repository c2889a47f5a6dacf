package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// RepairFile is what Repair works on: an *os.File opened for reading and writing.
type RepairFile interface {
	io.ReaderAt
	io.WriterAt
	Sync() error
}

// Repair gives a file of size bytes, whose writer was killed, a header that declares
// all the audio that the file holds, in whole frames, and returns whether it has
// changed the file. It writes nothing but the header, removes nothing, uses constant
// memory, and a second Repair changes nothing. A healthy file stays as it is, byte for
// byte, and so does one that it can't understand: ErrNotWAV, ErrFormat,
// ErrUnknownFormat or ErrTooLarge.
//
// A header that this package wrote is repaired even if parts of it are zeros or
// missing. If the format is among these, the fallback is used; the zero Format
// stands for none. Of other programs' files those of every encoding that Decode reads are
// repaired; what follows the RIFF of one and is neither a chunk nor a tag counts as audio if
// the header is one that this package could have written.
func Repair(f RepairFile, size int64, fallback Format) (changed bool, err error) {
	if err := fallback.Validate(); err != nil && fallback != (Format{}) {
		return false, fmt.Errorf("check fallback format: %w", err)
	}
	r, start, err := afterTag(f)
	if err != nil {
		return false, err
	}
	l, err := readLayout(r, size-start)
	if errors.Is(err, ErrNotWAV) || errors.Is(err, ErrFormat) {
		l, err = damagedLayout(r, size-start, fallback, err)
	}
	if err != nil {
		return false, err
	}
	data, riffEnd := l.sizes(r)
	if !l.damaged && !l.open && data == l.declared && riffEnd == l.riffEnd {
		return false, nil
	}
	head, err := l.head(r, riffEnd)
	if err != nil {
		return false, err
	}
	setSizes(head, l.frameBytes(), data, riffEnd, needsRF64(riffEnd))
	if err := writeHeader(f, head, start); err != nil {
		return false, err
	}
	if err := f.Sync(); err != nil {
		return true, fmt.Errorf("sync repaired file: %w", err)
	}
	return true, nil
}

// head returns what is to be before the audio, but for the sizes.
func (l *layout) head(r io.ReaderAt, riffEnd int64) ([]byte, error) {
	switch {
	case l.DataOffset > maxRead:
		return nil, fmt.Errorf("repair header: %w: its audio begins after %d bytes", ErrNotWAV, l.DataOffset)
	case needsRF64(riffEnd) && !l.room:
		return nil, fmt.Errorf("repair header: %w", ErrTooLarge)
	case l.damaged:
		return newHeader(l.Format, l.room), nil
	}
	head := make([]byte, l.DataOffset)
	err := readFull(r, head, 0)
	if l.rf64 {
		copy(head[junkAt:], "JUNK") // setSizes makes ds64 of it again, if the file is still large
	}
	return head, err
}

// sizes returns the length of the audio and the end of the RIFF that the header
// should declare.
func (l *layout) sizes(r io.ReaderAt) (data, riffEnd int64) {
	end := l.dataEnd()
	switch {
	case l.open, l.declared > l.available():
		return l.allAudio()
	case l.riffEnd > end && l.riffEnd <= l.size && chunksEnd(r, end, l.riffEnd) == l.riffEnd:
		return l.declared, l.riffEnd
	case l.byWriter(r, end):
		return l.writerSizes(r)
	}
	chunks := chunksEnd(r, end, l.size)
	data = l.whole(l.declared)
	switch {
	case l.declared == 0 && chunks < l.size:
		return l.allAudio()
	case end == l.size && data == l.declared && l.riffEnd == end: // a pad byte ends it
		return data, end
	case end == l.size:
		return data, l.DataOffset + data
	case chunks < l.size && l.riffEnd >= end && l.riffEnd <= l.size:
		return l.declared, l.riffEnd
	}
	return l.declared, chunks
}

// allAudio counts the rest of the file as audio.
func (l *layout) allAudio() (data, riffEnd int64) {
	data = l.whole(l.available())
	return data, l.DataOffset + data
}

// byWriter reports whether a Writer may have written the header of a file of which the
// declared audio ends at end. Of a plain header other programs may have, too: whole chunks
// up to the file's end, or a tag, are theirs.
func (l *layout) byWriter(r io.ReaderAt, end int64) bool {
	switch {
	case l.encoding != pcm16:
		return false
	case l.room:
		return l.DataOffset == roomBytes
	case l.DataOffset != plainBytes, end < l.size && chunksEnd(r, end, l.size) == l.size:
		return false
	}
	next := make([]byte, min(4, l.size-end))
	return readFull(r, next, end) == nil && (string(next) == "cue " || !startsForeign(next))
}

// startsForeign reports whether four bytes begin a chunk, or one of the tags that programs put
// behind a file.
func startsForeign(b []byte) bool {
	return isKnown(b) || slices.ContainsFunc([]string{"TAG", "ID3", "APET", "LYRI"}, func(tag string) bool {
		return bytes.HasPrefix(b, []byte(tag))
	})
}

// writerSizes counts what follows the declared audio of a Writer's file as audio, too,
// unless it is the cues of a Finish, whole or cut off.
func (l *layout) writerSizes(r io.ReaderAt) (data, riffEnd int64) {
	from := l.DataOffset + l.whole(l.declared)
	if at, ok := l.findCues(r, from); ok {
		return at - l.DataOffset, l.size
	}
	if from > l.DataOffset && l.lostCues(r, from) {
		return from - l.DataOffset, min(l.riffEnd, l.size)
	}
	if startsCues(r, from) {
		return from - l.DataOffset, chunksEnd(r, from, l.size)
	}
	return l.allAudio()
}

// findCues looks for the cue chunks of a Finish that was cut off before it wrote
// its header: they begin at or after an offset and end with the file.
func (l *layout) findCues(r io.ReaderAt, from int64) (int64, bool) {
	frame := l.frameBytes()
	at := l.DataOffset + l.whole(max(from, l.size-cueTailBytes)-l.DataOffset+frame-1)
	tail := make([]byte, max(l.size-at, 0))
	if readFull(r, tail, at) != nil {
		return 0, false
	}
	for ; int64(len(tail)) >= frame; at, tail = at+frame, tail[frame:] {
		if !bytes.HasPrefix(tail, []byte("cue ")) {
			continue
		}
		if b := bytes.NewReader(tail); startsCues(b, 0) && chunksEnd(b, 0, b.Size()) == b.Size() {
			return at, true
		}
	}
	return 0, false
}

// lostCues reports whether what stands at an offset where the header declares cues is
// a part of them, or zeros, or nothing.
func (l *layout) lostCues(r io.ReaderAt, at int64) bool {
	if l.riffEnd <= at || l.riffEnd-at > cueTailBytes {
		return false
	}
	var id [4]byte
	err := readFull(r, id[:min(l.size-at, 4)], at)
	return err == nil && strings.HasPrefix("cue ", strings.TrimRight(string(id[:]), "\x00"))
}

// chunksEnd returns where the last of the whole chunks between two offsets ends.
func chunksEnd(r io.ReaderAt, at, end int64) int64 {
	for c := range wholeChunks(r, at, end) {
		at = c.end()
	}
	return at
}

// startsCues reports whether at the offset is a cue chunk as a Writer writes it,
// perhaps cut short.
func startsCues(r io.ReaderAt, at int64) bool {
	c, err := readChunk(r, at)
	points := (c.size - 4) / cueBytes
	if err != nil || c.id != "cue " || points < 1 || points > maxCues || c.size != 4+points*cueBytes {
		return false
	}
	var n [4]byte
	err = readFull(r, n[:], c.payload)
	return err != nil || int64(binary.LittleEndian.Uint32(n[:])) == points
}

func writeHeader(f io.WriterAt, head []byte, at int64) error {
	if _, err := f.WriteAt(head, at); err != nil {
		return fmt.Errorf("write header: %w", err)
	}
	return nil
}
