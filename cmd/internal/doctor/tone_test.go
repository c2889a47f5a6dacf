package doctor

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tapdeck/wav"
)

// signal makes audio sample by sample, at t seconds.
func signal(rate int, length time.Duration, f func(t float64) float64) []int16 {
	samples := make([]int16, int64(length)*int64(rate)/int64(time.Second))
	for i := range samples {
		samples[i] = int16(32767 * max(-1, min(1, f(float64(i)/float64(rate)))))
	}
	return samples
}

func sine(hz, amplitude float64) func(t float64) float64 {
	return func(t float64) float64 { return amplitude * math.Sin(2*math.Pi*hz*t) }
}

// gated is a voice that begins at from and then goes on and off.
func gated(voice func(float64) float64, from, on, off float64) func(t float64) float64 {
	return func(t float64) float64 {
		if t < from || math.Mod(t-from, on+off) >= on {
			return 0
		}
		return voice(t - from)
	}
}

// pattern is what the caller of a test call says.
func pattern(from, amplitude float64) func(t float64) float64 {
	return gated(sine(patternHz, amplitude), from, 0.2, 0.2)
}

func sum(fs ...func(float64) float64) func(t float64) float64 {
	return func(t float64) (v float64) {
		for _, f := range fs {
			v += f(t)
		}
		return v
	}
}

func noise(amplitude float64) func(t float64) float64 {
	r := rand.New(rand.NewPCG(1, 2))
	return func(float64) float64 { return amplitude * (2*r.Float64() - 1) }
}

// cut silences a stretch.
func cut(f func(float64) float64, from, to float64) func(t float64) float64 {
	return func(t float64) float64 {
		if t >= from && t < to {
			return 0
		}
		return f(t)
	}
}

// telephone is a sample as G.711 µ-law carries it.
func telephone(v int16) int16 {
	const bias, clip = 132, 32635
	sign, x := 1, int(v)
	if x < 0 {
		sign, x = -1, -x
	}
	x = min(x, clip) + bias
	segment := 0
	for x>>(segment+8) > 0 {
		segment++
	}
	step := 1 << (segment + 3)
	return int16(sign * (x/step*step + step/2 - bias))
}

func TestSearchFinds(t *testing.T) {
	const rms = 0.25 / math.Sqrt2
	level := 20 * math.Log10(rms)
	for name, tt := range map[string]struct {
		rate   int
		voice  func(float64) float64
		offset time.Duration
		level  float64
	}{
		"plain":        {8000, pattern(0, 0.25), 0, level},
		"16 kHz":       {16000, pattern(0, 0.25), 0, level},
		"48 kHz":       {48000, pattern(0.1, 0.25), 100 * time.Millisecond, level},
		"late":         {8000, pattern(0.1234, 0.25), 123400 * time.Microsecond, level},
		"quiet":        {8000, pattern(0.05, 0.0316*math.Sqrt2), 50 * time.Millisecond, -30},
		"loud":         {8000, pattern(0.05, 1), 50 * time.Millisecond, -3},
		"in noise":     {8000, sum(pattern(0.1, 0.25), noise(0.05)), 100 * time.Millisecond, level},
		"over hum":     {8000, sum(pattern(0.1, 0.25), sine(50, 0.05)), 100 * time.Millisecond, level},
		"uneven cycle": {8000, gated(sine(patternHz, 0.25), 0.1, 0.2, 0.24), 100 * time.Millisecond, level},
		"no RTP first": {8000, cut(pattern(-0.3, 0.25), 0, 0.02), 100 * time.Millisecond, level},
	} {
		for _, carried := range []bool{false, true} {
			samples := signal(tt.rate, 4*time.Second, tt.voice)
			if carried {
				for i, v := range samples {
					samples[i] = telephone(v)
				}
			}
			h := search(samples, tt.rate)
			if !h.there || h.broken != 0 {
				t.Errorf("%s (µ-law %v): %+v", name, carried, h)
				continue
			}
			if (h.offset - tt.offset).Abs() > 2*time.Millisecond {
				t.Errorf("%s (µ-law %v): offset %v, want %v", name, carried, h.offset, tt.offset)
			}
			if math.Abs(h.level-tt.level) > 0.5 {
				t.Errorf("%s (µ-law %v): level %.2f dBFS, want %.2f", name, carried, h.level, tt.level)
			}
		}
	}
}

