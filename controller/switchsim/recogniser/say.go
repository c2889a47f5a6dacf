package recogniser

import (
	"encoding/binary"
	"math"
	"time"
)

// Spoken is a word to say. Without a Word it is silence, which makes the audio longer.
type Spoken struct {
	// At is where it begins, Length how long it lasts: 60 ms or more, and 0 is 200 ms.
	At, Length time.Duration
	// Word is one of [Words], or [Hum].
	Word string
}

const (
	defaultLength = 200 * time.Millisecond
	amplitude     = 8000
	// fade is the time in which a tone swells, and in which it fades, so that there is no click.
	fade = 4 * time.Millisecond
)

// Say is audio that says words, and is silent otherwise: 16-bit little-endian mono PCM at rate Hz, as long as
// the last word needs. The same word twice needs 60 ms between, or it is one. It panics if a word is
// none of the vocabulary.
func Say(rate int, words ...Spoken) []byte {
	length := 0
	for _, s := range words {
		length = max(length, samples(s.At+s.length(), rate))
	}
	pcm := make([]byte, 2*length)
	for _, s := range words {
		if s.Word != "" {
			s.addTo(pcm, rate)
		}
	}
	return pcm
}

func (s *Spoken) length() time.Duration {
	if s.Length == 0 {
		return defaultLength
	}
	return s.Length
}

func (s *Spoken) addTo(pcm []byte, rate int) {
	hz := Frequency(s.Word)
	if hz == 0 {
		panic("recogniser: say " + s.Word + ": no such word")
	}
	from, to := samples(s.At, rate), samples(s.At+s.length(), rate)
	ramp := float64(samples(fade, rate))
	for i := from; i < to; i++ {
		volume := min(1, float64(i-from)/ramp, float64(to-i)/ramp)
		v := amplitude * volume * math.Sin(2*math.Pi*hz*float64(i-from)/float64(rate))
		at := pcm[2*i:]
		binary.LittleEndian.PutUint16(at, binary.LittleEndian.Uint16(at)+uint16(int16(v)))
	}
}

// Interleave makes one recording of channels of 16-bit PCM. Those that are shorter end in silence.
func Interleave(channels ...[]byte) []byte {
	length := 0
	for _, c := range channels {
		length = max(length, len(c)/2)
	}
	pcm := make([]byte, 2*length*len(channels))
	for n, c := range channels {
		for i := range len(c) / 2 {
			copy(pcm[2*(i*len(channels)+n):], c[2*i:2*i+2])
		}
	}
	return pcm
}

// samples is the number of samples of one channel that last d.
func samples(d time.Duration, rate int) int {
	return int((d*time.Duration(rate) + time.Second/2) / time.Second)
}

// position is where a sample lies.
func position(sample, rate int) time.Duration {
	return time.Duration(sample) * time.Second / time.Duration(rate)
}
