package dialer

import (
	"math/rand/v2"
	"time"
)

const (
	firstPause = 200 * time.Millisecond
	maxPause   = 5 * time.Second
	// proven is how long a connection lasts before the attempts are counted anew.
	proven = 30 * time.Second
)

// Backoff counts the attempts to reach a peer again that is lost. The zero value is ready.
type Backoff struct{ attempts int }

// Next is the next attempt, counted from 1, and the pause before it: from 0.2 s, twice as long each time, to 5 s, and up
// to a fifth more, so that those who lost one peer don't come back at once. lasted is how long the connection was there, 0 if
// there was none; after 30 s the attempts are counted anew.
func (b *Backoff) Next(lasted time.Duration) (attempt int, pause time.Duration) {
	if lasted >= proven {
		b.attempts = 0
	}
	pause = min(firstPause<<min(b.attempts, 10), maxPause)
	pause += time.Duration(rand.Int64N(int64(pause / 5)))
	b.attempts++
	return b.attempts, pause
}

// Pause waits for d. It returns false, at once, if ended is closed before.
func Pause(d time.Duration, ended <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ended:
		return false
	}
}
