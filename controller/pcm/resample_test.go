package pcm_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"tapdeck/controller/pcm"
)

var rates = []int{8000, 16000, 24000}

// each runs a test for each pair of different rates.
func each(t *testing.T, test func(t *testing.T, from, to int)) {
	for _, from := range rates {
		for _, to := range rates {
			if from != to {
				t.Run(fmt.Sprintf("%d to %d", from, to), func(t *testing.T) { test(t, from, to) })
			}
		}
	}
}

// tone is a sine of a second.
func tone(hz float64, amplitude float64, rate int) []byte {
	var b []byte
	for i := range rate {
		v := amplitude * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(math.Round(v))))
	}
	return b
}

func samples(b []byte) (s []float64) {
	for ; len(b) >= 2; b = b[2:] {
		s = append(s, float64(int16(binary.LittleEndian.Uint16(b))))
	}
	return s
}

// level is the amplitude of a frequency, and of all that is not this frequency.
func level(b []byte, hz float64, rate int) (tone, rest float64) {
	s := samples(b)
	s = s[rate/10 : rate/10+rate*8/10] // whole periods, away from the ends
	var re, im, sum float64
	for i, v := range s {
		re += v * math.Cos(2*math.Pi*hz*float64(i)/float64(rate))
		im += v * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))
		sum += v * v
	}
	n := float64(len(s))
	tone = 2 * math.Hypot(re, im) / n
	return tone, math.Sqrt(max(0, 2*sum/n-tone*tone))
}

func decibel(x float64) float64 { return 20 * math.Log10(x) }

func TestToneKeepsItsLevel(t *testing.T) {
	each(t, func(t *testing.T, from, to int) {
		r := pcm.NewResampler(from, to)
		for _, hz := range []float64{200, 1000, 3000} {
			got := r.Flush(r.Append(nil, tone(hz, 10000, from)))
			loud, rest := level(got, hz, to)
			if d := decibel(loud / 10000); math.Abs(d) > 0.1 {
				t.Errorf("%g Hz is louder by %.2f dB", hz, d)
			}
			if d := decibel(rest / 10000); d > -55 {
				t.Errorf("beside %g Hz there are %.1f dB of something else", hz, d)
			}
		}
	})
}

// What the lower rate can't carry is not heard as something else.
func TestAliasIsSilenced(t *testing.T) {
	for _, c := range []struct {
		from, to int
		hz       float64
	}{{24000, 8000, 4300}, {24000, 8000, 7000}, {24000, 8000, 9000}, {16000, 8000, 4300}, {16000, 8000, 7000}, {24000, 16000, 8600}, {24000, 16000, 11000}} {
		r := pcm.NewResampler(c.from, c.to)
		_, all := level(r.Append(nil, tone(c.hz, 10000, c.from)), 100, c.to)
		if d := decibel(all / 10000); d > -50 {
			t.Errorf("%g Hz from %d to %d Hz is heard with %.1f dB", c.hz, c.from, c.to, d)
		}
	}
}

func TestPiecesOfAnySize(t *testing.T) {
	each(t, func(t *testing.T, from, to int) {
		src := noise(30000)
		r := pcm.NewResampler(from, to)
		want := r.Flush(r.Append(nil, src))
		var got []byte
		for rest := src; len(rest) > 0; {
			n := min(2*rand.IntN(900), len(rest))
			got = r.Append(got, rest[:n])
			rest = rest[n:]
		}
		if got = r.Flush(got); !bytes.Equal(got, want) {
			t.Error("in pieces something else comes out")
		}
	})
}

