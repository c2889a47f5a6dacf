package player

import (
	"fmt"
	"time"
)

const (
	// breakTime is within what a break has acted: 21 ms, if the switch is not busy (F84).
	breakTime = 100 * time.Millisecond
	// staleTime is how late a playback that was broken off may be told of: a session stands still for
	// 0.3 s at the end of a hold (F164), and on a busy switch.
	staleTime = time.Second
	// overdue is how much later than it can be a playback's end is given up: the switch was stopped, or someone
	// else has broken off all that it had.
	overdue = 5 * time.Second
)

// Advance does what is due: it ends what was cleared, hands the switch what it may have, and calls
// what waits to be called. It returns an error if a command could not be given: the connection with the switch
// is over then, and all that is left is Close.
func (p *Player) Advance(now time.Time) error {
	p.mu.Lock()
	err := p.advance(now)
	p.mu.Unlock()
	p.report()
	return err
}

func (p *Player) advance(now time.Time) error {
	if p.fresh {
		p.fresh, p.freshAt = false, now
	}
	p.lookAfter(now)
	for !p.closed {
		var err error
		switch {
		case p.breakDue:
			err = p.breakOff(now)
		case p.next == nil:
			if !p.cut(now) {
				p.wait(now)
				return nil
			}
		case p.next.file != "" || p.method == MethodFiles:
			err = p.give(now)
		case p.down || p.next.sent && !p.next.unusable && !p.next.refused && now.Before(p.next.namedBy):
			p.wait(now)
			return nil
		case p.next.sent:
			p.unnamed(now)
		default:
			p.send(now)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lookAfter ends what time alone ends.
func (p *Player) lookAfter(now time.Time) {
	if p.open != nil && !p.mayGoOn() && !now.Before(p.open.Ended.Add(maxPause)) {
		p.closeUtterance()
	}
	if len(p.given) > 0 && p.given[0].done == nil && !now.Before(p.endOf(p.given[0]).Add(overdue)) {
		p.giveUp(p.given[0])
	}
	if p.down && p.next != nil && !now.Before(p.next.namedBy) {
		p.down = false // another try
	}
	if len(p.stale) == 0 || p.breakDue {
		return
	}
	switch {
	case p.staleAt.IsZero():
		p.staleAt = now.Add(breakTime)
	case now.Before(p.staleAt):
	case p.breaks == 1 && len(p.given) == 0:
		p.breakDue = true
	case p.breaks == 1:
		p.breaks, p.staleAt = 2, now.Add(staleTime-breakTime)
	default:
		p.forgetStale()
	}
}

// breakOff ends what plays. It acts also on what has not begun (F150), so one is enough; a second one is sent
// if nothing is said of what was broken off and nothing new was given, when it can do no harm.
func (p *Player) breakOff(now time.Time) error {
	p.breakDue = false
	p.staleAt = now.Add(breakTime)
	if p.breaks++; p.breaks > 1 {
		p.staleAt = now.Add(staleTime)
	}
	p.mu.Unlock()
	err := p.sw.Break()
	p.mu.Lock()
	if err != nil {
		return fmt.Errorf("break playback: %w", err)
	}
	return nil
}

// wait sets the timer to the next time at which lookAfter, or cut, will do something.
func (p *Player) wait(now time.Time) {
	var due [6]time.Time
	due[0] = p.moreBy
	if p.next != nil {
		due[1] = p.next.namedBy
	} else if now.Before(p.retryAt) {
		due[2] = p.retryAt
	}
	if len(p.stale) > 0 {
		due[3] = p.staleAt
	}
	if len(p.given) > 0 && p.given[0].done == nil {
		due[4] = p.endOf(p.given[0]).Add(overdue)
	}
	if p.open != nil && !p.mayGoOn() {
		due[5] = p.open.Ended.Add(maxPause)
	}
	if first := earliest(due[:]); !first.IsZero() {
		p.due.Reset(first.Sub(now))
	} else {
		p.due.Stop()
	}
}

// earliest is the first of some times, of which those that are zero are none.
func earliest(times []time.Time) (first time.Time) {
	for _, t := range times {
		if first.IsZero() || !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}

// report removes files that nobody needs, and calls what is due.
func (p *Player) report() {
	p.mu.Lock()
	trash, finished := p.trash, p.finished
	p.trash, p.finished = nil, nil
	p.echoDue()
	p.mu.Unlock()
	p.remove(trash)
	p.echo()
	for _, done := range finished {
		done()
	}
}
