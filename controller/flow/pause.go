package flow

import (
	"context"
	"errors"
	"time"
)

// Pause waits.
type Pause struct {
	For time.Duration `yaml:"for" range:"0s..1h" main:"true" needed:"true" example:"500ms"`
}

// Name implements Step.
func (*Pause) Name() string { return "pause" }

// Needs implements Step.
func (*Pause) Needs() Needs { return Needs{} }

// Length implements Step.
func (s *Pause) Length() Length { return Length{Known: s.For} }

// Follow implements Step.
func (*Pause) Follow(*Position) error { return nil }

// Preview implements Step.
func (s *Pause) Preview(p *Preview) { p.Add(s.For, "pause %s s", Seconds(s.For)) }

// Run implements Step.
func (s *Pause) Run(ctx context.Context, ch Channel) error {
	ch.Reached()
	return s.wait(ctx, ch)
}

func (s *Pause) wait(ctx context.Context, ch Channel) error {
	if err := ch.Media().KeepAlive(ctx); err != nil {
		return err
	}
	err := ch.Wait(ctx, s.For, func() bool { return false })
	if errors.Is(err, ErrTimeout) {
		return nil
	}
	return err
}
