package audio

import (
	"encoding/binary"
	"math/bits"
	"sync"
)

// Companded replaces 16-bit little-endian samples by what is left of them behind a PCMU leg: each
// is coded as G.711 mu-law and decoded again.
func Companded(pcm []byte) {
	table := companding()
	for ; len(pcm) >= 2; pcm = pcm[2:] {
		binary.LittleEndian.PutUint16(pcm, uint16(table[binary.LittleEndian.Uint16(pcm)]))
	}
}

var companding = sync.OnceValue(func() *[1 << 16]int16 {
	var table [1 << 16]int16
	for i := range table {
		table[i] = decodeULaw(encodeULaw(int16(uint16(i))))
	}
	return &table
})

// ulawBias is added before a sample's segment is looked for, ulawClip the largest that then fits.
const (
	ulawBias = 132
	ulawClip = 32767 - ulawBias
)

func encodeULaw(sample int16) byte {
	v, sign := int32(sample), byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, ulawClip) + ulawBias
	segment := bits.Len32(uint32(v>>7)) - 1
	return ^(sign | byte(segment)<<4 | byte(v>>(segment+3))&0x0f)
}

func decodeULaw(u byte) int16 {
	u = ^u
	v := (int32(u&0x0f)<<3+ulawBias)<<(u>>4&7) - ulawBias
	if u&0x80 != 0 {
		v = -v
	}
	return int16(v)
}
