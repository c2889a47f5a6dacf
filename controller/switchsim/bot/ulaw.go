package bot

import (
	"encoding/binary"
	"sync"
)

// G.711 µ-law by its definition: eight segments, each of sixteen steps that are twice as wide as those before.

// expand is the sample of a code.
func expand(code byte) int16 {
	segment, step := (^code>>4)&7, int(^code&15)
	magnitude := ((2*step + 33) << segment) - 33 // of 14 bits
	if code < 0x80 {
		magnitude = -magnitude
	}
	return int16(4 * magnitude)
}

// codes has the code of every magnitude of 13 bits: that of the interval in which it lies.
var codes = sync.OnceValue(func() *[1 << 13]byte {
	var t [1 << 13]byte
	for m := range t {
		biased, segment := min(m+33, 8191), 0
		for biased>>(segment+1) > 31 {
			segment++
		}
		t[m] = ^byte(segment<<4 | (biased>>(segment+1))&15)
	}
	return &t
})

// compress is the code of a sample.
func compress(s int16) byte {
	if s < 0 {
		return codes()[min(-int(s), 32767)>>2] & 0x7f
	}
	return codes()[s>>2]
}

// appendCodes appends 16-bit little-endian PCM as µ-law, appendSamples the reverse.
func appendCodes(dst, pcm []byte) []byte {
	for ; len(pcm) >= 2; pcm = pcm[2:] {
		dst = append(dst, compress(int16(binary.LittleEndian.Uint16(pcm))))
	}
	return dst
}

func appendSamples(dst, ulaw []byte) []byte {
	for _, code := range ulaw {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(expand(code)))
	}
	return dst
}
