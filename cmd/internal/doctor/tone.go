package doctor

import (
	"math"
	"slices"
	"time"
)

// window is the stretch of audio in which the tone is looked for: a whole number
// of its periods.
const window = 10 * time.Millisecond

// A window has the tone if most of its energy is at the pattern's frequency
// and it is louder than a whisper.
const (
	toneShare = 0.5
	toneFloor = -50.0 // dBFS
)

// jitter is how far a pulse or a pause may be from its length; a pause that is
// longer yet is a break.
const jitter = 60 * time.Millisecond

// maxDropout is the longest gap within a pulse that is a dropout and no pause.
const maxDropout = 50 * time.Millisecond

// maxLead is how late the caller may begin to speak after the stream has begun.
const maxLead = 500 * time.Millisecond

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
	runs, power := pulses(samples, rate, n)
	runs, dropouts := joinDropouts(runs)
	good, bad := 0, 0
	for i, r := range runs {
		edge := i == 0 || i == len(runs)-1 // may be cut by the stream's begin and end
		switch long := time.Duration(r.to-r.from) * window; {
		case (long - patternOn).Abs() <= jitter:
			good++
		case !edge || long > patternOn:
			bad++
		}
	}
	const enough = 2
	if good < enough {
		return heard{}
	}
	h := heard{there: bad <= 1+good/4, pulses: good, dropouts: dropouts, level: decibel(power), offset: onset(samples, rate, runs[0].from*n, power)}
	h.broken, h.breakAt = longestBreak(runs, len(samples)/n)
	return h
}

// pulses are the stretches that have the tone, and the mean power of their inner
// windows as a share of full scale. Each window has n samples.
func pulses(samples []int16, rate, n int) (runs []run, mean float64) {
	var sum, before float64
	count, was := 0, false
	for i := 0; (i+1)*n <= len(samples); i++ {
		tone, power := has(samples[i*n:(i+1)*n], rate)
		switch {
		case tone && !was:
			runs = append(runs, run{i, i + 1})
		case tone:
			r := &runs[len(runs)-1]
			if r.to = i + 1; r.to-r.from > 2 { // so that the one before is no edge
				sum += before
				count++
			}
		}
		was, before = tone, power
	}
	return runs, sum / float64(max(1, count))
}

// joinDropouts joins pulses that only a dropout keeps apart, and counts those.
func joinDropouts(runs []run) (whole []run, dropouts int) {
	for _, r := range runs {
		if n := len(whole); n > 0 && time.Duration(r.from-whole[n-1].to)*window <= maxDropout {
			whole[n-1].to = r.to
			dropouts++
			continue
		}
		whole = append(whole, r)
	}
	return whole, dropouts
}

// onset is when the first pulse begins, within the window that has it or the one before.
func onset(samples []int16, rate, from int, power float64) time.Duration {
	n := int(int64(rate) * int64(window) / int64(time.Second))
	threshold := 32768 * math.Sqrt(power) / 2
	for i := max(0, from-n); i < from+n; i++ {
		if math.Abs(float64(samples[i])) >= threshold {
			from = i
			break
		}
	}
	return time.Duration(from) * time.Second / time.Duration(rate)
}

// longestBreak is the longest time without pulses, the beginning and the end of the
// windows included.
func longestBreak(runs []run, windows int) (long, at time.Duration) {
	compare := func(from, to int, allowed time.Duration) {
		if gap := time.Duration(to-from) * window; gap > allowed && gap > long {
			long, at = gap, time.Duration(from)*window
		}
	}
	compare(0, runs[0].from, patternOff+maxLead)
	for i := 1; i < len(runs); i++ {
		compare(runs[i-1].to, runs[i].from, patternOff+jitter)
	}
	compare(runs[len(runs)-1].to, windows, patternOff+jitter)
	return long, at
}

// has says whether a window is mostly the pattern's tone, and its mean power as a
// share of full scale.
func has(samples []int16, rate int) (tone bool, power float64) {
	power = meanPower(samples)
	return decibel(power) > toneFloor && powerAt(samples, rate, patternHz) > toneShare*power, power
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

// silent says that no sample is anything but 0 or -1, which is how a caller
// arrives who sends nothing.
func silent(samples []int16) bool {
	return !slices.ContainsFunc(samples, func(v int16) bool { return v != 0 && v != -1 })
}

// loudest is the frequency in Hz that has most of the first minute's energy, and
// its share of that.
func loudest(samples []int16, rate int) (hz int, share float64) {
	const step, lowest = 50, 100
	n := rate / step
	samples = samples[:min(len(samples), 60*rate)]
	var total, most float64
	at := make([]float64, max(1, rate/2/step))
	for ; len(samples) >= n; samples = samples[n:] {
		total += meanPower(samples[:n])
		for i := lowest / step; i < len(at); i++ {
			at[i] += powerAt(samples[:n], rate, i*step)
		}
	}
	for i, p := range at {
		if p > most {
			hz, most = i*step, p
		}
	}
	return hz, most / max(total, 1e-12)
}
