package flow

import (
	"context"
	"errors"
)

// Stream starts the stream of the call's audio to the sink, which becomes the recording, or
// stops it. It ends with the plan at the latest.
type Stream struct {
	Action string `yaml:"action" oneof:"start stop" main:"true"`
}

// What a Stream does.
const (
	streamStart = "start"
	streamStop  = "stop"
)

// Name implements Step.
func (*Stream) Name() string { return "stream" }

// Needs implements Step.
func (*Stream) Needs() Needs { return Needs{Stream: true} }

// Length implements Step.
func (s *Stream) Length() Length {
	if s.Action == streamStop { // which is counted with its start
		return Length{}
	}
	return Length{Starts: 1}
}

// Follow implements Step.
func (s *Stream) Follow(p *Position) error {
	switch {
	case !p.Answered:
		return p.NeedAnswer()
	case s.Action == streamStop && !p.Streaming:
		return errors.New("there is no stream to stop: write the step stream before it, or remove it")
	case s.Action != streamStop && p.Streaming:
		return errors.New("a stream runs already: remove it, or write stream: stop before it")
	}
	p.Streaming = s.Action != streamStop
	return nil
}

// Preview implements Step.
func (s *Stream) Preview(p *Preview) {
	if s.Action == streamStop {
		p.Add(0, "stream stop")
		return
	}
	p.Add(0, "stream start, %s", p.Stream)
}

// Run implements Step.
func (s *Stream) Run(ctx context.Context, ch Channel) error {
	if s.Action == streamStop {
		return ch.Media().Stop(ctx)
	}
	return ch.Media().Start(ctx)
}
