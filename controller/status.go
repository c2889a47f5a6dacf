package controller

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Status is how a running call stands.
type Status struct {
	Info Info
	// Step is the step that the call is in, such as "listen", and StepBegan when it began.
	Step      string
	StepBegan time.Time
	// Stream is how its stream stands at the sink; nil if it has none.
	Stream *StreamState
}

// Ended is a call that is over.
type Ended struct {
	Info    Info
	Outcome Outcome
	// Record is the record that was kept, or nil if it could not be.
	Record Record
}

// status is the part of a call that other goroutines read.
type status struct {
	mu    sync.Mutex
	step  string
	began time.Time
	rec   Recording
}

// Calls returns the running calls, the oldest first.
func (c *Controller) Calls() []Status {
	c.mu.Lock()
	running := slices.Collect(maps.Keys(c.running))
	c.mu.Unlock()
	all := make([]Status, 0, len(running))
	for _, k := range running {
		all = append(all, k.snapshot())
	}
	slices.SortFunc(all, func(a, b Status) int { return a.Info.Started.Compare(b.Info.Started) })
	return all
}

// Ended returns the latest 1,000 calls that are over, the latest first.
func (c *Controller) Ended() []Ended {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := append(slices.Clone(c.last[c.next:]), c.last[:c.next]...)
	slices.Reverse(all)
	return all
}

func (k *call) snapshot() Status {
	k.status.mu.Lock()
	defer k.status.mu.Unlock()
	s := Status{Info: k.info, Step: k.status.step, StepBegan: k.status.began}
	if k.status.rec != nil {
		state := k.status.rec.State()
		s.Stream = &state
	}
	return s
}

// beginStep begins a step and returns when it did.
func (k *call) beginStep(step string) time.Time {
	now := time.Now()
	k.endStep()
	k.status.mu.Lock()
	defer k.status.mu.Unlock()
	k.status.step, k.status.began, k.status.rec = step, now, k.rec
	return now
}

// endStep measures the step that ends.
func (k *call) endStep() {
	k.status.mu.Lock()
	step, began := k.status.step, k.status.began
	k.status.mu.Unlock()
	if step != "" {
		k.ctl.metrics.steps.WithLabelValues(step).Observe(time.Since(began).Seconds())
	}
}
