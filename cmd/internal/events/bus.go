package events

import (
	"bytes"
	"errors"
	"net/url"
	"sync"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"tapdeck/controller"
)

// Bounds of a Bus.
const (
	// MaxSubscriptions is how many there are at once.
	MaxSubscriptions = 100
	// maxLatest and maxLatestBytes bound what is kept for subscribers that come back.
	maxLatest      = 1000
	maxLatestBytes = 4 << 20
	// maxWaiting and maxWaitingBytes bound what waits for one subscriber: all that is kept, and as
	// many more as come while it reads that.
	maxWaiting      = maxLatest + 256
	maxWaitingBytes = maxLatestBytes + 1<<20
)

// ErrTooMany says that MaxSubscriptions are there.
var ErrTooMany = errors.New("as many subscriptions as are possible at once")

// Bus hands the events of calls to its subscribers. It implements controller.Observer. Its methods
// are safe for concurrent use.
type Bus struct {
	source  string
	log     *zap.Logger
	total   *prometheus.CounterVec
	dropped prometheus.Counter

	mu            sync.Mutex // protects the following; held before a Subscription's
	subscriptions map[*Subscription]struct{}
	latest        queue
	// newest is the ID of the newest event, forgotten that of the newest one that was kept and is not
	// any more; first of all, both are the begin of the process.
	newest, forgotten uuid.UUID
}

// New returns a bus of the instance with this name.
func New(instance string, log *zap.Logger, registry prometheus.Registerer) *Bus {
	b := &Bus{
		source: "/tapdeck/" + url.PathEscape(instance), log: log, subscriptions: map[*Subscription]struct{}{},
		total:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tapdeck_events_total", Help: "Events of calls, whether anybody has subscribed to them or not."}, []string{"type"}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "tapdeck_events_dropped_total", Help: "Events that a client was not sent because it read too slowly."}),
	}
	for kind := range kinds {
		b.total.WithLabelValues(string(kind))
	}
	registry.MustRegister(b.total, b.dropped)
	b.newest = uuid.Must(uuid.NewV7())
	b.forgotten = b.newest
	return b
}

// Observe implements controller.Observer. It never waits for a subscriber. An event that is not kept,
// and to which nobody has subscribed, costs nothing but its count.
func (b *Bus) Observe(e controller.Event) {
	b.total.WithLabelValues(string(e.Kind)).Inc()
	if !kinds[e.Kind].kept && !b.isWanted(e) {
		return
	}
	event, err := newEvent(b.source, e)
	if err == nil {
		err = b.publish(event, e.Kind)
	}
	if err != nil {
		b.log.Error("event lost", zap.String("call", e.Call), zap.NamedError("err", err), zap.String("hint", "a defect: please report it"))
	}
}

// isWanted says whether anybody has subscribed to an event.
func (b *Bus) isWanted(e controller.Event) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.subscriptions {
		if s.filter.matches(e.Call, e.Kind) {
			return true
		}
	}
	return false
}

// publish hands an event on. It gets its ID here, since the order of the IDs is that of the queues.
func (b *Bus) publish(e *Event, kind controller.EventKind) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := e.identify(); err != nil {
		return err
	}
	b.newest = e.ID
	if kinds[kind].kept {
		b.keep(e)
	}
	for s := range b.subscriptions {
		if s.filter.matches(e.Subject, kind) {
			s.push(e)
		}
	}
	return nil
}

func (b *Bus) keep(e *Event) {
	b.latest.push(e)
	for b.latest.exceeds(maxLatest, maxLatestBytes) {
		b.forgotten = b.latest.pop().ID
	}
}

// Subscribe returns a subscription to the events that come from now on. Those of the kept ones that
// came after the event with the ID after, if it is not nil, come first; if that ID is none of this
// process, or one that is older than all that are kept, all of these do, and Forgotten says so. The error is ErrTooMany.
func (b *Bus) Subscribe(filter Filter, after *uuid.UUID) (*Subscription, error) {
	s := &Subscription{bus: b, filter: filter, ready: make(chan struct{}, 1)}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.subscriptions) >= MaxSubscriptions {
		return nil, ErrTooMany
	}
	b.subscriptions[s] = struct{}{}
	if after == nil {
		return s, nil
	}
	s.forgotten = isBefore(*after, b.forgotten) || isBefore(b.newest, *after)
	for _, e := range b.latest.events {
		if (s.forgotten || isBefore(*after, e.ID)) && filter.matches(e.Subject, controller.EventKind(e.Type)) {
			s.push(e)
		}
	}
	return s, nil
}

// isBefore says whether an event's ID is older than another.
func isBefore(a, b uuid.UUID) bool { return bytes.Compare(a[:], b[:]) < 0 }
