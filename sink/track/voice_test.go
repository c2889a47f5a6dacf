package track

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"tapdeck/wav"
)

// A signal gives the sample at a time, in seconds, of a line; full scale is 1.
type signal func(at float64) float64

func amplitude(dbfs float64) float64 { return math.Pow(10, dbfs/20) }

func zeros(float64) float64 { return 0 }

// lowest is what the switch streams for a caller that sends no RTP (F48).
func lowest(float64) float64 { return -1.0 / fullScale }

// noise is white, of so many dBFS RMS.
func noise(dbfs float64) signal {
	rng := rand.New(rand.NewPCG(1, 1))
	return func(float64) float64 { return amplitude(dbfs) * math.Sqrt(3) * (2*rng.Float64() - 1) }
}

func plainTone(dbfs float64) signal {
	return func(at float64) float64 { return amplitude(dbfs) * math.Sqrt2 * math.Sin(2*math.Pi*440*at) }
}

// bursts are syllables of 160 ms, of so many dBFS RMS each, with 80 ms between them.
func bursts(dbfs float64) signal {
	voice := plainTone(dbfs)
	return func(at float64) float64 {
		if in := math.Mod(at, 0.24) / 0.16; in < 1 {
			return voice(at) * math.Sqrt2 * math.Sin(math.Pi*in)
		}
		return 0
	}
}

// recorded is the speech of a WAV, scaled to so many dBFS RMS, over and over. Without pauses,
// only what is loud enough in it is left.
func recorded(t *testing.T, dbfs float64, pauses bool) signal {
	t.Helper()
	file, err := os.ReadFile("../../cmd/tapdeck/speech.wav")
	if err != nil {
		t.Fatal(err)
	}
	_, pcm, err := wav.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	var samples []float64
	var all channel
	for ; len(pcm) >= 320; pcm = pcm[320:] {
		c := sumChannel(pcm[:320], 1)
		if !pauses && c.rmsDBFS() < -50 {
			continue
		}
		all.add(c)
		for i := 0; i < 320; i += 2 {
			samples = append(samples, float64(int16(binary.LittleEndian.Uint16(pcm[i:])))/fullScale)
		}
	}
	gain := amplitude(dbfs - all.rmsDBFS())
	return func(at float64) float64 { return gain * samples[int(at*8000)%len(samples)] }
}

func mix(all ...signal) signal {
	return func(at float64) (sum float64) {
		for _, s := range all {
			sum += s(at)
		}
		return sum
	}
}

// lossy loses one packet of 20 ms of every so many, from a time on: digital silence is in its place.
func lossy(s signal, every int, from time.Duration) signal {
	return func(at float64) float64 {
		v := s(at)
		if int(math.Round((at-from.Seconds())*48000))/960%every == 0 {
			return 0
		}
		return v
	}
}

// unsteady is noise that goes up and down by 3 dB within 2 s.
func unsteady(dbfs float64) signal {
	steady := noise(dbfs)
	return func(at float64) float64 { return steady(at) * amplitude(3*math.Sin(math.Pi*at)) }
}

// line is what a caller's microphone and line bring, one signal after the other.
type line []struct {
	lasts time.Duration
	signal
}

// during returns a line of one signal before, a second, and the first again.
func during(before time.Duration, quiet signal, speaks time.Duration, voice signal) line {
	return line{{before, quiet}, {speaks, voice}, {12 * time.Second, quiet}}
}

// hears plays a line into a meter, which listens from a time on, with a silence of 1 s and no
// input of 8 s, and returns which came, and when in the line.
func (l line) hears(format wav.Format, listen time.Duration, level float64) (word string, at time.Duration) {
	m := newLevelMeter(format)
	other := plainTone(-10) // of whoever speaks on the right channel
	var pcm []byte
	for _, part := range l {
		for end := at + part.lasts; at < end; at += window {
			if at == listen {
				m.Listen(level)
			}
			pcm = pcm[:0]
			for i := range int(format.Frames(window)) {
				now := at.Seconds() + float64(i)/float64(format.SampleRate)
				pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(math.Round(fullScale*part.signal(now)))))
				if format.Channels == 2 {
					pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(fullScale*other(now))))
				}
			}
			m.measure(pcm)
			switch {
			case at < listen:
			case m.QuietFor(time.Second):
				return "silence", at + window
			case m.NothingFor(8 * time.Second):
				return "no_input", at + window
			}
		}
	}
	return "", at
}

// check plays a line in mono at 8 kHz and compares what comes of it.
func (l line) check(t *testing.T, listen time.Duration, level float64, want string, from, to time.Duration) {
	t.Helper()
	l.checkFormat(t, mono8, listen, level, want, from, to)
}

