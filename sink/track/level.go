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

// channel is what one channel of a stretch of PCM sums up to.
type channel struct {
	squares  uint64
	samples  int64
	low, top int16 // at most and at least 0
}

// sumChannel sums up every step-th sample of PCM, from the first on.
func sumChannel(pcm []byte, step int) channel {
	var c channel
	for at := 0; at < len(pcm)-1; at += 2 * step {
		v := int16(binary.LittleEndian.Uint16(pcm[at:]))
		c.low, c.top = min(c.low, v), max(c.top, v)
		c.squares += uint64(int64(v) * int64(v))
		c.samples++
	}
	return c
}

func (c *channel) add(o channel) {
	c.squares += o.squares
	c.samples += o.samples
	c.low, c.top = min(c.low, o.low), max(c.top, o.top)
}

// energy is what a stretch of PCM sums up to. The caller's channel is the first.
type energy struct{ caller, other channel }

func (e *energy) add(o energy) {
	e.caller.add(o.caller)
	e.other.add(o.other)
}

// both returns what both channels sum up to.
func (e *energy) both() channel {
	c := e.caller
	c.add(e.other)
	return c
}

func (e *energy) rmsDBFS() float64 {
	c := e.both()
	mean := float64(c.squares) / float64(max(c.samples, 1))
	return max(10*math.Log10(mean/(fullScale*fullScale)), FloorDBFS)
}

func (e *energy) peakDBFS() float64 {
	c := e.both()
	peak := max(-int32(c.low), int32(c.top))
	return max(20*math.Log10(float64(peak)/fullScale), FloorDBFS)
}

// digitalSilence says that no sample of the caller was anything but 0 or -1, which is
// what the switch streams for a caller that sends no RTP (F48).
func (e *energy) digitalSilence() bool {
	return e.caller.samples > 0 && e.caller.low >= -1 && e.caller.top <= 0
}

// levelMeter measures a recording's audio as it comes, in windows of 20 ms.
type levelMeter struct {
	stereo bool
	total  energy
	recent energy // since the last RecentLevel

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
	return levelMeter{stereo: f.Channels == 2, windowBytes: n, remaining: n}
}

func (m *levelMeter) measure(pcm []byte) {
	for len(pcm) > 0 {
		n := min(len(pcm), m.remaining)
		if m.stereo {
			m.loud.add(energy{sumChannel(pcm[:n], 2), sumChannel(pcm[2:n], 2)})
		} else {
			m.loud.add(energy{caller: sumChannel(pcm[:n], 1)})
		}
		pcm = pcm[n:]
		if m.remaining -= n; m.remaining == 0 {
			m.closeWindow()
		}
	}
}

func (m *levelMeter) closeWindow() {
	caller := m.loud.caller
	m.total.add(m.loud)
	m.recent.add(m.loud)
	m.loud, m.remaining = energy{}, m.windowBytes
	m.history <<= 1
	m.quiet++
	if float64(caller.squares) <= loudMeanSquare*float64(caller.samples) {
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

// RecentLevel returns the level, in dBFS, of what came since the last call, and whether
// there was a whole window of 20 ms.
func (m *levelMeter) RecentLevel() (dbfs float64, ok bool) {
	if m.recent.caller.samples == 0 {
		return 0, false
	}
	dbfs = m.recent.rmsDBFS()
	m.recent = energy{}
	return dbfs, true
}

// ForgetVoice makes QuietFor begin anew.
func (m *levelMeter) ForgetVoice() { m.history, m.spoken, m.quiet = 0, false, 0 }

// QuietFor says whether the caller has spoken since ForgetVoice and has then been quiet
// for d of audio.
func (m *levelMeter) QuietFor(d time.Duration) bool {
	return m.spoken && time.Duration(m.quiet)*window >= d
}
