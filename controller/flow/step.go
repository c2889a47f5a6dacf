package flow

import (
	"context"
	"time"
)

// Step is one step of a plan. It is the same one in all calls that follow the plan, which carry it
// out at the same time: what it has to remember of a call is no field of its.
type Step interface {
	// Name is the step's word, such as "listen": in plans, metrics, logs and records.
	Name() string
	// Needs says what the step needs of the switch.
	Needs() Needs
	// Length says how long the step can take.
	Length() Length
	// Follow says whether the step may stand at this position of a plan, and moves it on. Its error
	// is the rule that is broken, and behind ": " what to do.
	Follow(p *Position) error
	// Preview adds what a caller hears of the step.
	Preview(p *Preview)
	// Run carries the step out. Its error is what has interrupted it, as Channel's methods
	// return it; any other one ends the call as an error.
	Run(ctx context.Context, ch Channel) error
}

// Needs is what a step needs of the switch; the doctor looks for it.
type Needs struct {
	// Modules are FreeSWITCH's, without those that every call needs.
	Modules []Module
	// Prompts are files that playback is given, looked for by FreeSWITCH below its
	// sound_prefix if the path is not absolute (F72).
	Prompts []string
	// Stream says that the call's audio is streamed to the sink.
	Stream bool
	// Digits says that the step waits for digits of the caller.
	Digits bool
	// Words says that the step waits for words of the caller.
	Words bool
	// Voice says that the step has the caller hear audio that comes while it goes on.
	Voice bool
}

// Module is a module of FreeSWITCH.
type Module struct {
	// Name is as load takes it: mod_tone_stream.
	Name string
	// Does is what it does for the step, such as "plays the tone".
	Does string
}

// Length is how long a step can take.
type Length struct {
	// Known is the longest time without the prompts.
	Known time.Duration
	// Prompts counts the prompts that are played, whose lengths only the switch knows.
	Prompts int
	// Starts counts the starts of the stream, each of which may take the plan's timeouts.
	Starts int
}

// LengthOf is how long steps can take together.
func LengthOf(steps []Step) (sum Length) {
	for _, s := range steps {
		l := s.Length()
		sum.Known += l.Known
		sum.Prompts += l.Prompts
		sum.Starts += l.Starts
	}
	return sum
}

// Streams says whether any of the steps streams the call's audio.
func Streams(steps []Step) bool { return needs(steps, func(n Needs) bool { return n.Stream }) }

// WaitForDigits says whether any of the steps waits for digits.
func WaitForDigits(steps []Step) bool { return needs(steps, func(n Needs) bool { return n.Digits }) }

// WaitForWords says whether any of the steps waits for words of the caller.
func WaitForWords(steps []Step) bool { return needs(steps, func(n Needs) bool { return n.Words }) }

// HaveVoice says whether any of the steps has the caller hear audio that comes while it goes on.
func HaveVoice(steps []Step) bool { return needs(steps, func(n Needs) bool { return n.Voice }) }

func needs(steps []Step, is func(Needs) bool) bool {
	for _, s := range steps {
		if is(s.Needs()) {
			return true
		}
	}
	return false
}

// called is a step that goes by another name.
type called struct {
	Step
	name string
}

func (c called) Name() string { return c.name }
