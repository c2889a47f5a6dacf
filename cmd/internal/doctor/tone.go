package doctor

import (
	"math"
	"slices"
	"time"
)

const (
	// window is the stretch of audio in which the tone is looked for: a whole number
	// of its periods.
	window = 10 * time.Millisecond
	// A window has the tone if most of its energy is at the pattern's frequency
	// and it is louder than a whisper.
	toneShare = 0.5
	toneFloor = -50.0 // dBFS
	// jitter is how far a pulse or a pause may be from its length; a pause that is
	// longer yet is a break.
	jitter = 60 * time.Millisecond
	// maxDropout is the longest gap within a pulse that is a dropout and no pause.
	maxDropout = 50 * time.Millisecond
	// maxLead is how late the caller may begin to speak after the stream has begun.
	maxLead = 500 * time.Millisecond
)

// heard is what was found of the pattern.
type heard struct {
	there    bool
	pulses   int           // that are as they should be
	dropouts int           // short gaps within pulses
	offset   time.Duration // of its first pulse
	level    float64       // RMS of its pulses in dBFS
	broken   time.Duration // the longest time without a pulse that should be there; 0 if none
	breakAt  time.Duration // when that began
}

// run is a stretch of windows with the tone.
type run struct{ from, to int }

// search looks for the pattern: pulses of the tone, as long and as far from each
// other as the caller says them.
func search(samples []int16, rate int) heard {
	n := int(int64(rate) * int64(window) / int64(time.Second))
	if n == 0 {
		return heard{}
	}
	runs, dropouts, power := pulses(samples, rate, n)
	h, bad := heard{dropouts: dropouts}, 0
	for i, r := range runs {
		edge := i == 0 || i == len(runs)-1 // may be cut by the stream's begin and end
		switch long := time.Duration(r.to-r.from) * window; {
		case (long - patternOn).Abs() <= jitter:
			h.pulses++
		case !edge || long > patternOn:
			bad++
		}
	}
	const enough = 2
	if h.pulses < enough {
		return heard{}
	}
	h.there, h.level = bad <= 1+h.pulses/4, decibel(power)
	h.offset = time.Duration(onset(samples, runs[0].from*n, n, power)) * time.Second / time.Duration(rate)
	end, allowed := 0, patternOff+maxLead
	for _, r := range append(runs, run{from: len(samples) / n}) {
		if gap := time.Duration(r.from-end) * window; gap > allowed && gap > h.broken {
			h.broken, h.breakAt = gap, time.Duration(end)*window
		}
		end, allowed = r.to, patternOff+jitter
	}
	return h
}

// pulses are the stretches of windows of n samples that have the tone, the dropouts
// within them, and the median of their windows' mean powers as a share of full scale.
func pulses(samples []int16, rate, n int) (runs []run, dropouts int, power float64) {
	powers := []float64{0}
	for i := range len(samples) / n {
		stretch := samples[i*n : (i+1)*n]
		power := meanPower(stretch)
		if decibel(power) <= toneFloor || powerAt(stretch, rate, patternHz) <= toneShare*power {
			continue
		}
		powers = append(powers, power)
		last := len(runs) - 1
		if last < 0 || time.Duration(i-runs[last].to)*window > maxDropout {
			runs = append(runs, run{i, i + 1})
			continue
		}
		if i > runs[last].to {
			dropouts++
		}
		runs[last].to = i + 1
	}
	slices.Sort(powers)
	return runs, dropouts, powers[len(powers)/2]
}

// onset is the sample with which a tone of this power begins, in the window of n that
// has it or in the one before.
func onset(samples []int16, from, n int, power float64) int {
	threshold := 32768 * math.Sqrt(power) / 2
	before := max(0, from-n)
	loud := func(v int16) bool { return math.Abs(float64(v)) >= threshold }
	return before + max(0, slices.IndexFunc(samples[before:], loud))
}

func meanPower(samples []int16) float64 {
	var sum float64
	for _, v := range samples {
		x := float64(v) / 32768
		sum += x * x
	}
	return sum / float64(len(samples))
}

// powerAt is the mean power at a frequency, by Goertzel's algorithm.
func powerAt(samples []int16, rate, hz int) float64 {
	coefficient := 2 * math.Cos(2*math.Pi*float64(hz)/float64(rate))
	var s1, s2 float64
	for _, v := range samples {
		s1, s2 = float64(v)/32768+coefficient*s1-s2, s1
	}
	n := float64(len(samples))
	return 2 * (s1*s1 + s2*s2 - coefficient*s1*s2) / (n * n)
}

func decibel(power float64) float64 { return 10 * math.Log10(max(power, 1e-12)) }

// loudest is the frequency in Hz that has most of the first minute's energy, and
// its share of that.
func loudest(samples []int16, rate int) (hz int, share float64) {
	const step, lowest = 50, 100
	n := max(1, rate/step)
	samples = samples[:min(len(samples), 60*rate)/n*n]
	var total float64
	at := make([]float64, max(1, rate/2/step))
	for stretch := range slices.Chunk(samples, n) {
		total += meanPower(stretch)
		for i := lowest / step; i < len(at); i++ {
			at[i] += powerAt(stretch, rate, i*step)
		}
	}
	most := slices.Max(at)
	return step * slices.Index(at, most), most / max(total, 1e-12)
}
