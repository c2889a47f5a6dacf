package player

import "time"

// Given are the lengths of what the switch has, and which was not cleared.
func (p *Player) Given() (lengths []time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.given {
		lengths = append(lengths, c.length)
	}
	return lengths
}
