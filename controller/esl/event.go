package esl

import (
	"iter"
	"strings"

	"github.com/fiorix/go-eventsocket/eventsocket"
)

// Event is one event, disconnect notice or reply of the switch. It is never
// changed after it was made, so it may be shared.
type Event struct {
	// Body is the event's body, such as the answer of a BACKGROUND_JOB; "" if none.
	Body string

	header eventsocket.EventHeader
}

// Name returns Event-Name, such as CHANNEL_HANGUP; "" for a disconnect notice.
func (e *Event) Name() string { return e.Get("Event-Name") }

// Subclass returns Event-Subclass of a CUSTOM event, such as mod_audio_stream::connect.
func (e *Event) Subclass() string { return e.Get("Event-Subclass") }

// ContentType returns the header Content-Type, which only replies and
// disconnect notices have of the protocol: text/disconnect-notice.
func (e *Event) ContentType() string { return e.Get("Content-Type") }

// Get returns the value of a header, found in any case: Get("Unique-ID"),
// Get("variable_sip_h_X-Foo"). It returns "" if the event has no such header or
// Config.Headers does not name it, or if its value is no string (JSON events can hold
// arrays).
func (e *Event) Get(name string) string {
	v, ok := e.header[fold(name)]
	if !ok {
		v = e.search(name)
	}
	s, _ := v.(string)
	return s
}

// Names yields the names of the headers that begin with prefix, in any case, as far as
// Config.Headers names them. They come as the library keeps them, in no order.
func (e *Event) Names(prefix string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range e.header {
			if len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) && !yield(name) {
				return
			}
		}
	}
}

// search finds what the library's folding of names has left in another form;
// the smallest name wins, so that two calls agree.
func (e *Event) search(name string) any {
	found := ""
	for k := range e.header {
		if len(k) == len(name) && strings.EqualFold(k, name) && (found == "" || k < found) {
			found = k
		}
	}
	return e.header[found]
}

// fold gives a name the form in which the library keeps it: Unique-Id,
// Variable_sip_h_x-foo.
func fold(name string) string {
	if name == "" || name[0] == '_' {
		return name
	}
	lower := []byte(strings.ToLower(name))
	upper := true
	variable := strings.HasPrefix(string(lower), "variable_")
	for i, c := range lower {
		if upper && 'a' <= c && c <= 'z' {
			lower[i] = c - 'a' + 'A'
		}
		upper = !variable && (c == '-' || c == '_')
	}
	return string(lower)
}
