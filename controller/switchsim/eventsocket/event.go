package eventsocket

import (
	"slices"
	"sync"
	"sync/atomic"

	"tapdeck/controller/switchsim/capture"
)

// Event is one event, before it is written in the format of a listener.
type Event struct {
	// Name is the Event-Name, Subclass that of a CUSTOM event.
	Name, Subclass string
	// UUID is the Unique-ID and Owner the Job-Owner-UUID, by which myevents tells
	// the channel's own events.
	UUID, Owner string
	// Headers writes the headers as they were when the event happened.
	Headers func(*capture.Writer)
	Body    string
}

// text returns the event as it is sent.
func (e *Event) text(json bool) []byte {
	return capture.Event(json, e.Headers, e.Body, e.Name == "BACKGROUND_JOB")
}

// Bus is the listeners that hear the events of every channel. What belongs to
// its own channel a listener is given directly.
type Bus struct {
	mu    sync.RWMutex
	all   []*Listener
	count atomic.Int32 // len(all), to be asked without the lock
}

// Add adds a listener, once.
func (b *Bus) Add(l *Listener) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Contains(b.all, l) {
		b.all = append(b.all, l)
		b.count.Store(int32(len(b.all)))
	}
}

// Remove removes a listener, if it is there.
func (b *Bus) Remove(l *Listener) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = slices.DeleteFunc(b.all, func(other *Listener) bool { return other == l })
	b.count.Store(int32(len(b.all)))
}

// Broadcast delivers an event to all listeners but own, which have had it.
func (b *Bus) Broadcast(e *Event, own ...*Listener) {
	if b.count.Load() == 0 {
		return
	}
	b.mu.RLock()
	all := slices.Clone(b.all)
	b.mu.RUnlock()
	for _, l := range all {
		if !slices.Contains(own, l) {
			l.Deliver(e)
		}
	}
}
