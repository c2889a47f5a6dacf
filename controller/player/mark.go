package player

import (
	"cmp"
	"slices"
	"time"
)

// mark is what a bot wants to be told of: that all before a position was heard.
type mark struct {
	at   int64
	done func(cleared bool)
}

// echo is a mark that is due.
type echo struct {
	done    func(cleared bool)
	cleared bool
}

const (
	// maxMarks bounds the marks that are not due. Beyond it the oldest is echoed as cleared: so they
	// come back in order, one for one.
	maxMarks = 10_000
	// markWindow is how late a mark may be so that a chunk is not shorter.
	markWindow = 200 * time.Millisecond
)

// Mark has done called once all that was queued before was heard (with cleared, if it was dropped), at once
// if there is nothing. Marks are called in order, one for one, and never two at a time: in the
// call's goroutine, in that of Mark or in that of Clear, and without a lock, so that done may call the player.
// At most 10,000 marks wait: beyond, the oldest is called with cleared.
func (p *Player) Mark(done func(cleared bool)) {
	p.mu.Lock()
	p.marks = append(p.marks, mark{p.queue.end, done})
	switch {
	case p.closed:
		p.echoMarks(len(p.marks), true)
	case len(p.marks) > maxMarks:
		p.echoMarks(1, true)
	}
	p.echoDue()
	p.mu.Unlock()
	p.echo()
}

// echoMarks makes the first n marks due.
func (p *Player) echoMarks(n int, cleared bool) {
	for _, m := range p.marks[:n] {
		p.echoes = append(p.echoes, echo{m.done, cleared})
	}
	clear(p.marks[:n])
	if p.marks = p.marks[n:]; len(p.marks) == 0 {
		p.marks = nil
	}
}

// echoDue makes those marks due before which there is nothing that is not done.
func (p *Player) echoDue() {
	done := p.queue.begin()
	switch {
	case len(p.given) > 0:
		done = p.given[0].from
	case p.next != nil:
		done = p.next.from
	}
	if len(p.again) > 0 {
		done = min(done, p.again[0].from)
	}
	p.echoMarks(p.marksUpTo(done), false)
}

// marksUpTo is how many marks are at a position or before.
func (p *Player) marksUpTo(position int64) int {
	n, _ := slices.BinarySearchFunc(p.marks, position+1, func(m mark, at int64) int { return cmp.Compare(m.at, at) })
	return n
}

// echo calls what is due, in order, unless another goroutine does.
func (p *Player) echo() {
	for e, ok := p.nextEcho(true); ok; e, ok = p.nextEcho(false) {
		p.call(e)
	}
}

// nextEcho is the next mark that is due, and keeps other goroutines from calling one until there is none.
func (p *Player) nextEcho(begin bool) (e echo, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if begin && p.echoing {
		return echo{}, false
	}
	if p.echoing = len(p.echoes) > 0; !p.echoing {
		p.echoes = nil
		return echo{}, false
	}
	e = p.echoes[0]
	p.echoes = p.echoes[1:]
	return e, true
}

// call calls a mark. If it panics, which costs its call, the others can still be called.
func (p *Player) call(e echo) {
	returned := false
	defer func() {
		if !returned {
			p.mu.Lock()
			p.echoing = false
			p.mu.Unlock()
		}
	}()
	e.done(e.cleared)
	returned = true
}

// untilMark shortens a chunk of so many bytes so that a mark comes back when its own audio was heard: it
// ends at the last mark of its first 200 ms, else at its first one. So a bot that marks each 20 ms
// does not have the switch play chunks of 20 ms for ever.
func (p *Player) untilMark(bytes int) int {
	begin, end := p.queue.begin(), bytes
	for _, m := range p.marks[p.marksUpTo(begin):] {
		at := p.frames(int(m.at - begin))
		if at >= bytes {
			break
		}
		if end < bytes && at > p.bytes(markWindow) {
			break
		}
		end = at
	}
	return end
}

// frames rounds so many bytes up to whole frames.
func (p *Player) frames(bytes int) int {
	f := p.bytes(frame)
	return (bytes + f - 1) / f * f
}