func (l line) checkFormat(t *testing.T, format wav.Format, listen time.Duration, level float64, want string, from, to time.Duration) {
	t.Helper()
	if got, at := l.hears(format, listen, level); got != want || at < from || at > to {
		t.Errorf("level %v: %q after %v, want %q between %v and %v", level, got, at, want, from, to)
	}
}

// The caller is the first channel, whatever comes on the other, and windows are 20 ms at any rate.
func TestSpeechInEveryFormat(t *testing.T) {
	for name, format := range map[string]wav.Format{
		"16 kHz": {SampleRate: 16000, Channels: 1}, "stereo": {SampleRate: 8000, Channels: 2}, "stereo, 16 kHz": {SampleRate: 16000, Channels: 2},
	} {
		t.Run(name, func(t *testing.T) {
			back := noise(-38)
			noisy := during(2*time.Second, back, 3*time.Second, mix(recorded(t, -20, true), back))
			noisy.checkFormat(t, format, time.Second, auto, "silence", 5700*time.Millisecond, 6*time.Second)
			noisy.checkFormat(t, format, time.Second, fixed, "", 17*time.Second, 17*time.Second)
			quiet := during(2*time.Second, zeros, 3*time.Second, bursts(-46))
			quiet.checkFormat(t, format, 0, auto, "silence", 5700*time.Millisecond, 6*time.Second)
			quiet.checkFormat(t, format, 0, fixed, "no_input", 8*time.Second, 8*time.Second)
			line{{15 * time.Second, back}}.checkFormat(t, format, 0, auto, "no_input", 8*time.Second, 8*time.Second)
		})
	}
}

const (
	auto  = 0
	fixed = -40
)

// Callers at -46 dBFS are heard on any quiet line, and with a fixed level they are not.
func TestQuietCallers(t *testing.T) {
	for quiet, background := range map[string]func() signal{
		"zeros": func() signal { return zeros }, "lowest": func() signal { return lowest }, "noise": func() signal { return noise(-70) },
	} {
		for name, voice := range map[string]signal{
			"bursts": bursts(-46), "tone": plainTone(-46), "recorded": recorded(t, -46, true), "a long sentence": recorded(t, -46, false),
		} {
			t.Run(quiet+" "+name, func(t *testing.T) {
				back := background()
				call := during(2*time.Second, back, 3*time.Second, mix(voice, back))
				for _, listen := range []time.Duration{0, time.Second} {
					call.check(t, listen, auto, "silence", 5700*time.Millisecond, 6*time.Second)
				}
				if name != "recorded" && name != "a long sentence" { // which have moments that are louder
					call.check(t, time.Second, fixed, "no_input", 9*time.Second, 9*time.Second)
				}
				line{{15 * time.Second, back}}.check(t, time.Second, auto, "no_input", 9*time.Second, 9*time.Second)
			})
		}
	}
}

// On a line with noise at -38 dBFS a caller at -20 is heard, and the noise is not. With a fixed
// level the noise itself is speech, which never ends.
func TestNoisyLines(t *testing.T) {
	for name, voice := range map[string]signal{
		"bursts": bursts(-20), "tone": plainTone(-20), "recorded": recorded(t, -20, true), "a long sentence": recorded(t, -20, false),
	} {
		t.Run(name, func(t *testing.T) {
			back := noise(-38)
			call := during(2*time.Second, back, 3*time.Second, mix(voice, back))
			for _, listen := range []time.Duration{0, time.Second} {
				call.check(t, listen, auto, "silence", 5700*time.Millisecond, 6*time.Second)
			}
			call.check(t, time.Second, fixed, "", 17*time.Second, 17*time.Second)
		})
	}
	for name, back := range map[string]signal{
		"noise": noise(-38), "hum": plainTone(-38), "packets lost": lossy(noise(-38), 5, 0),
		"packets lost in between": lossy(noise(-38), 15, -19*time.Millisecond), "one lost early": lossy(noise(-38), 1000, 41*time.Millisecond),
		"unsteady": unsteady(-39), "louder": noise(-34),
	} {
		t.Run(name+" alone", func(t *testing.T) {
			alone := line{{15 * time.Second, back}}
			alone.check(t, 0, auto, "no_input", 8*time.Second, 8*time.Second)
			alone.check(t, time.Second, fixed, "", 15*time.Second, 15*time.Second)
			late := line{{400 * time.Millisecond, lowest}, {15 * time.Second, back}} // its packets come late
			late.check(t, 0, auto, "no_input", 8*time.Second, 8*time.Second)
		})
	}
}

// What a line itself brings is no speech, even after digital silence; a caller 12 dB above the
// noise is heard.
func TestFaintNoiseAndFaintCallers(t *testing.T) {
	faint := line{{2 * time.Second, zeros}, {15 * time.Second, noise(-65)}}
	faint.check(t, 0, auto, "no_input", 8*time.Second, 8*time.Second)
	back := noise(-48)
	call := during(2*time.Second, back, 3*time.Second, mix(plainTone(-36), back))
	call.check(t, 0, auto, "silence", 5900*time.Millisecond, 6*time.Second)
}

