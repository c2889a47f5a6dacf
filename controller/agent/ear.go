package agent

import "time"

// Ear is the caller's audio, live. It is read by one goroutine.
type Ear interface {
	// Ready delivers a value after there is something to read; capacity 1. Several may make one
	// value, so read until Read returns a zero Sound.
	Ready() <-chan struct{}
	// Read copies what has come into p, in whole samples, and never waits. A zero Sound says
	// that there is nothing now; io.EOF is the end of the recording, and what follows Close.
	Read(p []byte) (Sound, error)
	// Close gives the ear back. It may be called at any time, more than once.
	Close()
}

// Sound is a stretch of the recording: audio, or a gap.
type Sound struct {
	// At is the position in the recording of its begin.
	At time.Duration
	// Bytes is how much was copied: 16-bit little-endian mono at Config.Rate.
	Bytes int
	// Gap, if positive, is silence in the recording that stands for audio that never came or,
	// if Dropped, that this reader was too slow for. Bytes is 0 then.
	Gap     time.Duration
	Dropped bool
}

// Mouth is what the caller hears: the call's player. Its methods may be called from any
// goroutine, and none waits.
type Mouth interface {
	// Play queues 16-bit little-endian mono PCM at 8000, 16000 or 24000 Hz. It copies pcm.
	Play(pcm []byte, rate int)
	// Mark has done called once, when all that was queued before it has been heard, or at once
	// with cleared if it never will be.
	Mark(done func(cleared bool))
	// Clear drops all that has not been heard.
	Clear()
}
