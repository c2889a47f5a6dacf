package player

import (
	"time"

	"go.uber.org/zap"
)

// Completion is what a CHANNEL_EXECUTE_COMPLETE says.
type Completion struct {
	// ID is its Application-UUID.
	ID string
	Played
	// At is when it came.
	At time.Time
}

// Played is how one file was played.
type Played struct {
	// Response is FreeSWITCH's Application-Response, "" if the queue was cleared before, or it is not known.
	Response string
	// Digit is the key that has ended it, if one has.
	Digit string
	// Heard is how much of it the caller heard.
	Heard time.Duration
}

// FreeSWITCH's responses of a playback that are not its success.
const (
	fileNotFound  = "FILE NOT FOUND"
	playbackError = "PLAYBACK ERROR"
)

// Completed takes the end of a playback. It returns false if the playback is none of the player's.
func (p *Player) Completed(c Completion) (ours bool) {
	p.mu.Lock()
	switch {
	case p.completedGiven(c), p.completedStale(c):
		ours = true
		p.signal()
	}
	p.mu.Unlock()
	p.report()
	return ours
}

// completedGiven ends a playback of this generation, and those before it, of which nothing was said:
// they play in order.
func (p *Player) completedGiven(c Completion) bool {
	i := indexOf(p.given, c.ID)
	if i < 0 {
		return false
	}
	for _, before := range p.given[:i] {
		p.complete(before, Completion{Played: Played{Heard: before.length}, At: p.endOf(before)})
	}
	done := p.given[i]
	p.given = p.given[i+1:]
	p.endsAt = c.At
	for _, later := range p.given {
		later.begins = p.endsAt
		p.endsAt = p.endOf(later)
	}
	p.complete(done, c)
	if c.Response == playbackError { // a transfer, or a hangup: all that was given ends so
		p.flush()
		p.breaks = 2
	}
	return true
}

// complete accounts for a playback that has ended by itself.
func (p *Player) complete(done *chunk, c Completion) {
	p.discard(done)
	p.finish(done.done, c.Played)
	switch {
	case done.done != nil:
	case c.Response == fileNotFound:
		if !p.takeBack(done) {
			p.loseChunk(done)
		}
	default:
		p.overtaken(done.from)
		if c.Heard == 0 && c.Response != playbackError { // its event did not say
			c.Heard = done.length
		}
		if c.Heard > 0 {
			p.heard(c.At, c.Heard, false)
		}
		p.noteError(done, c)
	}
}

// noteError counts playbacks that end as errors, unheard. One is a transfer's, or a hangup's; if the channel was given
// another one after it, the switch can't play what it is given.
func (p *Player) noteError(c *chunk, done Completion) {
	switch {
	case done.Heard > 0:
		p.errors = 0
	case done.Response == playbackError:
		if p.errors++; p.errors > 1 {
			p.lose(c.length)
			p.log.Warn("bot's audio not played by the switch", zap.String("err", playbackError), hint(hintError), p.ratelog("error"))
		}
	}
}

// completedStale ends a playback that was cleared. If it was broken off, the break has dropped all of its generation
// behind it.
func (p *Player) completedStale(c Completion) bool {
	i := indexOf(p.stale, c.ID)
	if i < 0 {
		return false
	}
	done, last := p.stale[i], i+1
	if c.Heard > 0 && done.done == nil {
		p.heard(c.At, c.Heard, true)
		for broken := c.Heard < done.length-frame; broken && last < len(p.stale) && p.stale[last].generation == done.generation; {
			last++
		}
	}
	for n, ended := range p.stale[:last] {
		if n == i {
			p.finish(ended.done, c.Played)
		} else {
			p.finish(ended.done, Played{})
		}
	}
	if p.stale = p.stale[last:]; len(p.stale) == 0 {
		p.forgetStale()
	}
	return true
}

func indexOf(all []*chunk, id string) int {
	for i, c := range all {
		if c.id == id {
			return i
		}
	}
	return -1
}

// endOf is when a chunk that plays is over at the earliest.
func (p *Player) endOf(c *chunk) time.Time { return c.begins.Add(c.length) }

// giveUp forgets the first playback, of whose end nothing was said.
func (p *Player) giveUp(c *chunk) {
	p.given = p.given[1:]
	p.lose(c.length)
	p.discard(c)
	p.log.Warn("playback did not end", zap.Duration("length", c.length), hint(hintOverdue), p.ratelog("overdue"))
}

// lose counts audio that nobody will hear.
func (p *Player) lose(d time.Duration) {
	p.state.Lost += d
	p.m.lost.Add(d.Seconds())
}

// forgetStale gives those up of which nothing was said since the break: it has dropped them.
func (p *Player) forgetStale() {
	for _, c := range p.stale {
		p.finish(c.done, Played{})
	}
	p.stale, p.staleAt = nil, time.Time{}
	if p.open != nil && p.open.Cleared {
		p.closeUtterance()
	}
}
