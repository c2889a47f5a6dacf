package flow

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// Tone plays a sine tone.
type Tone struct {
	// Frequency is in Hz.
	Frequency int           `yaml:"frequency" range:"20..3400 Hz"`
	Duration  time.Duration `yaml:"duration" range:"20ms..1m" main:"true" needed:"true" example:"500ms"`
}

// Name implements Step.
func (*Tone) Name() string { return "tone" }

// Needs implements Step.
func (*Tone) Needs() Needs {
	return Needs{Modules: []Module{{"mod_tone_stream", "plays the tone"}}}
}

// Length implements Step.
func (s *Tone) Length() Length { return Length{Known: s.Duration} }

// Follow implements Step.
func (*Tone) Follow(p *Position) error { return p.NeedAnswer() }

// Preview implements Step.
func (s *Tone) Preview(p *Preview) {
	p.Add(s.Duration, "tone %d Hz for %s s", s.Frequency, Seconds(s.Duration))
}

// Run implements Step.
func (s *Tone) Run(ctx context.Context, ch Channel) error {
	ch.Reached()
	file := fmt.Sprintf("tone_stream://%%(%d,0,%d)", s.Duration.Milliseconds(), s.Frequency)
	played, err := ch.Playback(ctx, Sound{File: file, Length: s.Duration})
	if err == nil && played.EndedBy != PromptEnd && played.EndedBy != PromptDigit {
		ch.Log().Warn("tone not played", zap.String("step", s.Name()), zap.String("err", played.Response),
			zap.String("hint", "is mod_tone_stream loaded? tapdeck doctor checks it"))
	}
	return err
}
