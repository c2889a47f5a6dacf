package bot

import (
	"encoding/binary"
	"math"
	"time"
)

// Tone is a sine as 16-bit little-endian PCM.
func Tone(rate, hz int, d time.Duration) []byte {
	n := int(d * time.Duration(rate) / time.Second)
	b := make([]byte, 0, 2*n)
	for i := range n {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(8000*math.Sin(2*math.Pi*float64(hz)*float64(i)/float64(rate)))))
	}
	return b
}

// speechDetector says from the level alone whether a caller speaks.
type speechDetector struct {
	bytes    int // of quiet audio that end speech
	speaking bool
	quiet    int // bytes since the last loud message
}

// newSpeechDetector returns one for audio of a rate in Hz.
func newSpeechDetector(pause time.Duration, rate int) speechDetector {
	return speechDetector{bytes: 2 * int(pause*time.Duration(rate)/time.Second)}
}

// loud is the mean square of a message of speech: about -40 dBFS.
const loud = 300 * 300

// hear returns whether the caller speaks, after a message of his audio.
func (d *speechDetector) hear(pcm []byte) bool {
	if Loud(pcm) {
		d.speaking, d.quiet = true, 0
	} else if d.quiet += len(pcm); d.quiet >= d.bytes {
		d.speaking = false
	}
	return d.speaking
}

// Loud says whether 16-bit little-endian PCM is what a bot takes for speech.
func Loud(pcm []byte) bool {
	sum := int64(0)
	for i := 0; i+1 < len(pcm); i += 2 {
		v := int64(int16(binary.LittleEndian.Uint16(pcm[i:])))
		sum += v * v
	}
	n := int64(len(pcm) / 2)
	return n > 0 && sum/n >= loud
}
