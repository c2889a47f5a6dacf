package player

import "time"

const (
	// quiet is how long a bot that speaks in real time sends nothing at most: after it, there is no more to come.
	quiet = 60 * time.Millisecond
	// lateHandover is handover of chunks that are to be long: their naming takes 64 ms at most (F166).
	lateHandover = 80 * time.Millisecond
)

// mayLead says that what waits may wait for more, since Config.Lead is to be had, and until when it may.
// Before an utterance, that is until there is as much, the bot sends nothing more, or it has marked the end. Within
// one, it is until the next chunk has to be cut, so that it is as long as it can be.
func (p *Player) mayLead(now time.Time) bool {
	n, more := p.queue.audio(p.bytes(longest))
	begun := p.speaking()
	if p.cfg.Lead == 0 || more || n >= p.bytes(longest) || !begun && (n >= p.bytes(p.cfg.Lead) || p.marked()) {
		return false
	}
	due := p.freshAt.Add(quiet)
	if begun {
		due = p.endsAt.Add(-lateHandover)
	}
	if !now.Before(due) {
		return false
	}
	p.moreBy = due
	return true
}

// marked says whether a mark is behind the audio that waits, or within it.
func (p *Player) marked() bool { return p.marksUpTo(p.queue.begin()) < len(p.marks) }
