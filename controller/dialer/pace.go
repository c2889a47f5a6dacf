package dialer

import "time"

const (
	// paceBudget is what the messages of a second may cost: 4000 of them, 8 MiB, or 100 of those
	// that a peer should send seldom.
	paceBudget  = 8000
	costMessage = 2
	costKiB     = 1
	// CostSeldom is that of a message that a peer should send seldom, such as a wrong one.
	CostSeldom = 80
	// costControl is that of a ping or pong. The library gives up on one whose end it has read after 5 s: the
	// 2048 that fit into its buffer must be paid for before.
	costControl = 10
)

// MaxIdleSeconds of frames that make up no message are read in succession.
const MaxIdleSeconds = 5

// MessageCost is that of a message of so many bytes.
func MessageCost(size int) int { return costMessage + size>>10*costKiB }

// Pace is how fast a peer is read, so that one that floods us costs little: what it sends is paid for from the
// budget of a second. The zero value is ready. It belongs to the goroutine that reads.
type Pace struct {
	since time.Time
	spent int
	idle  int // of it for frames that are no messages
	// idleSeconds are those of which idle was half the budget, without a message.
	idleSeconds int
}

// Spend pays for something. It returns how long the caller must read nothing more: until the end of a second
// whose budget is used up, and 0 before.
func (p *Pace) Spend(cost int) (wait time.Duration) {
	now := time.Now()
	if now.Sub(p.since) >= time.Second {
		if p.spent < paceBudget || now.Sub(p.since) >= 2*time.Second {
			p.idleSeconds = 0
		}
		p.since, p.spent, p.idle = now, 0, 0
	}
	if p.spent += cost; p.spent < paceBudget {
		return 0
	}
	return time.Second - now.Sub(p.since)
}

// SpendFrames pays for frames that are no messages: FrameCounter.Seen calls it. For each second whose budget
// is used up it calls usedUp, which must wait; if it returns false, nothing more is paid for. idleSeconds is 0,
// or how many such seconds in succession there was no message: at MaxIdleSeconds the peer is to be given up.
func (p *Pace) SpendFrames(f SeenFrames, usedUp func(wait time.Duration, idleSeconds int) bool) {
	if f.Messages > 0 {
		p.idleSeconds = 0
	}
	for cost := f.Control*costControl + f.Fragments*costMessage; cost > 0; cost -= paceBudget {
		part := min(cost, paceBudget)
		wait := p.Spend(part)
		p.idle += part
		if wait == 0 {
			continue
		}
		idleSeconds := 0
		if p.idle >= paceBudget/2 {
			p.idleSeconds++
			idleSeconds = p.idleSeconds
		}
		if !usedUp(wait, idleSeconds) {
			return
		}
	}
}
