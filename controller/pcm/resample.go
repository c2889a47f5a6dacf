package pcm

import (
	"encoding/binary"
	"math"
)

const (
	// crossings is how many zero crossings of the lower rate's sinc the filter has on either side
	// of its middle: its delay is as many samples of the lower rate, 2 ms at 8 kHz.
	crossings = 16
	// cutoff is where the filter is at half, as a part of what the lower rate can carry: 3.7 kHz
	// at 8 kHz. It is flat to 3.2 kHz, and down by 60 dB from 4.2 kHz on.
	cutoff = 0.925
	// kaiser is the window's beta, for 60 dB.
	kaiser = 5.65
	// block is how many samples are converted at a time.
	block = 256
)

// Resampler converts audio from one rate to another. It keeps what its filter needs from one Append to
// the next, so that audio in pieces of any size gives the very same samples as in one.
//
// It is made for streams that must not wait: each Append returns as much time as it was given. So
// what comes out is late by [Resampler.Delay], begins with as much silence, and ends with Flush.
// The filter's phase is linear: nothing but that delay happens to a tone that passes.
//
// A Resampler is for one goroutine at a time.
type Resampler struct {
	up, down int         // the ratio of the rates in lowest terms
	taps     [][]float32 // of each of the up phases, oldest sample first
	history  int         // samples before the newest that a tap needs
	samples  []float32   // history, then a block
	at       int         // of the next sample out, in samples in * up, from the block's first
}

// NewResampler returns a Resampler between rates in Hz, of which each is 8000, 16000 or 24000.
// With from == to, it copies.
func NewResampler(from, to int) *Resampler {
	if from == to {
		return &Resampler{}
	}
	g := gcd(from, to)
	r := &Resampler{up: to / g, down: from / g}
	filter := lowpass(max(r.up, r.down))
	r.history = (len(filter) - 1) / r.up
	r.samples = make([]float32, r.history+block)
	for phase := range r.up {
		r.taps = append(r.taps, taps(filter, phase, r.up, r.history+1))
	}
	return r
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// lowpass is a windowed sinc for a rate that is so many times the lower one.
func lowpass(times int) []float64 {
	middle := crossings * times
	h := make([]float64, 2*middle+1)
	for i := range h {
		x := float64(i-middle) / float64(times) // in samples of the lower rate
		edge := float64(i-middle) / float64(middle)
		h[i] = sinc(cutoff*x) * bessel(kaiser*math.Sqrt(1-edge*edge))
	}
	return h
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel is the modified Bessel function of the first kind, of order 0.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-12; k++ {
		term *= x / (2 * k) * x / (2 * k)
		sum += term
	}
	return sum
}

// taps is every up-th value of the filter from phase on, backwards, made to have a sum of 1: so
// each phase has the same gain.
func taps(filter []float64, phase, up, n int) []float32 {
	sum := 0.0
	for i := phase; i < len(filter); i += up {
		sum += filter[i]
	}
	t := make([]float32, n)
	for j := range t {
		if i := phase + j*up; i < len(filter) {
			t[n-1-j] = float32(filter[i] / sum)
		}
	}
	return t
}

// Append converts src, which is whole samples, and appends what comes out to dst: len(src) times
// the ratio of the rates, to within a sample.
func (r *Resampler) Append(dst, src []byte) []byte {
	if r.up == 0 {
		return append(dst, src...)
	}
	for len(src) >= 2 {
		n := min(len(src)/2, block)
		for i := range n {
			r.samples[r.history+i] = float32(int16(binary.LittleEndian.Uint16(src[2*i:])))
		}
		dst = r.convert(dst, n)
		src = src[2*n:]
	}
	return dst
}

// convert appends what the block's first n samples make.
func (r *Resampler) convert(dst []byte, n int) []byte {
	for ; r.at < n*r.up; r.at += r.down {
		newest := r.at / r.up
		dst = binary.LittleEndian.AppendUint16(dst, uint16(round(dot(r.taps[r.at%r.up], r.samples[newest:]))))
	}
	r.at -= n * r.up
	copy(r.samples, r.samples[n:n+r.history])
	return dst
}

// dot is the sum of the taps' products with samples, in four sums, which a processor adds at once.
func dot(taps, samples []float32) float32 {
	samples = samples[:len(taps)]
	var a, b, c, d float32
	i := 0
	for ; i+4 <= len(taps); i += 4 {
		a += taps[i] * samples[i]
		b += taps[i+1] * samples[i+1]
		c += taps[i+2] * samples[i+2]
		d += taps[i+3] * samples[i+3]
	}
	for ; i < len(taps); i++ {
		a += taps[i] * samples[i]
	}
	return a + b + (c + d)
}

// round is the nearest sample; what is too loud is clipped.
func round(x float32) int16 {
	switch {
	case x >= math.MaxInt16:
		return math.MaxInt16
	case x <= math.MinInt16:
		return math.MinInt16
	case x < 0:
		return int16(x - 0.5)
	}
	return int16(x + 0.5)
}

// Delay is by how many bytes what comes out is late.
func (r *Resampler) Delay() int {
	if r.up == 0 {
		return 0
	}
	return 2 * crossings * max(r.up, r.down) / r.down
}

// Flush appends what the filter still holds, Delay bytes of it, to dst. What is appended after it begins anew.
func (r *Resampler) Flush(dst []byte) []byte {
	if r.up == 0 {
		return dst
	}
	end := len(dst) + r.Delay()
	for len(dst) < end {
		clear(r.samples[r.history:])
		dst = r.convert(dst, block)
	}
	r.Reset()
	return dst[:end]
}

// Reset forgets what the filter holds.
func (r *Resampler) Reset() {
	clear(r.samples)
	r.at = 0
}
