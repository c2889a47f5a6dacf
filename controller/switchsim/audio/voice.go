package audio

import (
	"encoding/binary"
	"math"
)

// Voice is what a caller says: 16-bit mono PCM. It is never changed, and may
// be shared by any number of calls.
type Voice struct {
	// Rate is 8000 or 16000 Hz.
	Rate int
	// PCM are the samples.
	PCM []int16
	// Loop says that the voice begins again at its end; otherwise silence
	// (zeros) follows.
	Loop bool
	// From is the sample that the caller begins with: many callers share PCM and
	// still say different things.
	From int64
}

// VoiceFromBytes returns the voice of little-endian 16-bit PCM.
func VoiceFromBytes(rate int, pcm []byte, loop bool) *Voice {
	samples := make([]int16, len(pcm)/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(pcm[2*i:]))
	}
	return &Voice{Rate: rate, PCM: samples, Loop: loop}
}

// ToneVoice returns a looping second of a sine of the given frequency in Hz
// (whole, so that the loop has no seam) and amplitude (0 to 1 of full scale).
func ToneVoice(rate, frequency int, amplitude float64) *Voice {
	samples := make([]int16, rate)
	for i := range samples {
		samples[i] = sine(int64(i), rate, float64(frequency), amplitude)
	}
	return &Voice{Rate: rate, PCM: samples, Loop: true}
}

// StartingAt is the same voice begun at another sample, so that no two callers say the
// same thing at the same time.
func (v *Voice) StartingAt(sample int) *Voice {
	return &Voice{Rate: v.Rate, PCM: v.PCM, Loop: v.Loop, From: int64(sample % len(v.PCM))}
}

// At returns n samples from offset on, at the voice's own rate, as
// little-endian PCM.
func (v *Voice) At(offset, n int64) []byte {
	pcm := make([]byte, 2*n)
	for i := range n {
		binary.LittleEndian.PutUint16(pcm[2*i:], uint16(v.sample(offset+i)))
	}
	return pcm
}

// sample returns sample i; a nil voice is a caller without RTP.
func (v *Voice) sample(i int64) int16 {
	if v == nil {
		return -1
	}
	i += v.From
	n := int64(len(v.PCM))
	if i >= n && v.Loop && n > 0 {
		i %= n
	}
	if i >= n {
		return 0
	}
	return v.PCM[i]
}

// sampleAt returns sample i of the voice as a stream of the given rate hears
// it. Between 8 and 16 kHz samples are repeated or left out; the module
// filters there, and rates above are repeats as well.
func (v *Voice) sampleAt(i int64, rate int) int16 {
	if v == nil || v.Rate == rate {
		return v.sample(i)
	}
	return v.sample(i * int64(v.Rate) / int64(rate))
}

func sine(i int64, rate int, frequency, amplitude float64) int16 {
	phase := 2 * math.Pi * frequency * float64(i) / float64(rate)
	return int16(math.Round(32767 * amplitude * math.Sin(phase)))
}
