package esl

import (
	"fmt"
	"iter"
	"testing"

	"tapdeck/controller/esl/internal/fio"
)

// Event is one event, disconnect notice or reply of the switch. It is never
// changed after it was made, so it may be shared.
type Event struct {
	// Body is the event's body, such as the answer of a BACKGROUND_JOB; "" if none.
	Body string

	header fio.Header
	listed fio.Names // Config.Headers
}

// Name returns Event-Name, such as CHANNEL_HANGUP; "" for a disconnect notice.
func (e *Event) Name() string { return e.Get("Event-Name") }

// Subclass returns Event-Subclass of a CUSTOM event, such as mod_audio_stream::connect.
func (e *Event) Subclass() string { return e.Get("Event-Subclass") }

// ContentType returns the header Content-Type, which only replies and
// disconnect notices have of the protocol: text/disconnect-notice.
func (e *Event) ContentType() string { return e.Get("Content-Type") }

// Get returns the value of a header, found in any case: Get("Unique-ID"),
// Get("variable_sip_h_X-Foo"). It returns "" if the event has no such header, or if its
// value is no string (JSON events can hold arrays). The name must be one of
// Config.Headers: another one may be there or not, so it is a panic in a test.
func (e *Event) Get(name string) string {
	e.mustList(name)
	return e.header.Get(name)
}

// Names yields the names of the headers that begin with prefix, in any case and in no
// order. Config.Headers must list the prefix, as for Get.
func (e *Event) Names(prefix string) iter.Seq[string] {
	e.mustList(prefix)
	return e.header.Names(prefix)
}

func (e *Event) mustList(name string) {
	if testing.Testing() && !e.listed.Has([]byte(name)) {
		panic(fmt.Sprintf("header %q is read, but Config.Headers does not list it", name))
	}
}
