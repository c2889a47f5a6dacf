package track

import (
	"encoding/binary"
	"math"
	"math/bits"
	"time"

	"tapdeck/wav"
)

const (
	// FloorDBFS stands for no signal at all; the least that 16 bits can hold, a
	// constant 1, is -90.3.
	FloorDBFS = -100
	fullScale = 32768

	// A window is loud above about -40 dBFS; three loud ones within ten are speech.
	loudMeanSquare = 0.01 * 0.01 * fullScale * fullScale
	window         = 20 * time.Millisecond
	speechMask     = 1<<10 - 1
	speechWindows  = 3
)

// energy is what a stretch of PCM sums up to.
type energy struct {
	squares  uint64 // of all samples
	samples  int64
	peak     int32 // greatest magnitude
	caller   uint64
	callers  int64 // samples of the caller's channel, which is the first
	low, top int16 // range of the caller's channel
}

func (e *energy) add(o energy) {
	if o.samples == 0 {
		return
	}
	if e.samples == 0 {
		e.low, e.top = o.low, o.top
	}
	e.squares += o.squares
	e.samples += o.samples
	e.caller += o.caller
	e.callers += o.callers
	e.peak = max(e.peak, o.peak)
	e.low, e.top = min(e.low, o.low), max(e.top, o.top)
}

func (e *energy) rmsDBFS() float64 { return meanDBFS(e.squares, e.samples) }

func (e *energy) peakDBFS() float64 {
	if e.peak == 0 {
		return FloorDBFS
	}
	return 20 * math.Log10(float64(e.peak)/fullScale)
}

// digitalSilence says that no sample of the caller was anything but 0 or -1, which is
// what the switch streams for a caller that sends no RTP.
func (e *energy) digitalSilence() bool {
	return e.samples > 0 && e.low >= -1 && e.top <= 0
}

func meanDBFS(squares uint64, samples int64) float64 {
	if squares == 0 || samples == 0 {
		return FloorDBFS
	}
	mean := float64(squares) / float64(samples)
	return max(10*math.Log10(mean/(fullScale*fullScale)), FloorDBFS)
}

// measure sums up whole frames of PCM.
func measure(pcm []byte, channels int) energy {
	if channels == 2 {
		return measureStereo(pcm)
	}
	e := energy{low: math.MaxInt16, top: math.MinInt16}
	for ; len(pcm) >= 2; pcm = pcm[2:] {
		v := int16(binary.LittleEndian.Uint16(pcm))
		e.low, e.top = min(e.low, v), max(e.top, v)
		e.squares += uint64(int64(v) * int64(v))
		e.samples++
	}
	e.caller, e.callers = e.squares, e.samples
	e.peak = max(-int32(e.low), int32(e.top), 0)
	return e
}

func measureStereo(pcm []byte) energy {
	e := energy{low: math.MaxInt16, top: math.MinInt16}
	low, top := e.low, e.top
	for ; len(pcm) >= 4; pcm = pcm[4:] {
		left := int16(binary.LittleEndian.Uint16(pcm))
		right := int16(binary.LittleEndian.Uint16(pcm[2:]))
		e.low, e.top = min(e.low, left), max(e.top, left)
		low, top = min(low, right), max(top, right)
		e.caller += uint64(int64(left) * int64(left))
		e.squares += uint64(int64(right) * int64(right))
		e.callers++
	}
	e.squares += e.caller
	e.samples = 2 * e.callers
	e.peak = max(-int32(min(e.low, low)), int32(max(e.top, top)), 0)
	return e
}

// levelMeter measures a recording's audio as it comes, in windows of 20 ms.
type levelMeter struct {
	format wav.Format
	total  energy
	recent energy // since the last recentDBFS

	// The caller's voice, one window at a time.
	windowBytes int
	remaining   int    // bytes until the window is whole
	loud        energy // of the window
	history     uint16 // one bit per window, 1 is loud
	spoken      bool
	quiet       int // windows since the caller's last speech
}

func newLevelMeter(f wav.Format) levelMeter {
	n := int(f.Frames(window)) * f.FrameBytes()
	return levelMeter{format: f, windowBytes: n, remaining: n}
}

// add measures whole frames.
func (m *levelMeter) add(pcm []byte) {
	for len(pcm) > 0 {
		n := min(len(pcm), m.remaining)
		e := measure(pcm[:n], m.format.Channels)
		m.loud.add(e)
		pcm = pcm[n:]
		if m.remaining -= n; m.remaining == 0 {
			m.closeWindow()
		}
	}
}

func (m *levelMeter) closeWindow() {
	e := m.loud
	m.total.add(e)
	m.recent.add(e)
	m.loud, m.remaining = energy{}, m.windowBytes
	m.history <<= 1
	m.quiet++
	if float64(e.caller) <= loudMeanSquare*float64(e.callers) {
		return
	}
	m.history |= 1
	if bits.OnesCount16(m.history&speechMask) >= speechWindows {
		m.spoken, m.quiet = true, 0
	}
}

// sum returns what all audio so far sums up to, the unfinished window included.
func (m *levelMeter) sum() energy {
	e := m.total
	e.add(m.loud)
	return e
}

// recentDBFS returns the level of what came since the last call, and whether there
// was a whole window of it.
func (m *levelMeter) recentDBFS() (dbfs float64, ok bool) {
	if m.recent.samples == 0 {
		return 0, false
	}
	dbfs = m.recent.rmsDBFS()
	m.recent = energy{}
	return dbfs, true
}

// forgetVoice forgets the caller's speech.
func (m *levelMeter) forgetVoice() { m.history, m.spoken, m.quiet = 0, false, 0 }

// quietFor says whether the caller has spoken and has then been quiet for d.
func (m *levelMeter) quietFor(d time.Duration) bool {
	return m.spoken && time.Duration(m.quiet)*window >= d
}
