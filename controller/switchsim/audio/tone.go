package switchsim

import (
	"strconv"
	"strings"
	"time"
)

// promptFrequency is what a file sounds like in the switch's direction: a
// quiet sine, known to tests.
const promptFrequency = 350

// tone is something playable: a pattern of tone and silence, or a file that
// sounds as a sine.
type tone struct {
	on, off time.Duration
	hz      []float64
	total   time.Duration // negative: without end
}

// sample returns sample i of the tone at the rate, in Hz.
func (t *tone) sample(i int64, rate int) int16 {
	if cycle := samples(t.on+t.off, rate); cycle > 0 {
		if i%cycle >= samples(t.on, rate) {
			return 0
		}
	}
	var sum int32
	for _, hz := range t.hz {
		sum += int32(sine(i, rate, hz, 0.25))
	}
	return clip(sum)
}

func samples(d time.Duration, rate int) int64 {
	return int64(d) * int64(rate) / int64(time.Second)
}

// parseTone reads tone_stream://%(on,off,hz,…) with an optional ;loops=n (-1
// is for ever). Only this form of the tone language is known.
func parseTone(source string) (tone, bool) {
	spec, ok := strings.CutPrefix(source, "tone_stream://")
	if !ok {
		return tone{}, false
	}
	spec, options, _ := strings.Cut(spec, ";")
	open, closing := strings.Index(spec, "%("), strings.LastIndex(spec, ")")
	if open < 0 || closing < open {
		return tone{}, false
	}
	fields := strings.Split(spec[open+2:closing], ",")
	if len(fields) < 3 {
		return tone{}, false
	}
	var numbers []float64
	for _, f := range fields {
		n, err := strconv.ParseFloat(strings.TrimSpace(f), 64)
		if err != nil || n < 0 {
			return tone{}, false
		}
		numbers = append(numbers, n)
	}
	t := tone{on: millis(numbers[0]), off: millis(numbers[1]), hz: numbers[2:]}
	t.total = (t.on + t.off) * time.Duration(toneLoops(options))
	return t, true
}

func toneLoops(options string) int {
	for _, o := range strings.Split(options, ";") {
		if v, ok := strings.CutPrefix(o, "loops="); ok {
			if n, err := strconv.Atoi(v); err == nil {
				return n
			}
		}
	}
	return 1
}

func millis(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }

// source finds what playback is given: a tone, silence, or a file.
func (s *Switch) source(name string) (tone, bool) {
	if strings.HasPrefix(name, "tone_stream://") {
		return parseTone(name)
	}
	if v, ok := strings.CutPrefix(name, "silence_stream://"); ok {
		ms, _, _ := strings.Cut(v, ",")
		n, err := strconv.Atoi(ms)
		return tone{total: time.Duration(n) * time.Millisecond}, err == nil
	}
	d, ok := s.cfg.Prompts(name)
	return tone{on: d, hz: []float64{promptFrequency}, total: d}, ok
}
