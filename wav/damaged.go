package wav

import (
	"encoding/binary"
	"fmt"
	"io"
)

// damagedLayout reads a header that a Writer wrote and that has lost some of its
// bytes: they are zeros, or beyond the file's end.
func damagedLayout(r io.ReaderAt, size int64, fallback Format) (layout, error) {
	var head [headerBytes]byte
	if err := readFull(r, head[:min(size, headerBytes)], 0); err != nil {
		return layout{}, err
	}
	l := layout{
		size: max(size, headerBytes), rf64: head[0] == 'R' && head[2] == '6',
		ds64: ds64At, fmtEnd: dataAt, data: headerBytes,
	}
	var err error
	if l.format, err = damagedFormat(&head, fallback); err != nil {
		return layout{}, err
	}
	l.damagedSizes(&head)
	return l, nil
}

// damagedFormat returns the format that a damaged header declares, else the fallback.
func damagedFormat(head *[headerBytes]byte, fallback Format) (Format, error) {
	declared, _ := decodeFormat(head[fmtAt+chunkHeader : dataAt])
	for _, f := range []Format{declared, fallback} {
		if f != (Format{}) && resembles(head, f) {
			return f, nil
		}
	}
	if fallback == (Format{}) && resembles(head, Format{}) {
		return Format{}, fmt.Errorf("repair header: %w", ErrUnknownFormat)
	}
	return Format{}, fmt.Errorf("repair header: %w", ErrNotWAV)
}

// resembles reports whether head is a header of that format, apart from bytes that
// are zero. The zero Format stands for any.
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

// damagedSizes reads the sizes of a damaged header; impossible ones count as 0.
func (l *layout) damagedSizes(head *[headerBytes]byte) {
	declared := int64(binary.LittleEndian.Uint32(head[dataSizeAt:]))
	if declared == unknownSize {
		declared = int64(min(binary.LittleEndian.Uint64(head[ds64At+8:]), 1<<62))
	}
	if declared <= l.available() {
		l.declared = l.format.whole(declared)
	}
	l.riffEnd = l.dataEnd()
}
