package flow

import (
	"context"
	"time"
)

// Flat is a plan in its flat form: answer, pause, tone, stream, play, listen or agent, hangup.
type Flat struct {
	// AnswerPause is the silence between the answer and the tone.
	AnswerPause time.Duration
	// Tone is played before the stream starts; a zero duration plays none.
	Tone Tone
	// Prompt is the file that is played while the stream runs; empty plays none.
	Prompt string
	// StopOn are the digits that end it.
	StopOn string
	// Listen is how the call goes on after the prompt.
	Listen Listen
	// Agent, if there is one, stands in place of Listen.
	Agent *Agent
}

// Steps returns the list of steps, by the names that the flat form has.
func (f Flat) Steps() []Step {
	steps := []Step{&Answer{}}
	if f.AnswerPause > 0 {
		steps = append(steps, &answerPause{Pause{f.AnswerPause}})
	}
	if f.Tone.Duration > 0 {
		steps = append(steps, &f.Tone)
	}
	steps = append(steps, called{&Stream{}, "stream_start"})
	if f.Prompt != "" {
		steps = append(steps, called{&Play{Files: []string{f.Prompt}, StopOn: f.StopOn}, "prompt"})
	}
	if f.Agent != nil {
		return append(steps, f.Agent, &Hangup{})
	}
	return append(steps, &f.Listen, &Hangup{})
}

// answerPause is a pause that is no moment of the timeline, and no line of the preview.
type answerPause struct{ Pause }

func (*answerPause) Name() string { return "answer_pause" }

func (s *answerPause) Preview(p *Preview) { p.Pause(s.For) }

func (s *answerPause) Run(ctx context.Context, ch Channel) error {
	ch.Begin()
	return s.wait(ctx, ch)
}
