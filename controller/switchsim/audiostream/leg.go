package audiostream

import (
	"time"

	"tapdeck/controller/switchsim/audio"
)

// callRate is the rate, in Hz, of the codec with which a call begins.
const callRate = 8000

// Leg is what the caller's leg of the call does to the frames of its streams. The zero value
// is a codec of 8000 Hz in packets of 20 ms, never on hold.
type Leg struct {
	// Holds are when the call is held: no frames come (F49, F106).
	Holds []Hold
	// Codecs are the changes of its codec, in order (F50, F107).
	Codecs []Codec
	// PacketTime is the audio in one of the caller's packets: 20, 30, 40 or 60 ms; 0 is 20 (F51, F108).
	PacketTime time.Duration
}

// Hold is a time on hold, counted from the moment media began.
type Hold struct{ From, To time.Duration }

// Codec is a change of the codec at a time, counted from the moment media began, to one with
// another rate in Hz.
type Codec struct {
	At   time.Duration
	Rate int
}

// plain says that it changes nothing.
func (l *Leg) plain() bool {
	return len(l.Holds) == 0 && len(l.Codecs) == 0 && l.PacketTime <= audio.FrameDuration
}

// Held says whether media frame k is not there, since the call is held.
func (l *Leg) Held(k int64) bool {
	at := time.Duration(k) * audio.FrameDuration
	for _, h := range l.Holds {
		if at >= h.From && at < h.To {
			return true
		}
	}
	return false
}

// Rate is the codec's rate in media frame k.
func (l *Leg) Rate(k int64) int {
	rate := callRate
	for _, c := range l.Codecs {
		if time.Duration(k)*audio.FrameDuration >= c.At {
			rate = c.Rate
		}
	}
	return rate
}

// streamed is the rate at which a stream that was started in frame first for a rate brings
// frame k: its resampler, or that there is none, stays as it was then (F50). What the resampler
// makes too much of is cut off (F107).
func (l *Leg) streamed(first, k int64, rate int) int {
	began, now := l.Rate(first), l.Rate(k)
	if began == rate {
		return now
	}
	return min(rate, rate*now/began)
}

// lost says whether the module loses frame k of a stream with a message of so many frames: its
// buffer is sent only if it is full to the last byte, and what does not fit into it is cut off
// (F108).
func (l *Leg) lost(k, frames int64, resampled bool) bool {
	packet, buffer := l.PacketTime, time.Duration(frames)*audio.FrameDuration
	switch {
	case packet <= audio.FrameDuration || frames == 1 && !resampled:
		return false
	case !resampled:
		return buffer%packet != 0
	}
	cycle := (buffer + packet - 1) / packet * packet
	if cycle%audio.FrameDuration != 0 {
		cycle, buffer = 2*cycle, 2*buffer
	}
	return time.Duration(k)*audio.FrameDuration%cycle >= buffer
}
