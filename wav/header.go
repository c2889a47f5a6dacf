package wav

import (
	"encoding/binary"
	"math"
)

// Offsets in the header that the Writer writes: RIFF, JUNK or ds64, fmt, data.
const (
	riffSizeAt  = 4
	junkAt      = 12
	junkBytes   = 28
	ds64At      = junkAt + chunkHeader // the ds64 chunk's payload
	fmtAt       = ds64At + junkBytes
	fmtBytes    = 16
	dataAt      = fmtAt + chunkHeader + fmtBytes
	dataSizeAt  = dataAt + 4
	headerBytes = dataAt + chunkHeader

	chunkHeader = 8
	riffHeader  = 12
	unknownSize = math.MaxUint32 // stands for a size that ds64 holds, or that nobody knows

	formatPCM        = 1
	formatExtensible = 0xFFFE
)

// encodeHeader writes the whole header of a file with so many bytes of audio, whose
// RIFF ends at the offset riffEnd.
func encodeHeader(b *[headerBytes]byte, f Format, data, riffEnd int64) {
	*b = [headerBytes]byte{}
	copy(b[0:], "RIFF")
	copy(b[8:], "WAVE")
	copy(b[junkAt:], "JUNK")
	binary.LittleEndian.PutUint32(b[junkAt+4:], junkBytes)
	encodeFormat(b[fmtAt:], f)
	copy(b[dataAt:], "data")
	if riffEnd-chunkHeader >= unknownSize {
		encodeLarge(b, f, data, riffEnd)
		return
	}
	binary.LittleEndian.PutUint32(b[riffSizeAt:], uint32(riffEnd-chunkHeader))
	binary.LittleEndian.PutUint32(b[dataSizeAt:], uint32(data))
}

// encodeLarge makes RF64 of a header: the sizes move into the ds64 chunk.
func encodeLarge(b *[headerBytes]byte, f Format, data, riffEnd int64) {
	copy(b[0:], "RF64")
	copy(b[junkAt:], "ds64")
	binary.LittleEndian.PutUint32(b[riffSizeAt:], unknownSize)
	binary.LittleEndian.PutUint32(b[dataSizeAt:], unknownSize)
	encodeDS64(b[ds64At:], f, data, riffEnd)
}

// encodeDS64 writes the first 24 bytes of a ds64 chunk's payload; the length of its
// table follows and stays as it is.
func encodeDS64(b []byte, f Format, data, riffEnd int64) {
	binary.LittleEndian.PutUint64(b[0:], uint64(riffEnd-chunkHeader))
	binary.LittleEndian.PutUint64(b[8:], uint64(data))
	binary.LittleEndian.PutUint64(b[16:], uint64(data/int64(f.FrameBytes())))
}

func encodeFormat(b []byte, f Format) {
	copy(b, "fmt ")
	binary.LittleEndian.PutUint32(b[4:], fmtBytes)
	binary.LittleEndian.PutUint16(b[8:], formatPCM)
	binary.LittleEndian.PutUint16(b[10:], uint16(f.Channels))
	binary.LittleEndian.PutUint32(b[12:], uint32(f.SampleRate))
	binary.LittleEndian.PutUint32(b[16:], uint32(f.ByteRate()))
	binary.LittleEndian.PutUint16(b[20:], uint16(f.FrameBytes()))
	binary.LittleEndian.PutUint16(b[22:], 8*sampleBytes)
}
