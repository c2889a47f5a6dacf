package track

import (
	"encoding/binary"
	"math"

	"tapdeck/wav"
)

const (
	// FloorDBFS stands for no signal at all; the least that 16 bits can hold, a
	// constant 1, is -90.3.
	FloorDBFS = -100
	fullScale = 32768
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

func (c *channel) rmsDBFS() float64 {
	mean := float64(c.squares) / float64(max(c.samples, 1))
	return max(10*math.Log10(mean/(fullScale*fullScale)), FloorDBFS)
}

// digitalSilence says that no sample was anything but 0 or -1, which is what the switch streams
// for a caller that sends no RTP (F48).
func (c *channel) digitalSilence() bool { return c.samples > 0 && c.low >= -1 && c.top <= 0 }

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
	return c.rmsDBFS()
}

func (e *energy) peakDBFS() float64 {
	c := e.both()
	peak := max(-int32(c.low), int32(c.top))
	return max(20*math.Log10(float64(peak)/fullScale), FloorDBFS)
}

// levelMeter measures a recording's audio as it comes, in windows of 20 ms.
type levelMeter struct {
	stereo bool
	total  energy
	recent energy // since the last RecentLevel

	windowBytes int
	remaining   int    // bytes until the window is whole
	current     energy // of the window
	voice
}

func newLevelMeter(f wav.Format) levelMeter {
	n := int(f.Frames(window)) * f.FrameBytes()
	return levelMeter{stereo: f.Channels == 2, windowBytes: n, remaining: n, voice: newVoice()}
}

func (m *levelMeter) measure(pcm []byte) {
	for len(pcm) > 0 {
		n := min(len(pcm), m.remaining)
		if m.stereo {
			m.current.add(energy{sumChannel(pcm[:n], 2), sumChannel(pcm[2:n], 2)})
		} else {
			m.current.add(energy{caller: sumChannel(pcm[:n], 1)})
		}
		pcm = pcm[n:]
		if m.remaining -= n; m.remaining == 0 {
			m.closeWindow()
		}
	}
}

func (m *levelMeter) closeWindow() {
	m.total.add(m.current)
	m.recent.add(m.current)
	m.voice.add(m.current.caller)
	m.current, m.remaining = energy{}, m.windowBytes
}

// sum returns what all audio so far sums up to, the unfinished window included.
func (m *levelMeter) sum() energy {
	e := m.total
	e.add(m.current)
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
