package player

import (
	"cmp"
	"slices"
	"time"

	"go.uber.org/zap"
)

const (
	// maxMisses is how often the switch may not find a chunk that is sent again.
	maxMisses = 3
	// beginTime is within what a playback whose turn has come has begun: the next frame (F80), if the switch is not busy.
	beginTime = 100 * time.Millisecond
)

// A stream that drops takes its files along: what the switch was given of it and had not begun is not found (F168).
// So it is sent again. Positions keep the order: nothing is given behind what comes after it.

// takeBack has a chunk sent again that the switch has not found. It returns false if it is none of the stream's, or was
// not found too often.
func (p *Player) takeBack(c *chunk) bool {
	if c.pcm == nil || c.misses == maxMisses {
		return false
	}
	c.misses++
	p.log.Info("chunk not found by the switch is sent again", zap.String("file", c.file), p.ratelog("not found"))
	p.putBack(c)
	if c := p.next; c != nil {
		p.next = nil
		p.putBack(c)
	}
	return true
}

func (p *Player) putBack(c *chunk) {
	i, _ := slices.BinarySearchFunc(p.again, c.from, func(c *chunk, from int64) int { return cmp.Compare(c.from, from) })
	p.again = slices.Insert(p.again, i, c)
}

// cutAgain takes the first of what was put back, if the switch may have it.
func (p *Player) cutAgain(now time.Time) bool {
	c := p.again[0]
	if n := len(p.given); n > 1 || n == 1 && p.given[0].from > c.from {
		return false
	}
	p.again = p.again[1:]
	p.next, c.file, c.namedBy = c, "", now.Add(namingTime)
	p.tag(c)
	return true
}

// mayBeGone says that the last chunk that was given may not be found, since its stream has ended and it has not begun:
// nothing is given behind it until that is known.
func (p *Player) mayBeGone(now time.Time) bool {
	if len(p.given) == 0 {
		return false
	}
	last := p.given[len(p.given)-1]
	if known := last.begins.Add(beginTime); last.pcm != nil && last.stream != p.stream && now.Before(known) {
		p.moreBy = known
		return true
	}
	return false
}

// overtaken loses what is before a position at which something was played.
func (p *Player) overtaken(position int64) {
	for len(p.again) > 0 && p.again[0].from < position {
		c := p.again[0]
		p.again = p.again[1:]
		p.loseChunk(c)
	}
}

// loseChunk counts a chunk that the switch can't find.
func (p *Player) loseChunk(c *chunk) {
	p.lose(c.length)
	p.log.Warn("chunk not found by the switch", zap.String("file", c.file), hint(hintNotFound), p.ratelog("not found"))
}

// waits says whether there is audio that the switch was not given.
func (p *Player) waits() bool { return p.queue.bytes > 0 || p.next != nil || len(p.again) > 0 }
