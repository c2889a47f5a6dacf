package agent

import "sync"

const (
	// readNotices is how many notices may wait before the bot is no longer read.
	readNotices = 1024
	// maxNotices bounds them: the marks that wait for a clear come back all at once.
	maxNotices = 16 << 10
)

// notices is what the bot is to be told beside audio, in order. It is safe for concurrent use.
type notices struct {
	wake chan struct{} // something waits
	room chan struct{} // what waited was fetched

	mu      sync.Mutex // protects the following
	waiting []notice
}

func newNotices() *notices {
	return &notices{wake: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// add returns false if too many wait.
func (q *notices) add(n notice) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= maxNotices {
		return false
	}
	q.waiting = append(q.waiting, n)
	signal(q.wake)
	return true
}

// fetch returns all that waits. spare is what it has returned before, and is used again.
func (q *notices) fetch(spare []notice) []notice {
	q.mu.Lock()
	defer q.mu.Unlock()
	if cap(spare) > readNotices {
		spare = nil
	}
	clear(spare)
	all := q.waiting
	q.waiting = spare[:0]
	signal(q.room)
	return all
}

// full says that the bot should not be read before there is room.
func (q *notices) full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) >= readNotices
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
