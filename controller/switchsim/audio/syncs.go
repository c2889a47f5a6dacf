package audio

import (
	"slices"
	"sync"
)

// syncFrames is how many frames of the caller's audio a sync throws away (F155).
const syncFrames = 2

// Syncs are when the switch throws away what it has of the caller: two frames each, which are silence in every
// stream. Its methods are safe for concurrent use; nil has none.
type Syncs struct {
	mu    sync.Mutex
	begun []int64 // their first frames, in order
}

// Add notes one that begins in a frame, or with the latest one if that is later. No frame from there on may
// have been read.
func (s *Syncs) Add(frame int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.begun); n > 0 {
		frame = max(frame, s.begun[n-1])
	}
	s.begun = append(s.begun, frame)
}

// At says whether media frame k was thrown away.
func (s *Syncs) At(k int64) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	after, _ := slices.BinarySearch(s.begun, k+1)
	return after > 0 && k-s.begun[after-1] < syncFrames
}
