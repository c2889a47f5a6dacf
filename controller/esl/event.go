package esl

import (
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"

	"go.uber.org/zap"

	"tapdeck/controller/esl/internal/fio"
)

// Event is one event, disconnect notice or reply of the switch. It is never
// changed after it was made, so it may be shared.
type Event struct {
	// Body is the event's body, such as the answer of a BACKGROUND_JOB; "" if none.
	Body string

	header fio.Header
	listed *headerList // nil lists every name
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
// Config.Headers: another one may be there or not, so it is a panic in a test, and one
// line of the log in production.
func (e *Event) Get(name string) string {
	e.listed.check(name)
	return e.header.Get(name)
}

// Names yields the names of the headers that begin with prefix, in any case and in no
// order. Config.Headers must list the prefix, as for Get.
func (e *Event) Names(prefix string) iter.Seq[string] {
	e.listed.check(prefix)
	return e.header.Names(prefix)
}

// headerList is Config.Headers, which an Event may be asked for.
type headerList struct {
	names    fio.Names
	log      *zap.Logger
	reported sync.Map // the names that check has logged
}

func newHeaderList(names []string, log *zap.Logger) *headerList {
	if len(names) > 0 {
		names = append(slices.Clip(names), "Unique-ID", "Application", "Socket-Mode", "variable_socket_resume") // for release.go
	}
	return &headerList{names: fio.NewNames(names), log: log}
}

// check reports a name that is read and not listed.
func (l *headerList) check(name string) {
	if l == nil || l.names.Has([]byte(name)) {
		return
	}
	if testing.Testing() {
		panic(fmt.Sprintf("header %q is read, but Config.Headers does not list it", name))
	}
	l.report(name)
}

// report logs a name, once.
func (l *headerList) report(name string) {
	if _, again := l.reported.LoadOrStore(name, true); !again {
		l.log.Error("header not listed", zap.String("header", name), hint(hintUnlisted))
	}
}