// Who speaks from the first sample on is heard.
func TestSpeechFromTheFirstSample(t *testing.T) {
	for name, call := range map[string]line{
		"bursts":              during(0, zeros, 3*time.Second, bursts(-46)),
		"bursts in noise":     during(0, noise(-38), 3*time.Second, mix(bursts(-20), noise(-38))),
		"recorded":            during(0, zeros, 3*time.Second, recorded(t, -46, true)),
		"recorded in noise":   during(0, noise(-38), 3*time.Second, mix(recorded(t, -20, true), noise(-38))),
		"a long sentence":     during(0, noise(-70), 10*time.Second, mix(recorded(t, -46, false), noise(-70))),
		"a long loud one":     during(0, noise(-38), 10*time.Second, mix(recorded(t, -20, false), noise(-38))),
		"a loud one":          during(0, noise(-70), 10*time.Second, mix(recorded(t, -15, false), noise(-70))),
		"a tone for a minute": during(0, zeros, time.Minute, plainTone(-20)),
	} {
		t.Run(name, func(t *testing.T) {
			ends := call[1].lasts + time.Second
			call.check(t, 0, auto, "silence", ends-300*time.Millisecond, ends)
		})
	}
}

// The level follows noise that comes and goes. Noise that comes while we listen is taken for
// speech until it is known, for less than 4 s; noise that goes never is.
func TestNoiseThatChanges(t *testing.T) {
	low, high := noise(-70), noise(-38)
	comes := line{{6 * time.Second, low}, {20 * time.Second, high}}
	comes.check(t, 0, auto, "silence", 10*time.Second, 11*time.Second)
	comes.check(t, 10*time.Second, auto, "no_input", 18*time.Second, 18*time.Second)
	goes := line{{6 * time.Second, high}, {20 * time.Second, low}}
	goes.check(t, 0, auto, "no_input", 8*time.Second, 8*time.Second)
	goes.check(t, 4*time.Second, auto, "no_input", 12*time.Second, 12*time.Second)

	both := line{
		{6 * time.Second, low},
		{6 * time.Second, high},
		{3 * time.Second, mix(bursts(-20), high)},
		{6 * time.Second, high},
		{time.Second, low},
		{3 * time.Second, mix(bursts(-46), low)},
		{12 * time.Second, low},
	}
	both.check(t, 11*time.Second, auto, "silence", 15700*time.Millisecond, 16*time.Second)
	both.check(t, 20*time.Second, auto, "silence", 25700*time.Millisecond, 26*time.Second)
}

// On a line with comfort noise nothing is sent between what the caller says, and what is
// sent has the caller's background in it.
func TestComfortNoise(t *testing.T) {
	background := noise(-50)
	spurt := func(lasts time.Duration) line { // its end is sent for a moment longer
		return line{{lasts, mix(bursts(-30), background)}, {200 * time.Millisecond, background}, {500 * time.Millisecond, zeros}}
	}
	call := append(append(line{{2 * time.Second, zeros}}, spurt(2*time.Second)...), spurt(time.Second)...)
	call = append(call, line{{12 * time.Second, zeros}}...)
	call.check(t, 0, auto, "silence", 6700*time.Millisecond, 6900*time.Millisecond)
	call.check(t, time.Second, auto, "silence", 6700*time.Millisecond, 6900*time.Millisecond)
	call.check(t, 7*time.Second, auto, "no_input", 15*time.Second, 15*time.Second)
}

// A wish begins anew, and what was said before it does not count.
func TestListenBeginsAnew(t *testing.T) {
	m := newLevelMeter(mono8)
	m.Listen(fixed)
	m.measure(tone(1000))
	if !m.QuietFor(0) || m.NothingFor(0) {
		t.Error("the tone is not heard")
	}
	m.Listen(fixed)
	m.measure(make([]byte, 320*49))
	if m.QuietFor(0) || m.NothingFor(time.Second) || !m.NothingFor(980*time.Millisecond) {
		t.Error("what was before is heard")
	}
}

// Neither the floor nor the level costs memory for a frame.
func TestVoiceAllocatesNothing(t *testing.T) {
	m := newLevelMeter(mono8)
	m.Listen(auto)
	pcm := tone(20)
	if n := testing.AllocsPerRun(1000, func() { m.measure(pcm) }); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// BenchmarkMeasure is the CPU of a frame of 20 ms.
func BenchmarkMeasure(b *testing.B) {
	for name, level := range map[string]float64{"auto": auto, "fixed": fixed} {
		b.Run(name, func(b *testing.B) {
			m := newLevelMeter(mono8)
			m.Listen(level)
			pcm := tone(20)
			for b.Loop() {
				m.measure(pcm)
			}
		})
	}
}
