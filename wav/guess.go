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
	if f, err := decodeFormat(head[fmtAt+chunkHeader : dataAt]); err == nil {
		if !resembles(head, f) {
			return Format{}, fmt.Errorf("repair header: %w", ErrNotWAV)
		}
		return f, nil
	}
	if fallback == (Format{}) {
		if !resembles(head, Format{}) {
			return Format{}, fmt.Errorf("repair header: %w", ErrNotWAV)
		}
		return Format{}, fmt.Errorf("repair header: %w", ErrUnknownFormat)
	}
	if err := fallback.Validate(); err != nil {
		return Format{}, fmt.Errorf("check fallback format: %w", err)
	}
	if !resembles(head, fallback) {
		return Format{}, fmt.Errorf("repair header: %w", ErrNotWAV)
	}
	return fallback, nil
}

// resembles says that head is a header of that format of which some bytes are
// zeros. The zero Format stands for any.
func resembles(head *[headerBytes]byte, f Format) bool {
	var small, large [headerBytes]byte
	any := f == Format{}
	if any {
		f = Format{SampleRate: minSampleRate, Channels: 1}
	}
	encodeHeader(&small, f, 0, headerBytes)
	encodeHeader(&large, f, 0, unknownSize+chunkHeader)
	for i, b := range head {
		size := i >= riffSizeAt && i < riffSizeAt+4 || i >= ds64At && i < fmtAt || i >= dataSizeAt
		format := any && i >= fmtAt+chunkHeader && i < dataAt
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
	at := max(from, l.size-cueTailBytes)
	at += (l.format.whole(at-l.data+int64(l.format.FrameBytes())-1) + l.data) - at // up to a whole frame
	if at >= l.size {
		return 0, false
	}
	tail := make([]byte, l.size-at)
	if err := readFull(r, tail, at); err != nil && !errors.Is(err, ErrNotWAV) {
		return 0, false
	}
	tailReader := bytes.NewReader(tail)
	for i := 0; i < len(tail); i += l.format.FrameBytes() {
		if !bytes.HasPrefix(tail[i:], []byte("cue ")) {
			continue
		}
		c, err := readChunk(tailReader, int64(i))
		if err == nil && isCue(tailReader, c) && chunksEnd(tailReader, int64(i), int64(len(tail))) == int64(len(tail)) {
			return at + int64(i), true
		}
	}
	return 0, false
}
