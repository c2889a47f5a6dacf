package wav

import (
	"encoding/binary"
	"math"
)

// Lengths and offsets in the headers that a Writer writes: RIFF, fmt, data; and with room for
// a size above 4 GiB a JUNK chunk, which may become ds64, before fmt.
const (
	chunkHeader = 8
	riffHeader  = 12
	fmtBytes    = 16
	plainBytes  = riffHeader + chunkHeader + fmtBytes + chunkHeader

	junkAt    = riffHeader
	junkBytes = 28
	ds64At    = junkAt + chunkHeader // the ds64 chunk's payload
	roomBytes = plainBytes + chunkHeader + junkBytes

	unknownSize = math.MaxUint32 // stands for a size that ds64 holds, or that nobody knows

	// maxPlainAudio is the audio that a file without room for ds64 may have, behind
	// which there is room for cues: in bytes, a multiple of most frames.
	maxPlainAudio = unknownSize - plainBytes - cueTailBytes
)

// formatChunk is the payload of a fmt chunk.
type formatChunk struct {
	Tag, Channels        uint16
	SampleRate, ByteRate uint32
	FrameBytes, Bits     uint16
}

// newHeader returns the header of an empty recording, without its sizes, with room for those
// above 4 GiB or without.
func newHeader(f Format, room bool) []byte {
	format, _ := binary.Append(nil, binary.LittleEndian, formatChunk{
		Tag: tagPCM, Channels: uint16(f.Channels), SampleRate: uint32(f.SampleRate),
		ByteRate: uint32(f.ByteRate()), FrameBytes: uint16(f.FrameBytes()), Bits: 8 * sampleBytes,
	})
	b := append(make([]byte, 0, roomBytes), "RIFF\x00\x00\x00\x00WAVE"...)
	if room {
		b = appendChunk(b, "JUNK", make([]byte, junkBytes))
	}
	b = appendChunk(b, "fmt ", format)
	return appendChunk(b, "data", nil)
}

func appendChunk(b []byte, id string, payload []byte) []byte {
	b = append(b, id...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	b = append(b, payload...)
	if len(payload)%2 != 0 {
		b = append(b, 0)
	}
	return b
}

// needsRF64 reports whether a RIFF's size is too large for its field.
func needsRF64(riffEnd int64) bool { return riffEnd-chunkHeader >= unknownSize }

// setSizes writes the sizes into a header that ends where its audio begins. In an RF64 file,
// whose header has room for it, they are in the ds64 chunk, of which the length of its table
// stays as it is.
func setSizes(head []byte, frameBytes, data, riffEnd int64, rf64 bool) {
	copy(head, "RIFF")
	if rf64 {
		copy(head, "RF64")
		copy(head[junkAt:], "ds64")
		binary.LittleEndian.PutUint64(head[ds64At:], uint64(riffEnd-chunkHeader))
		binary.LittleEndian.PutUint64(head[ds64At+8:], uint64(data))
		binary.LittleEndian.PutUint64(head[ds64At+16:], uint64(data/frameBytes))
		data, riffEnd = unknownSize, unknownSize+chunkHeader
	}
	binary.LittleEndian.PutUint32(head[4:], uint32(riffEnd-chunkHeader))
	binary.LittleEndian.PutUint32(head[len(head)-4:], uint32(data))
}
