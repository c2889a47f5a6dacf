package switchsim

import "slices"

// listen adds a listener to those that hear every channel. What belongs to
// its own channel it is given directly.
func (s *Switch) listen(l *listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.peers, l) {
		s.peers = append(s.peers, l)
		s.npeer.Store(int32(len(s.peers)))
	}
}

func (s *Switch) unlisten(l *listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers = slices.DeleteFunc(s.peers, func(p *listener) bool { return p == l })
	s.npeer.Store(int32(len(s.peers)))
}

// broadcast delivers an event to all listeners but the channel's own, which
// has had it.
func (s *Switch) broadcast(e *event, own *listener) {
	if s.npeer.Load() == 0 {
		return
	}
	s.mu.RLock()
	peers := slices.Clone(s.peers)
	s.mu.RUnlock()
	for _, l := range peers {
		if l != own {
			l.deliver(e)
		}
	}
}
