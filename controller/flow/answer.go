package flow

import (
	"context"
	"errors"
)

// Answer answers the call.
type Answer struct{}

// Name implements Step.
func (*Answer) Name() string { return "answer" }

// Needs implements Step.
func (*Answer) Needs() Needs { return Needs{} }

// Length implements Step. The time that the switch needs is none of the plan's.
func (*Answer) Length() Length { return Length{} }

// Follow implements Step.
func (*Answer) Follow(p *Position) error {
	if p.Answered {
		return errors.New("the call is answered already: remove it")
	}
	p.Answered = true
	return nil
}

// Preview implements Step.
func (*Answer) Preview(p *Preview) { p.Add(0, "answer") }

// Run implements Step.
func (*Answer) Run(ctx context.Context, ch Channel) error {
	ch.Begin()
	return ch.Answer(ctx)
}
