package events

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"tapdeck/controller"
	"tapdeck/controller/transcript"
)

// Schema is the JSON schema (2020-12) of an Event, and, as its definition dropped, of Dropped.
//
//go:embed events.schema.json
var Schema []byte

// What is the same in every Event.
const (
	specVersion = "1.0"
	contentType = "application/json"
	timeFormat  = "2006-01-02T15:04:05.000Z07:00"
)

// Event is a CloudEvent 1.0. Subscribers share it, and must not change it.
type Event struct {
	SpecVersion string `json:"specversion"`
	// ID is a UUIDv7: those of a process rise strictly.
	ID uuid.UUID `json:"id"`
	// Source is /tapdeck/ and the instance's name.
	Source string `json:"source"`
	// Type is a controller.EventKind.
	Type string `json:"type"`
	// Subject is the call's id.
	Subject string `json:"subject"`
	// Time is when it happened: RFC 3339, UTC, with ms.
	Time            string `json:"time"`
	DataContentType string `json:"datacontenttype"`
	// Data depends on Type.
	Data json.RawMessage `json:"data"`

	encoded []byte
}

// JSON is the event on one line, without its end. It must not be changed.
func (e *Event) JSON() []byte { return e.encoded }

// size is about what the event holds of memory, in bytes.
func (e *Event) size() int { return len(e.encoded) + len(e.Data) }

// kinds are all that there are.
var kinds = map[controller.EventKind]struct {
	// kept says that a subscriber that comes back is sent it. What comes so often that it would push
	// out all else is not.
	kept bool
}{
	controller.EventTranscriptFinal:   {kept: true},
	controller.EventTranscriptInterim: {kept: false},
}

// segment is the data of a transcript's events.
type segment struct {
	Channel    string  `json:"channel"`
	FromMS     int64   `json:"from_ms"`
	ToMS       int64   `json:"to_ms"`
	Text       string  `json:"text"`
	Confidence float64 `json:"confidence,omitempty"`
}

// dataOf returns what the JSON of an event's Data is made of.
func dataOf(data any) any {
	if s, ok := data.(transcript.Segment); ok {
		return segment{s.Channel, s.From.Milliseconds(), s.To.Milliseconds(), s.Text, s.Confidence}
	}
	return data
}

// newEvent returns an Event that lacks its ID and its JSON.
func newEvent(source string, e controller.Event) (*Event, error) {
	data, err := encode(dataOf(e.Data))
	if err != nil {
		return nil, fmt.Errorf("encode data of %s: %w", e.Kind, err)
	}
	return &Event{
		SpecVersion: specVersion, Source: source, Type: string(e.Kind), Subject: e.Call,
		Time: e.At.UTC().Format(timeFormat), DataContentType: contentType, Data: data,
	}, nil
}

// identify gives the event its ID, and makes its JSON.
func (e *Event) identify() (err error) {
	if e.ID, err = uuid.NewV7(); err != nil {
		return fmt.Errorf("make an id: %w", err)
	}
	if e.encoded, err = encode(e); err != nil {
		return fmt.Errorf("encode %s: %w", e.Type, err)
	}
	return nil
}

// encode returns JSON on one line, in which <, > and & stay as people read them.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Dropped tells a subscriber that it was not sent all: it stands in the stream where they are missing.
type Dropped struct {
	// Reason is ReasonSlow or ReasonForgotten.
	Reason string `json:"reason"`
	// Events is how many; 0 if nobody knows.
	Events int `json:"events,omitempty"`
}

// The reasons of Dropped.
const (
	ReasonSlow      = "slow"      // it read too slowly: the oldest that waited for it went
	ReasonForgotten = "forgotten" // the event after which it wants to go on is older than all that are kept
)
