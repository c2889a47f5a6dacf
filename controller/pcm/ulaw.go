package pcm

import "math/bits"

const (
	// ulawBias is added to a magnitude of 14 bits, so that the position of its highest bit is its segment.
	ulawBias = 33
	// ulawClip is the greatest biased magnitude.
	ulawClip = 1<<13 - 1
)

// AppendULaw appends 16-bit little-endian linear PCM to dst as G.711 µ-law, a byte a sample, and
// returns it. An odd last byte is no sample and is left out. It allocates only if dst has no room.
func AppendULaw(dst, pcm []byte) []byte {
	for ; len(pcm) >= 2; pcm = pcm[2:] {
		dst = append(dst, toULaw(int16(uint16(pcm[0])|uint16(pcm[1])<<8)))
	}
	return dst
}

// AppendLinear appends G.711 µ-law to dst as 16-bit little-endian linear PCM, two bytes a sample,
// and returns it. It allocates only if dst has no room.
func AppendLinear(dst, ulaw []byte) []byte {
	for _, u := range ulaw {
		s := fromULaw(u)
		dst = append(dst, byte(s), byte(s>>8))
	}
	return dst
}

// toULaw is a byte of sign, segment and four bits of the magnitude, all of them inverted.
func toULaw(s int16) byte {
	sign := byte(0x80)
	if s < 0 {
		sign, s = 0, ^s
	}
	magnitude := min(uint(s)>>2+ulawBias, ulawClip)
	segment := bits.Len(magnitude >> 6)
	return sign | byte(7-segment)<<4 | ^byte(magnitude>>(segment+1))&0x0f
}

func fromULaw(u byte) int16 {
	u = ^u
	s := (int16(u&0x0f)<<1+ulawBias)<<(u>>4&7) - ulawBias
	if u&0x80 != 0 {
		s = -s
	}
	return s << 2
}
