package switchsim

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

var errRate = errors.New("rate must be 8000 or 16000")

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

// Played is one thing that the switch played to the caller.
type Played struct {
	// Source is the tone_stream or file.
	Source string
	// From and To are media frames of 20 ms since media began; To is -1 while
	// it is being played.
	From, To int64
	tone     tone
}

// audio is what is needed to make the audio of one stream: the parties, the
// mix and the rate.
type audio struct {
	voice  *Voice
	played []Played
	mix    string
	rate   int
}

func (a *audio) channels() int {
	if a.mix == "stereo" {
		return 2
	}
	return 1
}

// frameBytes is the size of one 20 ms frame.
func (a *audio) frameBytes() int { return a.rate / 50 * 2 * a.channels() }

// frame writes media frame k into dst, which has frameBytes bytes.
func (a *audio) frame(dst []byte, k int64) {
	n := int64(a.rate / 50)
	first := k * n
	if a.mix == "mono" {
		a.mono(dst, first, n)
		return
	}
	playing := a.at(k)
	for i := range n {
		left, right := a.voice.sampleAt(first+i, a.rate), int16(0)
		if playing != nil {
			right = playing.tone.sample(first+i-playing.From*n, a.rate)
		}
		if a.mix == "stereo" {
			binary.LittleEndian.PutUint16(dst[4*i:], uint16(left))
			binary.LittleEndian.PutUint16(dst[4*i+2:], uint16(right))
			continue
		}
		binary.LittleEndian.PutUint16(dst[2*i:], uint16(clip(int32(left)+int32(right))))
	}
}

// mono is the hot path of load: the caller alone, mostly at his own rate.
func (a *audio) mono(dst []byte, first, n int64) {
	if v := a.voice; v != nil && v.Rate == a.rate && len(v.PCM) > 0 {
		at := first
		if v.Loop {
			at %= int64(len(v.PCM))
		}
		if at+n <= int64(len(v.PCM)) {
			for i, s := range v.PCM[at : at+n] {
				binary.LittleEndian.PutUint16(dst[2*i:], uint16(s))
			}
			return
		}
	}
	for i := range n {
		binary.LittleEndian.PutUint16(dst[2*i:], uint16(a.voice.sampleAt(first+i, a.rate)))
	}
}

// at returns what plays during frame k: the latest begun, as nested playbacks
// are heard.
func (a *audio) at(k int64) *Played {
	for i := len(a.played) - 1; i >= 0; i-- {
		if p := &a.played[i]; p.From <= k && (p.To < 0 || k < p.To) {
			return p
		}
	}
	return nil
}

func clip(s int32) int16 {
	return int16(max(math.MinInt16, min(math.MaxInt16, s)))
}

// frames returns how many whole frames d has.
func frames(d time.Duration) int64 { return int64(d / FrameDuration) }
