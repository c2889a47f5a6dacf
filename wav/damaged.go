package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// guessLayout understands a header that a Writer wrote and that has lost some of
// its bytes: they are zeros, or beyond the file's end.
func guessLayout(r io.ReaderAt, size int64, fallback Format) (layout, error) {
	var head [headerBytes]byte
	if err := readFull(r, head[:min(size, headerBytes)], 0); err != nil {
		return layout{}, err
	}
	l := layout{
		size: max(size, headerBytes), rf64: head[0] == 'R' && head[2] == '6',
		ds64: ds64At, fmtEnd: dataAt, data: headerBytes,
	}
	var err error
	if l.format, err = guessFormat(&head, fallback); err != nil {
		return layout{}, err
	}
	l.guessSizes(&head)
	return l, nil
}

// guessFormat returns the format that a damaged header says, else the fallback.
func guessFormat(head *[headerBytes]byte, fallback Format) (Format, error) {
	said, _ := decodeFormat(head[fmtAt+chunkHeader : dataAt])
	for _, f := range []Format{said, fallback} {
		if f != (Format{}) && resembles(head, f) {
			return f, nil
		}
	}
	if fallback == (Format{}) && resembles(head, Format{}) {
		return Format{}, fmt.Errorf("repair header: %w", ErrUnknownFormat)
	}
	return Format{}, fmt.Errorf("repair header: %w", ErrNotWAV)
}

// resembles says that head is a header of that format of which some bytes are
// zeros. The zero Format stands for any.
func resembles(head *[headerBytes]byte, f Format) bool {
	var small, large [headerBytes]byte
	anyFormat := f == Format{}
	if anyFormat {
		f = Format{SampleRate: minSampleRate, Channels: 1}
	}
	encodeHeader(&small, f, 0, headerBytes)
	encodeHeader(&large, f, 0, unknownSize+chunkHeader)
	for i, b := range head {
		size := i >= riffSizeAt && i < riffSizeAt+4 || i >= ds64At && i < fmtAt || i >= dataSizeAt
		format := anyFormat && i >= fmtAt+10 && i < dataAt-2 // from channels to bytes a frame
		if b != 0 && !size && !format && b != small[i] && b != large[i] {
			return false
		}
	}
	return true
}

// guessSizes takes the sizes from a damaged header where they can be true.
func (l *layout) guessSizes(head *[headerBytes]byte) {
	declared := int64(binary.LittleEndian.Uint32(head[dataSizeAt:]))
	if declared == unknownSize {
		declared = int64(min(binary.LittleEndian.Uint64(head[ds64At+8:]), 1<<62))
	}
	if declared <= l.available() {
		l.declared = l.format.whole(declared)
	}
	l.riffEnd = l.dataEnd()
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

// isCueTail says that b is a cue chunk and perhaps others, and nothing else.
func isCueTail(b []byte) bool {
	if !bytes.HasPrefix(b, []byte("cue ")) {
		return false
	}
	r := bytes.NewReader(b)
	c, err := readChunk(r, 0)
	return err == nil && isCue(r, c) && chunksEnd(r, 0, r.Size()) == r.Size()
}
