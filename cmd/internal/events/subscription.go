package events

import "sync"

// Subscription is what one subscriber is sent. One goroutine reads it, and Close must follow.
type Subscription struct {
	bus    *Bus
	filter Filter
	ready  chan struct{}

	forgotten bool

	mu      sync.Mutex // protects the following
	waiting queue
	dropped int
}

// Ready receives once after events have come: then Next must be called until it returns none.
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Forgotten says that events after the one that Subscribe was given are not kept any more.
func (s *Subscription) Forgotten() bool { return s.forgotten }

// Next returns the oldest event that waits, nil if none does, and how many before it were dropped
// because the subscriber was slow.
func (s *Subscription) Next() (e *Event, dropped int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, dropped = s.waiting.pop(), s.dropped
	s.dropped = 0
	return e, dropped
}

// Close ends the subscription. What waits is given up.
func (s *Subscription) Close() {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	delete(s.bus.subscriptions, s)
}

// push never waits: the oldest that waits makes room.
func (s *Subscription) push(e *Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting.push(e)
	for s.waiting.exceeds(maxWaiting, maxWaitingBytes) {
		s.waiting.pop()
		s.dropped++
		s.bus.dropped.Inc()
	}
	select {
	case s.ready <- struct{}{}:
	default:
	}
}
