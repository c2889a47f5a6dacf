package agent

import (
	"sync"
	"time"
)

// Kind is what an event says.
type Kind string

// What happens in a conversation.
const (
	Connected  Kind = "connected"  // the bot is there
	Lost       Kind = "lost"       // it is dialled again; Err is why, Text a hint
	Ended      Kind = "ended"      // the bot has closed the connection as one does
	Failed     Kind = "failed"     // not reached, or lost for good; Err is why, Text a hint
	HangUp     Kind = "hangup"     // the bot asks for it; Text is FreeSWITCH's cause
	Transfer   Kind = "transfer"   // the bot asks for it; Text is what uuid_transfer is given after the id
	SendDigits Kind = "digits"     // the bot asks for it; Text are the digits
	Cleared    Kind = "cleared"    // the bot has cleared what was not heard yet
	BadMessage Kind = "badmessage" // one of the bot's messages is wrong; Err is why
)

// Event is something that the call should know.
type Event struct {
	Kind Kind
	At   time.Time
	// Text of a request is validated: it is safe in a command of the switch.
	Text string
	Err  error
}

const (
	// maxEvents bounds the events that wait for the call.
	maxEvents = 64
	// freeForRequests of them are kept for all but Cleared and BadMessage, freeForEnd for Ended and Failed.
	freeForRequests = 32
	freeForEnd      = 2
)

// events is a queue that never holds up who adds to it.
type events struct {
	mu sync.Mutex // one at a time adds
	c  chan Event
}

// add returns false if there is no room for such an event.
func (e *events) add(event Event) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	free := maxEvents - len(e.c)
	switch event.Kind {
	case Ended, Failed:
	case Cleared, BadMessage:
		free -= freeForRequests
	default:
		free -= freeForEnd
	}
	if free <= 0 {
		return false
	}
	e.c <- event
	return true
}
