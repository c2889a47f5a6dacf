package controller

import "time"

// Conversation is a call's with a bot. Of several steps agent it is all of them together.
type Conversation struct {
	// Format is the wire, "twilio" or "pcm".
	Format string
	// Connects counts the connections that were made, and Reconnects those of them that came after
	// a loss.
	Connects, Reconnects int
	// BargeIns counts the utterances that were cut short by the caller's speech, or by the bot's own
	// clear. One that the end of the conversation has cut short is none.
	BargeIns int
	// ConnectedAt is when the bot was connected first, and FirstAudioAt when its first audio came;
	// zero if that never was.
	ConnectedAt, FirstAudioAt time.Time
	// EndedBy is what has ended it, a flow.TalkEnd; empty while it goes on.
	EndedBy string
	// Utterances are what the caller has heard of the bot, in order: the first 1000, and
	// UtterancesDropped counts more.
	Utterances        []Utterance
	UtterancesDropped int
	// Responses are, in order, the times from the end of the caller's speech until the bot was heard:
	// the first 1000.
	Responses []time.Duration
	// Dropped is audio of the caller that the bot was too slow for, and Refused audio of the bot that
	// was not played since too much of it waited.
	Dropped, Refused time.Duration
	// Lost is audio of the bot that the switch could not play.
	Lost time.Duration
	// WrongMessages counts the bot's messages that were not as they should be.
	WrongMessages int
}

// Utterance is what the caller has heard of the bot at one go.
type Utterance struct {
	From, To time.Time
	// Cleared says that it was cut short.
	Cleared bool
}

// progress grows with what is worth a note: a connection, and what the caller has heard.
func (c *Conversation) progress() int {
	if c == nil {
		return 0
	}
	return len(c.Utterances) + c.Connects
}
