package dialer

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// spendFor has a peer send for a time as fast as it may, and returns how often cost was paid.
func spendFor(d time.Duration, p *Pace, cost int) (n int) {
	for began := time.Now(); time.Since(began) < d; n++ {
		time.Sleep(p.Spend(cost))
	}
	return n
}

// What costs more is read less often, and nothing for longer than the second whose budget is used up.
func TestPace(t *testing.T) {
	for cost, want := range map[int]int{MessageCost(0): 4000, CostSeldom: 100, MessageCost(1 << 20): 8, costControl: 800, 3 * paceBudget: 1} {
		synctest.Test(t, func(t *testing.T) {
			if n := spendFor(10*time.Second, &Pace{}, cost); n != 10*want {
				t.Errorf("%d of the cost %d in 10 s, want %d", n, cost, 10*want)
			}
		})
	}
}

// What was not used is not kept for later.
func TestPaceAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pace
		time.Sleep(time.Hour)
		if n := spendFor(time.Second, &p, CostSeldom); n != 100 {
			t.Errorf("%d messages in a second", n)
		}
		time.Sleep(300 * time.Millisecond)
		p = Pace{}
		if wait := p.Spend(1); wait != 0 {
			t.Errorf("the first message has to wait for %v", wait)
		}
		time.Sleep(300 * time.Millisecond)
		if wait := p.Spend(paceBudget); wait != 700*time.Millisecond {
			t.Errorf("a wait of %v, want the rest of the second", wait)
		}
	})
}

// Frames without a message use up seconds; a message, or a second of which less was used, begins anew.
func TestPaceOfFrames(t *testing.T) {
	pings := SeenFrames{Control: paceBudget / costControl}
	for name, c := range map[string]struct {
		sent []SeenFrames
		want []int
	}{
		"pings":       {[]SeenFrames{pings, pings, pings}, []int{1, 2, 3}},
		"fragments":   {[]SeenFrames{{Fragments: paceBudget / costMessage}, {Fragments: paceBudget}}, []int{1, 2, 3}},
		"few pings":   {[]SeenFrames{{Control: 10}, {Control: 10}, {Fragments: 3}}, nil},
		"a message":   {[]SeenFrames{pings, pings, {Messages: 1}, pings}, []int{1, 2, 1}},
		"many at one": {[]SeenFrames{{Control: 3 * pings.Control}, {Messages: 1, Control: pings.Control}}, []int{1, 2, 3, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p Pace
				var got []int
				for _, f := range c.sent {
					p.SpendFrames(f, func(wait time.Duration, idleSeconds int) bool {
						time.Sleep(wait)
						got = append(got, idleSeconds)
						return true
					})
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("idle seconds (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A second that was used up by messages is none of pings, and a pause of two seconds begins anew.
func TestPaceOfFramesAndMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pace
		spend := func(control int) (idle int) {
			p.SpendFrames(SeenFrames{Control: control}, func(wait time.Duration, idleSeconds int) bool {
				time.Sleep(wait)
				idle = idleSeconds
				return true
			})
			return idle
		}
		p.Spend(paceBudget * 3 / 4)
		if idle := spend(paceBudget / 4 / costControl); idle != 0 {
			t.Errorf("%d idle seconds between messages", idle)
		}
		if idle := spend(paceBudget / costControl); idle != 1 {
			t.Errorf("%d idle seconds of pings", idle)
		}
		p.Spend(paceBudget * 3 / 4)
		if idle := spend(paceBudget / 4 / costControl); idle != 0 {
			t.Errorf("%d idle seconds between messages, after one of pings", idle)
		}
		p.Spend(paceBudget / 2)
		time.Sleep(time.Second)
		if idle := spend(paceBudget / costControl); idle != 1 {
			t.Errorf("%d idle seconds after one of less", idle)
		}
		time.Sleep(2 * time.Second)
		if idle := spend(paceBudget / costControl); idle != 1 {
			t.Errorf("%d idle seconds after a pause", idle)
		}
	})
}

// Whoever is told to stop pays for nothing more.
func TestPaceStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		new(Pace).SpendFrames(SeenFrames{Control: 10 * paceBudget}, func(time.Duration, int) bool { n++; return n < 3 })
		if n != 3 {
			t.Errorf("asked %d times", n)
		}
	})
}
