package controller

import (
	"maps"
	"slices"
	"time"

	"tapdeck/controller/player"
)

// Status is how a running call stands.
type Status struct {
	Info Info
	// Step is the step that the call is in, such as "listen", and StepBegan when it began.
	Step      string
	StepBegan time.Time
	// Stream is how its stream stands at the sink; nil if it has none.
	Stream *StreamState
	// Speaks is who speaks; nil if the call does not talk with a bot.
	Speaks *Speaks
	// Agent is what is known of its conversations, as of the latest connection or utterance; nil if it has had none.
	Agent *Conversation
	// Transcript is what a service has made of what was said so far; nil if nothing is transcribed.
	Transcript *Transcription

	rec  Recording      // whose state Stream is
	talk *player.Player // by which the bot is heard
}

// Speaks is who speaks in a conversation. Both may, and nobody.
type Speaks struct{ Caller, Bot bool }

// Ended is a call that is over.
type Ended struct {
	Info    Info
	Outcome Outcome
	// Record is the record that was kept, or nil if it could not be.
	Record Record
}

// Calls returns the running calls, the oldest first.
func (c *Controller) Calls() []Status {
	c.mu.Lock()
	running := slices.Collect(maps.Keys(c.running))
	c.mu.Unlock()
	all := make([]Status, 0, len(running))
	for _, k := range running {
		s := *k.status.Load()
		if s.rec != nil {
			state := s.rec.State()
			s.Stream = &state
			if s.talk != nil {
				_, bot := s.talk.Speaking()
				s.Speaks = &Speaks{Caller: state.Talk.Speaking, Bot: bot}
			}
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Status) int { return a.Info.Started.Compare(b.Info.Started) })
	return all
}

// Ended returns the latest 1,000 calls that are over, the latest first.
func (c *Controller) Ended() []Ended {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := slices.Clone(c.last)
	slices.Reverse(all)
	return all
}

// beginStep begins a step and returns when it did.
func (c *call) beginStep(step string) time.Time {
	c.endStep()
	now, before := time.Now(), c.status.Load()
	c.status.Store(&Status{Info: c.info, Step: step, StepBegan: now, rec: c.rec, Agent: before.Agent, Transcript: before.Transcript})
	return now
}

// showTalk has Calls tell who speaks, until the next step begins.
func (c *call) showTalk() {
	s := *c.status.Load()
	s.talk = c.voice.player
	c.status.Store(&s)
}

// showConversation has Calls tell what is known of the call's conversations. What was told stays as it is.
func (c *call) showConversation() {
	if c.outcome.Agent != nil {
		s, sofar := *c.status.Load(), *c.outcome.Agent
		s.Agent = &sofar
		c.status.Store(&s)
	}
}

// showTranscript has Calls tell what was said in the call. What was told stays as it is.
func (c *call) showTranscript() {
	if c.outcome.Transcript != nil {
		s, sofar := *c.status.Load(), *c.outcome.Transcript
		s.Transcript = &sofar
		c.status.Store(&s)
	}
}

// endStep measures the step that ends.
func (c *call) endStep() {
	if s := c.status.Load(); s.Step != "" {
		c.ctl.metrics.steps.WithLabelValues(s.Step).Observe(time.Since(s.StepBegan).Seconds())
	}
}
