package player

import "time"

// maxPause is how long nothing may be heard within one utterance: shorter than a pause that is meant, longer
// than what a late chunk leaves.
const maxPause = 200 * time.Millisecond

// Utterance is audio that was heard without a pause between. Files are none.
type Utterance struct {
	// Began and Ended are when the caller heard its begin and its end.
	Began, Ended time.Time
	// Heard is how much of it was played.
	Heard time.Duration
	// Cleared says that its rest was dropped.
	Cleared bool
}

// Utterances returns those that have ended and were not returned before.
func (p *Player) Utterances() []Utterance {
	p.mu.Lock()
	defer p.mu.Unlock()
	ended := p.ended
	p.ended = nil
	return ended
}

// Speaking says whether the bot is heard now, and since when: the begin of its utterance, or, until the end of the first
// chunk has told it, the time at which the switch was given it.
func (p *Player) Speaking() (since time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.given {
		switch {
		case c.done != nil:
		case p.open != nil && !p.open.Cleared:
			return p.open.Began, true
		default:
			return c.begins, true
		}
	}
	return time.Time{}, false
}

// speaking says whether the switch has audio to play.
func (p *Player) speaking() bool {
	for _, c := range p.given {
		if c.done == nil {
			return true
		}
	}
	return false
}

// mayGoOn says whether the end of a playback may still belong to what is heard.
func (p *Player) mayGoOn() bool { return p.speaking() || len(p.stale) > 0 }

// heard notes that so much of a chunk was heard, which then ended: what was cleared belongs to the
// utterance that the clear has ended, what was not begins another one.
func (p *Player) heard(ended time.Time, length time.Duration, cleared bool) {
	began := ended.Add(-length)
	if p.open != nil && (p.open.Cleared && !cleared || began.Sub(p.open.Ended) > maxPause) {
		p.closeUtterance()
	}
	if p.open == nil {
		p.open = &Utterance{Began: began}
	}
	p.open.Ended, p.open.Cleared = ended, cleared
	p.open.Heard += length
}

// cutUtterance marks what is heard as cleared, if there was more of it.
func (p *Player) cutUtterance() {
	if p.open != nil && (p.speaking() || p.waits()) {
		p.open.Cleared = true
	}
}

// EndUtterance ends the utterance that was heard last, unless it is still being heard: what comes now is another one, however
// soon. It is for the end of a conversation.
func (p *Player) EndUtterance() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.mayGoOn() {
		p.closeUtterance()
	}
}

func (p *Player) closeUtterance() {
	if p.open != nil {
		p.ended = append(p.ended, *p.open)
		p.open = nil
	}
}
