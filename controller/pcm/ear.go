package pcm

import "time"

// Ear is a recording's audio while it grows. It is read by one goroutine.
type Ear interface {
	// Ready delivers a value after there is something to read; capacity 1. Several may make one
	// value, so read until Read returns a zero Sound.
	Ready() <-chan struct{}
	// Read copies what has come into p, in whole samples of every channel, and never waits. A zero Sound says
	// that there is nothing now; io.EOF is the end of the recording, and what follows Close.
	Read(p []byte) (Sound, error)
	// Close gives the ear back. It may be called at any time, more than once.
	Close()
}

// Sound is a stretch of the recording: audio, or a gap.
type Sound struct {
	// At is the position in the recording of its begin.
	At time.Duration
	// Bytes is how much was copied: 16-bit little-endian, the samples of two channels in turns.
	Bytes int
	// Gap, if positive, is silence that stands for audio that never came, or that this reader was too slow
	// for: as much as Dropped. Bytes is 0 then.
	Gap, Dropped time.Duration
}
