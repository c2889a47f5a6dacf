package sink

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// noticeEvery is the least time between two log lines of one kind.
	noticeEvery = time.Second
	// maxNotices bounds the kinds that are of a call; beyond, calls share theirs.
	maxNotices = 4096
)

// notices keeps log lines that strangers can cause to one a second and kind.
type notices struct {
	mu    sync.Mutex
	kinds map[noticeKind]*notice
}

// noticeKind is a reason of a closed list, and the call it is about, if that is known.
type noticeKind struct{ reason, call string }

type notice struct {
	last    time.Time
	skipped int
}

// permit says whether a line of a kind may be written now, and how many were left
// out since the last one.
func (n *notices) permit(kind noticeKind) (skipped int, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.kinds == nil {
		n.kinds = map[noticeKind]*notice{}
	}
	if n.kinds[kind] == nil && len(n.kinds) >= maxNotices {
		kind.call = ""
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

// take forgets the kinds that match and returns how many lines of each were left out.
func (n *notices) take(match func(noticeKind) bool) map[noticeKind]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	skipped := map[noticeKind]int{}
	maps.DeleteFunc(n.kinds, func(kind noticeKind, k *notice) bool {
		if match(kind) && k.skipped > 0 {
			skipped[kind] = k.skipped
		}
		return match(kind)
	})
	return skipped
}

// flushCall tells how much was left out of a call's story, which is over.
func (s *Sink) flushCall(id string) {
	s.tellSkipped(s.notices.take(func(k noticeKind) bool { return k.call == id }))
}

// flushNotices tells how much was left out, at the end.
func (s *Sink) flushNotices() {
	s.tellSkipped(s.notices.take(func(noticeKind) bool { return true }))
}

func (s *Sink) tellSkipped(skipped map[noticeKind]int) {
	byName := func(a, b noticeKind) int { return strings.Compare(a.reason+a.call, b.reason+b.call) }
	for _, kind := range slices.SortedFunc(maps.Keys(skipped), byName) {
		fields := []zap.Field{
			zap.String("cause", kind.reason), zap.Int("skipped", skipped[kind]),
			zap.String("hint", "see the lines before of the same cause"),
		}
		if kind.call != "" {
			fields = append(fields, zap.String("call", kind.call))
		}
		s.log.Warn("more of the same was left out", fields...)
	}
}
