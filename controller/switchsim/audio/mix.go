// Package audio makes what is heard in a simulated call: the caller's voice, what
// the switch plays, and the mix of both that a stream carries. Nothing of it is
// stored: any 20 ms of any stream can be made again.
//
// It starts no goroutine. Voices may be shared by any number of calls.
package audio

import (
	"encoding/binary"
	"math"
	"time"
)

// Played is one thing that the switch played to the caller.
type Played struct {
	// Source is the tone_stream or file.
	Source string
	// From and To are media frames of 20 ms since media began; To is -1 while
	// it is being played.
	From, To int64
	// Sound is how it sounds.
	Sound Sound
}

// Mix is all that the audio of one stream is made of.
type Mix struct {
	// Voice is the caller's; nil is a caller without RTP.
	Voice *Voice
	// Played is what the switch plays, in the order in which it began.
	Played []Played
	// Kind is "mono", "mixed" or "stereo" (F46), Rate in Hz.
	Kind string
	Rate int
}

// Channels returns 1 or 2.
func (m *Mix) Channels() int {
	if m.Kind == "stereo" {
		return 2
	}
	return 1
}

// FrameBytes is the size of one 20 ms frame.
func (m *Mix) FrameBytes() int { return m.Rate / 50 * 2 * m.Channels() }

// Frame writes media frame k into dst, which has FrameBytes bytes.
func (m *Mix) Frame(dst []byte, k int64) {
	n := int64(m.Rate / 50)
	first := k * n
	if m.Kind == "mono" {
		m.mono(dst, first, n)
		return
	}
	playing := m.At(k)
	for i := range n {
		left, right := m.Voice.sampleAt(first+i, m.Rate), int16(0)
		if playing != nil {
			right = playing.Sound.sample(first+i-playing.From*n, m.Rate)
		}
		if m.Kind == "stereo" {
			binary.LittleEndian.PutUint16(dst[4*i:], uint16(left))
			binary.LittleEndian.PutUint16(dst[4*i+2:], uint16(right))
			continue
		}
		binary.LittleEndian.PutUint16(dst[2*i:], uint16(clip(int32(left)+int32(right))))
	}
}

// mono is the hot path of load: the caller alone, mostly at his own rate.
func (m *Mix) mono(dst []byte, first, n int64) {
	if v := m.Voice; v != nil && v.Rate == m.Rate && len(v.PCM) > 0 {
		at := first
		if v.Loop {
			at %= int64(len(v.PCM))
		}
		if at+n <= int64(len(v.PCM)) {
			for i, s := range v.PCM[at : at+n] {
				binary.LittleEndian.PutUint16(dst[2*i:], uint16(s))
			}
			return
		}
	}
	for i := range n {
		binary.LittleEndian.PutUint16(dst[2*i:], uint16(m.Voice.sampleAt(first+i, m.Rate)))
	}
}

// At returns what plays during frame k: the latest begun, as nested playbacks
// are heard (F19); nil is nothing.
func (m *Mix) At(k int64) *Played {
	for i := len(m.Played) - 1; i >= 0; i-- {
		if p := &m.Played[i]; p.From <= k && (p.To < 0 || k < p.To) {
			return p
		}
	}
	return nil
}

func clip(s int32) int16 {
	return int16(max(math.MinInt16, min(math.MaxInt16, s)))
}

// FrameDuration is the media frame of every call.
const FrameDuration = 20 * time.Millisecond

// Frames returns how many whole media frames d has.
func Frames(d time.Duration) int64 { return int64(d / FrameDuration) }