// Audio comes out as late as Delay says, and no moment of it later.
func TestAsMuchComesOutAsGoesIn(t *testing.T) {
	each(t, func(t *testing.T, from, to int) {
		r := pcm.NewResampler(from, to)
		in, out := from/50*2, to/50*2 // 20 ms
		for range 5 {
			if got := len(r.Append(nil, noise(in))); got != out {
				t.Fatalf("of 20 ms come %d bytes, want %d", got, out)
			}
		}
		if got := len(r.Flush(nil)); got != r.Delay() {
			t.Errorf("Flush returns %d bytes, want %d", got, r.Delay())
		}
		click := make([]byte, in)
		binary.LittleEndian.PutUint16(click, 30000)
		loudest, where := 0.0, 0
		for i, v := range samples(r.Flush(r.Append(nil, click))) {
			if v > loudest {
				loudest, where = v, i
			}
		}
		if where*2 != r.Delay() {
			t.Errorf("a click is late by %d samples, want %d", where, r.Delay()/2)
		}
	})
}

func TestFlushBeginsAnew(t *testing.T) {
	each(t, func(t *testing.T, from, to int) {
		src := noise(5001 * 2)
		r := pcm.NewResampler(from, to)
		first := r.Flush(r.Append(nil, src))
		if again := r.Flush(r.Append(nil, src)); !bytes.Equal(first, again) {
			t.Error("after Flush something else comes out")
		}
		r.Append(nil, noise(999*2))
		r.Reset()
		if again := r.Flush(r.Append(nil, src)); !bytes.Equal(first, again) {
			t.Error("after Reset something else comes out")
		}
	})
}

func TestLoudAudioIsClipped(t *testing.T) {
	var square []byte
	for i := range 8000 {
		v := int16(math.MaxInt16)
		if i/20%2 == 1 {
			v = math.MinInt16
		}
		square = binary.LittleEndian.AppendUint16(square, uint16(v))
	}
	for i, v := range samples(pcm.NewResampler(8000, 16000).Append(nil, square)) {
		if high := (i-32)/40%2 == 0; i > 100 && (i-32)%40 > 8 && (i-32)%40 < 32 && high != (v > 0) {
			t.Fatalf("sample %d is %g", i, v)
		}
	}
}

func TestSameRateCopies(t *testing.T) {
	src := noise(1000)
	r := pcm.NewResampler(16000, 16000)
	if got := r.Flush(r.Append([]byte{7}, src)); !bytes.Equal(got, append([]byte{7}, src...)) || r.Delay() != 0 {
		t.Error("it does not copy")
	}
	r.Reset()
}

func TestResamplingAllocatesNothing(t *testing.T) {
	each(t, func(t *testing.T, from, to int) {
		r, src, dst := pcm.NewResampler(from, to), noise(960), make([]byte, 0, 8000)
		if n := testing.AllocsPerRun(50, func() { r.Flush(r.Append(dst, src)) }); n != 0 {
			t.Errorf("%g allocations", n)
		}
	})
}

func noise(bytes int) []byte {
	b := make([]byte, bytes)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

func TestBytesAndDuration(t *testing.T) {
	if d := pcm.Duration(320, 8000); d != 20*time.Millisecond {
		t.Errorf("320 bytes last %v", d)
	}
	if n := pcm.Bytes(20*time.Millisecond, 24000); n != 960 {
		t.Errorf("20 ms have %d bytes", n)
	}
	for _, rate := range rates {
		for n := 0; n < 10000; n += 2 {
			if got := pcm.Bytes(pcm.Duration(n, rate), rate); got != n {
				t.Fatalf("%d bytes at %d Hz come back as %d", n, rate, got)
			}
		}
	}
}

func BenchmarkResampler(b *testing.B) {
	for _, c := range [][2]int{{24000, 8000}, {16000, 8000}, {8000, 16000}, {24000, 16000}} {
		b.Run(fmt.Sprintf("%dto%d", c[0], c[1]), func(b *testing.B) {
			r, second, dst := pcm.NewResampler(c[0], c[1]), tone(440, 8000, c[0]), make([]byte, 0, 2*c[1]+8)
			b.ReportAllocs()
			for b.Loop() {
				r.Append(dst, second)
			}
		})
	}
}
