package controller

import "time"

// Observer is told what happens in calls: of each call by its own goroutine, in order. It must not
// block, and must not change what it is given.
type Observer interface {
	Observe(Event)
}

// Event is something that has happened in a call.
type Event struct {
	Kind EventKind
	// Call is the call's id, Info.UUID.
	Call string
	At   time.Time
	// Data says more: of EventTranscriptFinal and EventTranscriptInterim a transcript.Segment.
	Data any
}

// EventKind is one word of a closed list.
type EventKind string

// The kinds of events.
const (
	EventTranscriptFinal   EventKind = "transcript.final"
	EventTranscriptInterim EventKind = "transcript.interim" // words that may still change
)
