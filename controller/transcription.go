package controller

import (
	"time"

	"tapdeck/controller/transcript"
)

// Transcription is what a service has made of what was said in a call.
type Transcription struct {
	// Format is the wire, "deepgram" or "vosk", and Model and Language are the plan's.
	Format, Model, Language string
	// Connects counts the connections that were made, and Reconnects those of them that came after a
	// loss.
	Connects, Reconnects int
	// Segments are the final ones, in the order in which they became so: as many as maxSegments and
	// maxSegmentText allow. SegmentsDropped counts more.
	Segments        []transcript.Segment
	SegmentsDropped int
	// Missing is audio of the recording that the service has not answered for good; while the call goes on
	// that is also what it was just sent.
	Missing time.Duration
	// WrongMessages counts the service's messages that were not as they should be.
	WrongMessages int
	// Err is why words are missing, and Hint what to do; empty if none are.
	Err, Hint string
}

// progress grows with what is worth a note: a connection, and final words.
func (t *Transcription) progress() int {
	if t == nil {
		return 0
	}
	return len(t.Segments) + t.Connects
}
