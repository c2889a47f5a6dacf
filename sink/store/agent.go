package store

import "slices"

// Agent is a call's conversation with a bot. Its times are positions in the recording, in ms.
type Agent struct {
	// Format is the wire: twilio or pcm.
	Format string `json:"format"`
	// Connects counts the connections that were made.
	Connects int `json:"connects"`
	// ConnectedMS is when the bot was connected first, and FirstAudioMS when its first audio came;
	// nil if that never was.
	ConnectedMS  *int64 `json:"connected_ms,omitempty"`
	FirstAudioMS *int64 `json:"first_audio_ms,omitempty"`
	// EndedBy is bot, bot_hangup, transfer, time, hangup, stream or failed; empty in a recovered
	// record whose call still talked.
	EndedBy string `json:"ended_by"`
	// Utterances are what the caller heard of the bot, in order, MaxUtterances at most.
	Utterances []Utterance `json:"utterances"`
	// BargeIns counts the utterances that were cut short by the caller's speech, or by the bot's own
	// clear; one that the end of the conversation has cut short is none.
	BargeIns int `json:"barge_ins"`
	// ResponseMS are the times from the end of the caller's speech until the bot was heard, in order,
	// MaxUtterances at most.
	ResponseMS []int64 `json:"response_ms"`
	// DroppedMS is audio of the caller that the bot was too slow for, RefusedMS audio of the bot that
	// was not played since too much waited, and LostMS what the switch could not play.
	DroppedMS int64 `json:"dropped_ms"`
	RefusedMS int64 `json:"refused_ms"`
	LostMS    int64 `json:"lost_ms,omitempty"`
	// Reconnects counts the connections that came after a loss.
	Reconnects int `json:"reconnects"`
	// WrongMessages counts those of the bot that were not as they should be.
	WrongMessages int `json:"wrong_messages"`
	// UtterancesDropped counts those beyond the bound.
	UtterancesDropped int `json:"utterances_dropped,omitempty"`
	// UtterancesInFile and ResponsesInFile count those that a Brief record leaves out.
	UtterancesInFile int `json:"utterances_in_file,omitempty"`
	ResponsesInFile  int `json:"responses_in_file,omitempty"`
}

// Utterance is what the caller heard of the bot at one go.
type Utterance struct {
	FromMS int64 `json:"from_ms"`
	ToMS   int64 `json:"to_ms"`
	// Cleared says that it was cut short.
	Cleared bool `json:"cleared"`
}

// MaxUtterances bounds a record's utterances and response times; more utterances are only counted.
const MaxUtterances = 1000

// briefUtterances is what a Brief record has at most.
const briefUtterances = 50

// whole is a conversation of its own, within the bounds and without null; nil for nil.
func (a *Agent) whole() *Agent {
	if a == nil {
		return nil
	}
	p := *a
	if more := len(p.Utterances) - MaxUtterances; more > 0 {
		p.Utterances, p.UtterancesDropped = p.Utterances[:MaxUtterances], p.UtterancesDropped+more
	}
	p.ResponseMS = p.ResponseMS[:min(len(p.ResponseMS), MaxUtterances)]
	p.Utterances, p.ResponseMS = orEmpty(p.Utterances), orEmpty(p.ResponseMS)
	return &p
}

// Within is a conversation of its own whose times are in a recording of so many ms: what was heard behind its
// end has no length there. The recording ends before its call if its stream was stopped, dropped or full, and a
// little before what is heard last in any case. nil for nil.
func (a *Agent) Within(ms int64) *Agent {
	if a == nil {
		return nil
	}
	p := *a
	for _, at := range []**int64{&p.ConnectedMS, &p.FirstAudioMS} {
		if *at != nil {
			*at = new(min(**at, ms))
		}
	}
	p.Utterances = slices.Clone(p.Utterances)
	for i := range p.Utterances {
		u := &p.Utterances[i]
		u.FromMS, u.ToMS = min(u.FromMS, ms), min(u.ToMS, ms)
	}
	return &p
}

// brief is a conversation for the log and for those that are kept in memory; nil for nil.
func (a *Agent) brief() *Agent {
	p := a.whole()
	if p == nil {
		return nil
	}
	if more := len(p.Utterances) - briefUtterances; more > 0 {
		p.UtterancesInFile, p.Utterances = more, slices.Clone(p.Utterances[:briefUtterances])
	}
	if more := len(p.ResponseMS) - briefUtterances; more > 0 {
		p.ResponsesInFile, p.ResponseMS = more, slices.Clone(p.ResponseMS[:briefUtterances])
	}
	return p
}

// halve leaves out the last half of what the bot has said and how fast.
func (a *Agent) halve() {
	half := len(a.Utterances) / 2
	a.Utterances, a.UtterancesDropped = a.Utterances[:half], a.UtterancesDropped+len(a.Utterances)-half
	a.ResponseMS = a.ResponseMS[:len(a.ResponseMS)/2]
}
