package flow

import "fmt"

// Position is what holds at one position of a plan.
type Position struct {
	// Answered says that the call is answered.
	Answered bool
	// Streaming says that a stream runs.
	Streaming bool
	// Over is the name of the step that has ended the plan, "" if none has.
	Over string
}

// NeedAnswer refuses a step before the answer.
func (p *Position) NeedAnswer() error {
	if !p.Answered {
		return fmt.Errorf("must come after answer: write the step answer before it")
	}
	return nil
}

// NeedStream refuses values that look at the caller's audio if none is streamed.
func (p *Position) NeedStream(value string) error {
	if !p.Streaming {
		return fmt.Errorf("%s needs a stream: write the step stream before it", value)
	}
	return nil
}

// Check returns what is wrong with the order of steps: an error for each of them, nil if it
// may stand there.
func Check(steps []Step) []error {
	bad, p := make([]error, len(steps)), Position{}
	for i, s := range steps {
		if p.Over != "" {
			bad[i] = fmt.Errorf("nothing can follow %s, which ends the plan: remove it, or move it before that", p.Over)
			continue
		}
		bad[i] = s.Follow(&p)
	}
	return bad
}
