package player

import (
	"fmt"
	"time"

	"go.uber.org/zap"
)

// give gives the switch the next chunk.
func (p *Player) give(now time.Time) error {
	c, method := p.next, p.method
	p.mu.Unlock()
	err := p.write(c)
	lost := err != nil
	if !lost {
		c.id, err = p.sw.Play(c.file)
	}
	p.mu.Lock()
	cleared := p.generation != c.generation
	if !cleared {
		p.next = nil
	}
	if err != nil {
		return p.notGiven(c, now, lost, err)
	}
	if c.begins = now; c.ours {
		c.pcm = nil
	}
	p.observe(c, method)
	if cleared {
		p.discard(c)
		c.pcm = nil
		p.stale = append(p.stale, c)
		p.breakDue, p.breaks = true, 0
		return nil
	}
	if len(p.given) > 0 && p.endsAt.After(now) {
		c.begins = p.endsAt
	}
	p.endsAt = p.endOf(c)
	p.given = append(p.given, c)
	return nil
}

// notGiven loses a chunk that could not be written, and the time in which it would have been heard: a full disk must not
// eat all that waits at once. An error of the switch is the connection's end.
func (p *Player) notGiven(c *chunk, now time.Time, unwritten bool, err error) error {
	p.discard(c)
	if c.generation == p.generation {
		p.lose(c.length)
	}
	if !unwritten {
		p.finish(c.done, Played{})
		return fmt.Errorf("play %s: %w", c.file, err)
	}
	p.retryAt = now.Add(c.length)
	p.log.Warn("chunk not written", zap.NamedError("err", err), hint(hintUnwritten), p.ratelog("unwritten"))
	return nil
}

func (p *Player) observe(c *chunk, method Method) {
	if c.done != nil {
		return
	}
	p.m.chunks.WithLabelValues(string(method)).Inc()
	p.noteSmall(c)
	if !p.cameAt.IsZero() {
		p.m.observeAdded(time.Since(p.cameAt))
		p.cameAt = time.Time{}
	}
}

// noteSmall says, once a call, that a bot's audio has come in small pieces for a while, of which each takes
// as much of what the caller says as of time (F155).
func (p *Player) noteSmall(c *chunk) {
	const long = 4 * time.Second
	switch {
	case p.small < 0 || p.cfg.Lead > 0:
	case c.length >= short:
		p.small = 0
	default:
		if p.small += c.length; p.small >= long {
			p.small = -1
			p.log.Warn("bot's audio comes in small pieces", hint(hintSmall), p.ratelog("small"))
		}
	}
}
