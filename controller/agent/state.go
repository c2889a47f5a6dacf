package agent

import (
	"maps"
	"sync"
	"time"
)

// State is what has happened so far.
type State struct {
	// Connected says that there is a connection now.
	Connected bool
	// Connects counts the connections that were made, Reconnects those of them that came after a loss.
	Connects, Reconnects int
	// FirstConnected and FirstAudio are when the first connection and the bot's first audio came; zero if they have not.
	FirstConnected, FirstAudio time.Time
	// Frames counts the frames of 20 ms that were sent.
	Frames int
	// Dropped is the caller's audio that the bot was too slow for, or that came while there was no connection.
	Dropped time.Duration
	// BargeIns counts the calls of BargeIn, Clears the bot's own clears.
	BargeIns, Clears int
	// Wrong counts the messages that were not as they should be, by kind.
	Wrong map[string]int
}

// WrongMessages is the sum of Wrong.
func (s State) WrongMessages() (n int) {
	for _, count := range s.Wrong {
		n += count
	}
	return n
}

// shared is the state, safe for concurrent use.
type shared struct {
	mu    sync.Mutex
	state State
}

func (s *shared) update(f func(*State)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.state)
}

func (s *shared) load() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.state
	state.Wrong = maps.Clone(s.state.Wrong)
	return state
}
