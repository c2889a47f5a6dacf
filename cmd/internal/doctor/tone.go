package doctor

import (
	"math"
	"time"
)

// window is the stretch of audio in which the tone is looked for.
const window = 20 * time.Millisecond

// A window has the tone where most of its energy is at the pattern's frequency
// and it is louder than a whisper.
const (
	toneShare = 0.5
	toneFloor = -50.0 // dBFS
)

// heard is what was found of the pattern.
type heard struct {
	there  bool
	offset time.Duration // of its first tone
	level  float64       // RMS of its tones in dBFS
	share  float64       // of the windows that have the tone, from its first on
}

// search looks for the pattern: a tone that is there in about half of the
// windows from its first on, and comes and goes as often as it should.
func search(samples []int16, rate int) heard {
	n := int(int64(rate) * int64(window) / int64(time.Second))
	first, on, changes, windows := -1, 0, 0, 0
	energy, was := 0.0, false
	for i := 0; i+n <= len(samples); i += n {
		tone, power := has(samples[i:i+n], rate)
		if tone && first < 0 {
			first = i
		}
		if first < 0 {
			continue
		}
		windows++
		if tone {
			on++
			energy += power
		}
		if tone != was {
			changes++
		}
		was = tone
	}
	if first < 0 {
		return heard{}
	}
	h := heard{offset: time.Duration(first) * time.Second / time.Duration(rate), level: decibel(energy / float64(on)), share: float64(on) / float64(windows)}
	duty := float64(patternOn) / float64(patternOn+patternOff)
	expected := 2 * float64(windows) * float64(window) / float64(patternOn+patternOff)
	h.there = math.Abs(h.share-duty) < 0.2 && math.Abs(float64(changes)-expected) <= 2+0.2*expected
	return h
}

// has says whether a window is mostly the pattern's tone, and its mean power as a
// share of full scale. It compares the power at the tone's frequency (Goertzel's
// algorithm) with the whole.
func has(samples []int16, rate int) (tone bool, power float64) {
	coefficient := 2 * math.Cos(2*math.Pi*patternHz/float64(rate))
	var s1, s2, sum float64
	for _, v := range samples {
		x := float64(v) / 32768
		s1, s2 = x+coefficient*s1-s2, s1
		sum += x * x
	}
	n := float64(len(samples))
	atTone := 2 * (s1*s1 + s2*s2 - coefficient*s1*s2) / (n * n)
	power = sum / n
	return decibel(power) > toneFloor && atTone > toneShare*power, power
}

func decibel(power float64) float64 { return 10 * math.Log10(max(power, 1e-12)) }
