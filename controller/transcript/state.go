package transcript

import (
	"slices"
	"time"
)

// State is what has happened so far.
type State struct {
	// Connected says that there is a connection now.
	Connected bool
	// Connects counts the connections that were made, Reconnects those of them that came after a loss.
	Connects, Reconnects int
	// WrongMessages counts the messages that were not as they should be.
	WrongMessages int
	// Err is why the service was lost last, nil if it never was; Hint says what to do about it.
	Err  error
	Hint string
	// GivenUp says that it is not dialled any more.
	GivenUp bool
	// Missing is audio that the service has not answered for good, in whole ms. While the session goes on that is
	// also what it has just been sent.
	Missing time.Duration
}

// State is what has happened so far.
func (s *Session) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.state
	state.Missing = s.config.duration(max(s.source.came.Load()-s.answered, 0)).Round(time.Millisecond)
	return state
}

// News returns the segments that have come since the last call, in order: all final ones, and of
// those that may still change the latest of each channel.
func (s *Session) News() []Segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	news := s.news
	s.news = nil
	for i, interim := range s.interim {
		if interim != nil {
			news = append(news, *interim)
			s.interim[i] = nil
		}
	}
	return news
}

// say adds a segment to News. Beyond maxNews it drops a final one and returns false.
func (s *Session) say(channel int, segment Segment) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !segment.Final {
		s.interim[channel] = &segment
	} else {
		if len(s.news) >= maxNews {
			return false
		}
		s.news = append(s.news, segment)
		s.final[channel] = segment.To
		s.interim[channel] = nil // it came before this
	}
	signal(s.changed)
	return true
}

// finalTo is where the final words of each channel end.
func (s *Session) finalTo() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.final)
}

// maxNews is how many final segments may wait for the call.
const maxNews = 1000

func (s *Session) update(f func(*State)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.state)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
