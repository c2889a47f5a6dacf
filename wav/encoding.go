package wav

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Format tags of a fmt chunk.
const (
	tagPCM        = 1
	tagFloat      = 3
	tagALaw       = 6
	tagMuLaw      = 7
	tagExtensible = 0xFFFE
)

// encoding is how a file writes its samples.
type encoding struct {
	tag  uint16
	bits int // of one sample, a multiple of 8
}

var pcm16 = encoding{tagPCM, 8 * sampleBytes}

// sample returns what makes one sample of so many bits a 16-bit one, nil for an unknown encoding.
func (e encoding) sample() func(b []byte) int16 {
	switch e {
	case encoding{tagMuLaw, 8}:
		return func(b []byte) int16 { return muLaw(b[0]) }
	case encoding{tagALaw, 8}:
		return func(b []byte) int16 { return aLaw(b[0]) }
	case encoding{tagPCM, 8}:
		return func(b []byte) int16 { return (int16(b[0]) - 128) << 8 }
	case pcm16, encoding{tagPCM, 24}, encoding{tagPCM, 32}: // the upper 16 bits
		return func(b []byte) int16 { return int16(binary.LittleEndian.Uint16(b[len(b)-sampleBytes:])) }
	case encoding{tagFloat, 32}:
		return func(b []byte) int16 { return float(float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))) }
	case encoding{tagFloat, 64}:
		return func(b []byte) int16 { return float(math.Float64frombits(binary.LittleEndian.Uint64(b))) }
	}
	return nil
}

// to16 returns samples as 16-bit PCM; a half one at the end is left out.
func (e encoding) to16(b []byte) []byte {
	if e == pcm16 {
		return b
	}
	return e.append16(make([]byte, 0, len(b)/(e.bits/8)*sampleBytes), b)
}

// append16 appends samples as 16-bit PCM; a half one at the end is left out.
func (e encoding) append16(pcm, b []byte) []byte {
	sample, size := e.sample(), e.bits/8
	for one := range slices.Chunk(b[:len(b)/size*size], size) {
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(sample(one)))
	}
	return pcm
}

func (e encoding) String() string {
	name := map[uint16]string{
		tagPCM: "PCM", 2: "Microsoft ADPCM", tagFloat: "floating point", tagALaw: "A-law", tagMuLaw: "µ-law",
		0x11: "IMA ADPCM", 0x31: "GSM 6.10", 0x50: "MPEG audio", 0x55: "MP3", 0x64: "G.726", 0x65: "G.722",
	}[e.tag]
	if name == "" {
		name = fmt.Sprintf("format tag %d", e.tag)
	}
	return fmt.Sprintf("%s of %d bits", name, e.bits)
}

// muLaw decodes a byte of G.711 µ-law: the inverted byte is a sign, a segment and a step of
// it, and the 14-bit value a step of the segment's size, less the bias of 33.
func muLaw(b byte) int16 {
	b = ^b
	v := (2*int16(b&15)+33)<<(b>>4&7) - 33
	if b&0x80 != 0 {
		v = -v
	}
	return v << 2
}

// aLaw decodes a byte of G.711 A-law, of which every second bit is inverted: the 13-bit value
// is the middle of a step, and the first two segments have steps of one size.
func aLaw(b byte) int16 {
	b ^= 0x55
	v := 2*int16(b&15) + 1
	if segment := b >> 4 & 7; segment > 0 {
		v = (v + 32) << (segment - 1)
	}
	if b&0x80 == 0 {
		v = -v
	}
	return v << 3
}

// float is a sample of which 1 is full scale; what is beyond, or no number, is cut.
func float(v float64) int16 {
	if math.IsNaN(v) {
		return 0
	}
	return int16(math.Round(min(max(v*(1<<15), math.MinInt16), math.MaxInt16)))
}
