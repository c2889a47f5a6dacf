package audio

import (
	"encoding/binary"
	"strconv"
	"strings"
	"time"
)

// promptFrequency is what a file sounds like in the switch's direction: a
// quiet sine, known to tests.
const promptFrequency = 350

// Sound is something playable: a pattern of tone and silence, a file that
// sounds as a sine, or samples.
type Sound struct {
	on, off time.Duration
	hz      []float64
	pcm     []byte // 16-bit little-endian samples, if rate is not 0
	rate    int    // of pcm, in Hz
	// Length is negative if it has no end.
	Length time.Duration
}

// sample returns sample i of the sound at the rate, in Hz. Samples of another rate are
// repeated or left out, where the switch filters.
func (s *Sound) sample(i int64, rate int) int16 {
	if s.rate > 0 {
		return s.sampleOf(i * int64(s.rate) / int64(rate))
	}
	if cycle := samples(s.on+s.off, rate); cycle > 0 {
		if i%cycle >= samples(s.on, rate) {
			return 0
		}
	}
	var sum int32
	for _, hz := range s.hz {
		sum += int32(sine(i, rate, hz, 0.25))
	}
	return clip(sum)
}

// sampleOf returns sample i of pcm; around it is silence.
func (s *Sound) sampleOf(i int64) int16 {
	if i < 0 || 2*i+1 >= int64(len(s.pcm)) {
		return 0
	}
	return int16(binary.LittleEndian.Uint16(s.pcm[2*i:]))
}

func samples(d time.Duration, rate int) int64 {
	return int64(d) * int64(rate) / int64(time.Second)
}

// parseTone reads tone_stream://%(on,off,hz,…) with an optional ;loops=n (-1
// is for ever). Only this form of the tone language is known.
func parseTone(source string) (Sound, bool) {
	spec, ok := strings.CutPrefix(source, "tone_stream://")
	if !ok {
		return Sound{}, false
	}
	spec, options, _ := strings.Cut(spec, ";")
	open, closing := strings.Index(spec, "%("), strings.LastIndex(spec, ")")
	if open < 0 || closing < open {
		return Sound{}, false
	}
	fields := strings.Split(spec[open+2:closing], ",")
	if len(fields) < 3 {
		return Sound{}, false
	}
	var numbers []float64
	for _, f := range fields {
		n, err := strconv.ParseFloat(strings.TrimSpace(f), 64)
		if err != nil || n < 0 {
			return Sound{}, false
		}
		numbers = append(numbers, n)
	}
	t := Sound{on: millis(numbers[0]), off: millis(numbers[1]), hz: numbers[2:]}
	t.Length = (t.on + t.off) * time.Duration(toneLoops(options))
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

// File returns how a file of that length sounds.
func File(length time.Duration) Sound {
	return Sound{on: length, hz: []float64{promptFrequency}, Length: length}
}

// Parse reads tone_stream:// and silence_stream://; isStream is false for the name of
// a file, and ok for one of them that can't be read.
func Parse(name string) (sound Sound, isStream, ok bool) {
	if strings.HasPrefix(name, "tone_stream://") {
		sound, ok = parseTone(name)
		return sound, true, ok
	}
	if v, silence := strings.CutPrefix(name, "silence_stream://"); silence {
		text, _, _ := strings.Cut(v, ",")
		ms, err := strconv.Atoi(text)
		return Sound{Length: time.Duration(ms) * time.Millisecond}, true, err == nil
	}
	return Sound{}, false, false
}

// Voice is the sound as a caller's voice at 8 kHz.
func (s *Sound) Voice(endless bool) *Voice {
	length := s.on + s.off
	if !endless || length <= 0 {
		length = max(s.Length, time.Second)
	}
	pcm := make([]int16, samples(length, 8000))
	for i := range pcm {
		pcm[i] = s.sample(int64(i), 8000)
	}
	return &Voice{Rate: 8000, PCM: pcm, Loop: endless}
}