func TestSearchFindsNot(t *testing.T) {
	for name, voice := range map[string]func(float64) float64{
		"silence":            sine(0, 0),
		"no RTP":             func(float64) float64 { return -1.0 / 32767 },
		"a constant tone":    sine(patternHz, 0.25),
		"another frequency":  gated(sine(800, 0.25), 0, 0.2, 0.2),
		"a near frequency":   gated(sine(920, 0.25), 0, 0.2, 0.2),
		"an octave":          gated(sine(2000, 0.25), 0, 0.2, 0.2),
		"noise":              noise(0.5),
		"gated noise":        gated(noise(0.5), 0, 0.2, 0.2),
		"drowned in noise":   sum(pattern(0, 0.1), noise(0.9)),
		"a whisper":          pattern(0, 0.001),
		"too fast":           gated(sine(patternHz, 0.25), 0, 0.1, 0.1),
		"too slow":           gated(sine(patternHz, 0.25), 0, 0.4, 0.4),
		"one pulse":          cut(pattern(0, 0.25), 0.3, 9),
		"under another tone": sum(pattern(0, 0.25), sine(440, 0.4)),
		"beep of the plan":   cut(sine(800, 0.25), 0.5, 9),
	} {
		if h := search(signal(8000, 4*time.Second, voice), 8000); h.there {
			t.Errorf("%s: %+v", name, h)
		}
	}
	for _, n := range []int{0, 1, 79, 80, 81, 3200} {
		if h := search(make([]int16, n), 8000); h.there {
			t.Errorf("%d samples: %+v", n, h)
		}
	}
	if h := search(make([]int16, 9), 50); h.there {
		t.Errorf("a rate of 50 Hz: %+v", h)
	}
}

func TestSearchBreaks(t *testing.T) {
	for name, tt := range map[string]struct {
		voice       func(float64) float64
		broken, at  time.Duration
		uncertainty time.Duration
	}{
		"in the middle":     {cut(pattern(0, 0.25), 1, 2.2), 1400 * time.Millisecond, time.Second, 220 * time.Millisecond},
		"at the end":        {cut(pattern(0, 0.25), 2.6, 9), 1400 * time.Millisecond, 2600 * time.Millisecond, 20 * time.Millisecond},
		"at the beginning":  {pattern(1, 0.25), time.Second, 0, 20 * time.Millisecond},
		"the longer of two": {cut(cut(pattern(0, 0.25), 0.8, 1.2), 2, 3.2), 1400 * time.Millisecond, 1800 * time.Millisecond, 20 * time.Millisecond},
	} {
		h := search(signal(8000, 4*time.Second, tt.voice), 8000)
		if !h.there || (h.broken-tt.broken).Abs() > tt.uncertainty || (h.breakAt-tt.at).Abs() > tt.uncertainty {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

func TestSearchDropouts(t *testing.T) {
	h := search(signal(8000, 4*time.Second, cut(cut(pattern(0, 0.25), 1.28, 1.3), 2.1, 2.14)), 8000)
	if !h.there || h.dropouts != 2 || h.broken != 0 || h.pulses != 10 {
		t.Errorf("%+v", h)
	}
	if h = search(signal(8000, 4*time.Second, gated(pattern(0, 0.25), 0, 0.02, 0.02)), 8000); h.dropouts != 40 {
		t.Errorf("torn to pieces: %+v", h)
	}
}

func TestLoudest(t *testing.T) {
	if hz, share := loudest(signal(8000, 3*time.Second, sum(sine(450, 0.3), noise(0.05))), 8000); hz != 450 || share < 0.8 {
		t.Errorf("%d Hz, %.2f", hz, share)
	}
	if hz, share := loudest(make([]int16, 8000), 8000); hz != 0 || share != 0 {
		t.Errorf("silence: %d Hz, %.2f", hz, share)
	}
	if _, share := loudest(signal(8000, 3*time.Second, noise(0.5)), 8000); share > 0.2 {
		t.Errorf("noise: %.2f", share)
	}
}

// write writes a recording; a channel for each voice.
func write(t *testing.T, rate int, length time.Duration, voices ...func(float64) float64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.wav")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	w, err := wav.NewWriter(f, wav.Format{SampleRate: rate, Channels: len(voices)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	var channels [][]int16
	for _, v := range voices {
		channels = append(channels, signal(rate, length, v))
	}
	var pcm []byte
	for i := range channels[0] {
		for _, c := range channels {
			pcm = binary.LittleEndian.AppendUint16(pcm, uint16(c[i]))
		}
	}
	if _, err := w.Write(pcm); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	return path
}
