package wav

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// damagedLayout reads a header that a Writer wrote and that has lost some of its
// bytes: they are zeros, or beyond the file's end. If it isn't one, the error is cause.
func damagedLayout(r io.ReaderAt, size int64, fallback Format, cause error) (layout, error) {
	head := make([]byte, headerBytes)
	if err := readFull(r, head[:min(size, headerBytes)], 0); err != nil {
		return layout{}, err
	}
	l := layout{size: max(size, headerBytes), damaged: true, room: true, Header: Header{DataOffset: headerBytes}}
	declared, _ := decodeFormat(head[fmtAt:dataAt])
	for _, f := range []Format{declared, fallback} {
		if f != (Format{}) && resembles(head, f) {
			l.Format = f
			l.damagedSizes(head)
			return l, nil
		}
	}
	if fallback == (Format{}) && resembles(head, Format{}) {
		return l, fmt.Errorf("repair header: %w", ErrUnknownFormat)
	}
	return l, cause
}

// resembles reports whether head is a header of that format, apart from bytes that
// are zero. The zero Format stands for any.
func resembles(head []byte, f Format) bool {
	anyFormat := f == Format{}
	if anyFormat {
		f.Channels = 1
	}
	small := newHeader(f)
	large := slices.Clone(small)
	setSizes(large, f, 0, headerBytes, true)
	for i, b := range head {
		size := i >= 4 && i < 8 || i >= ds64At && i < ds64At+junkBytes || i >= headerBytes-4
		format := anyFormat && i >= fmtAt+2 && i < dataAt-2 // from channels to bytes a frame
		if b != 0 && !size && !format && b != small[i] && b != large[i] {
			return false
		}
	}
	return true
}

// damagedSizes reads the sizes of a damaged header; impossible ones count as 0.
func (l *layout) damagedSizes(head []byte) {
	declared := int64(binary.LittleEndian.Uint32(head[headerBytes-4:]))
	if declared == unknownSize {
		declared = size64(head[ds64At+8:])
	}
	if declared <= l.available() {
		l.declared = l.Format.whole(declared)
	}
	l.riffEnd = l.dataEnd()
}
