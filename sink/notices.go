package sink

import (
	"sync"
	"time"
)

// noticeEvery is the least time between two log lines of one kind.
const noticeEvery = time.Second

// notices keeps log lines that strangers can cause to one a second and kind.
type notices struct {
	mu    sync.Mutex
	kinds map[string]*notice // of a closed list of kinds
}

type notice struct {
	last    time.Time
	skipped int
}

// permit says whether a line of a kind may be written now, and how many were left
// out since the last one.
func (n *notices) permit(kind string) (skipped int, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.kinds == nil {
		n.kinds = map[string]*notice{}
	}
	k := n.kinds[kind]
	if k == nil {
		k = &notice{}
		n.kinds[kind] = k
	}
	if now := time.Now(); k.last.IsZero() || now.Sub(k.last) >= noticeEvery {
		skipped, k.last, k.skipped = k.skipped, now, 0
		return skipped, true
	}
	k.skipped++
	return 0, false
}
