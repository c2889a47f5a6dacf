// Package audio makes what is heard in a simulated call: the caller's voice, what
// the switch plays, and the mix of both that a stream carries. No frame is
// stored: any 20 ms of any stream can be made again.
//
// It starts no goroutine. Voices may be shared by any number of calls.
package audio

import (
	"encoding/binary"
	"math"
	"time"
)

// Mix is all that the audio of one stream is made of.
type Mix struct {
	// Voice is the caller's; nil is a caller without RTP.
	Voice *Voice
	// Said is what the caller says instead of Voice, at its time; Played what the switch
	// plays. Either may be nil.
	Said, Played *Playlist
	// Syncs are when nothing that the caller says is in it; nil is never.
	Syncs *Syncs
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

// Both says whether it has both directions of the call.
func (m *Mix) Both() bool { return m.Kind != "mono" }

// FrameBytes is the size of one 20 ms frame.
func (m *Mix) FrameBytes() int { return m.Rate / 50 * 2 * m.Channels() }

// Frame writes media frame k into dst, which has FrameBytes bytes.
func (m *Mix) Frame(dst []byte, k int64) {
	n := int64(m.Rate / 50)
	first := k * n
	said, speaks := m.Said.At(k)
	lost := m.Syncs.At(k)
	if m.Kind == "mono" && lost {
		clear(dst)
		return
	}
	if m.Kind == "mono" && !speaks {
		m.mono(dst, first, n)
		return
	}
	if m.Kind == "mono" {
		said.Frame(dst, k, m.Rate)
		return
	}
	playing, plays := m.Played.At(k)
	for i := range n {
		left, right := int16(0), int16(0)
		switch {
		case lost:
		case speaks:
			left = said.Sound.sample(first+i-(said.From-said.Skip)*n, m.Rate)
		default:
			left = m.Voice.sampleAt(first+i, m.Rate)
		}
		if plays {
			right = playing.Sound.sample(first+i-(playing.From-playing.Skip)*n, m.Rate)
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

func clip(s int32) int16 {
	return int16(max(math.MinInt16, min(math.MaxInt16, s)))
}

// FrameDuration is the media frame of every call.
const FrameDuration = 20 * time.Millisecond

// Frames returns how many whole media frames d has.
func Frames(d time.Duration) int64 { return int64(d / FrameDuration) }

// FramesOf returns how many media frames it takes to play d, the last one maybe not full.
func FramesOf(d time.Duration) int64 { return int64((d + FrameDuration - 1) / FrameDuration) }
