package wav

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// damagedLayout reads a header that a Writer wrote and that has lost some of its
// bytes: they are zeros, or beyond the file's end. If it isn't one, the error is cause.
// A header of which nothing is left that tells the two forms apart is the plain one, which
// is before all the audio of either.
func damagedLayout(r io.ReaderAt, size int64, fallback Format, cause error) (layout, error) {
	head := make([]byte, roomBytes)
	if err := readFull(r, head[:min(size, roomBytes)], 0); err != nil {
		return layout{}, err
	}
	best, kept, unknown := layout{}, -1, false
	for _, room := range []bool{false, true} {
		if needsRF64(size) && !room {
			continue
		}
		empty := newHeader(Format{}, room)
		formAt := len(empty) - chunkHeader - fmtBytes
		declared, e, _ := decodeFormat(head[formAt:][:fmtBytes])
		if e != pcm16 {
			declared = Format{}
		}
		for _, f := range []Format{declared, fallback} {
			if n := resembles(head, f, room); f != (Format{}) && n > kept {
				best, kept = newDamaged(head, f, size, room), n
			}
		}
		unknown = unknown || resembles(head, Format{}, room) >= 0
	}
	switch {
	case kept >= 0:
		return best, nil
	case unknown && fallback == (Format{}):
		return best, fmt.Errorf("repair header: %w", ErrUnknownFormat)
	}
	return best, cause
}

func newDamaged(head []byte, f Format, size int64, room bool) layout {
	offset := int64(len(newHeader(f, room)))
	l := layout{
		size: max(size, offset), damaged: true, room: room, encoding: pcm16,
		Header: Header{DataOffset: offset, Format: f},
	}
	l.damagedSizes(head[:offset])
	return l
}

// resembles returns how many bytes of head are those of a header of that form and format,
// apart from bytes that are zero, or -1 if others differ. The zero Format stands for any.
func resembles(head []byte, f Format, room bool) (same int) {
	anyFormat := f == Format{}
	if anyFormat {
		f.Channels = 1
	}
	small := newHeader(f, room)
	large := slices.Clone(small)
	if room {
		setSizes(large, int64(f.FrameBytes()), 0, roomBytes, true)
	}
	formAt, dataAt := len(small)-chunkHeader-fmtBytes, len(small)-chunkHeader
	for i, b := range head[:len(small)] {
		size := i >= 4 && i < 8 || i >= len(small)-4 || room && i >= ds64At && i < ds64At+junkBytes
		format := anyFormat && i >= formAt+2 && i < dataAt-2 // from channels to bytes a frame
		switch {
		case b == 0, size, format:
		case b != small[i] && b != large[i]:
			return -1
		default:
			same++
		}
	}
	return same
}

// damagedSizes reads the sizes of a damaged header; impossible ones count as 0.
func (l *layout) damagedSizes(head []byte) {
	declared := int64(binary.LittleEndian.Uint32(head[len(head)-4:]))
	if declared == unknownSize && l.room {
		declared = size64(head[ds64At+8:])
	}
	if declared <= l.available() {
		l.declared = l.whole(declared)
	}
	l.riffEnd = l.dataEnd()
}
