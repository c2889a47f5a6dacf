package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tapdeck/cmd/internal/events"
	"tapdeck/controller/esl"
)

const (
	// commentInterval is how often a stream of events shows that it lives.
	commentInterval = 15 * time.Second
	// eventTimeout bounds each write to a subscriber: one that reads nothing is cut.
	eventTimeout = 10 * time.Second
	// maxTypes bounds what a client asks for by type.
	maxTypes = 50
)

// follow sends events as they come, as text/event-stream, until the client or the server ends it.
// ?call=ID and ?type=PATTERN, which may come more than once, choose them. With Last-Event-ID, or
// ?last_event_id=ID, those that came after that one and are kept come first. HEAD is answered at once.
func (s *Server) follow(w http.ResponseWriter, r *http.Request) {
	filter, after, err := subscription(r)
	if err != nil {
		writeText(w, http.StatusBadRequest, err.Error())
		return
	}
	if r.Method == http.MethodHead { // which the pattern of GET has, too: there would be no end to it
		setEventHeaders(w)
		return
	}
	sub, err := s.Events.Subscribe(filter, after)
	if err != nil {
		w.Header().Set("Retry-After", "10")
		writeText(w, http.StatusServiceUnavailable, fmt.Sprintf("%d clients read /events, and no more may: end one of them, or try again later", events.MaxSubscriptions))
		return
	}
	defer sub.Close()
	setEventHeaders(w)
	_ = eventStream{w, http.NewResponseController(w)}.send(r.Context(), sub)
}

func setEventHeaders(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep events to itself
}

// subscription reads what a client asks for. The error names field, value and rule.
func subscription(r *http.Request) (f events.Filter, after *uuid.UUID, err error) {
	query, err := parameters(r)
	if err != nil {
		return f, nil, err
	}
	for _, call := range query["call"] {
		if err := esl.CheckChannelID(call); err != nil {
			return f, nil, fmt.Errorf("call: %w", err)
		}
		f.Call = call
	}
	if n := len(query["type"]); n > maxTypes {
		return f, nil, fmt.Errorf("type: comes %d times, must come at most %d times", n, maxTypes)
	}
	for _, pattern := range query["type"] {
		if err := events.CheckType(pattern); err != nil {
			return f, nil, fmt.Errorf("type=%.100q: %w", pattern, err)
		}
		f.Types = append(f.Types, pattern)
	}
	after, err = lastEvent(r)
	return f, after, err
}

// parameters reads the query. What is unknown, unreadable or ambiguous is an error: who asks for less by it would
// be sent everything.
func parameters(r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("query: %w: must be NAME=VALUE, with & between, and %%XX for other characters", err)
	}
	known := []string{"type", "call", "last_event_id"}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("%.100q: no such parameter; there are %s", name, strings.Join(known, ", "))
		}
	}
	for _, name := range []string{"call", "last_event_id"} {
		if values := query[name]; len(values) > 1 {
			return nil, fmt.Errorf("%s=%.100q: must come once", name, values[1])
		}
	}
	return query, nil
}

// lastEvent is the ID of the event after which a client goes on, nil if it states none. A browser that
// connects again asks for the same address, and the header says how far it has come.
func lastEvent(r *http.Request) (*uuid.UUID, error) {
	field, text := "Last-Event-ID: ", r.Header.Get("Last-Event-ID")
	if text == "" {
		field, text = "last_event_id=", r.URL.Query().Get("last_event_id")
	}
	if text == "" {
		return nil, nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s%.100q: must be the id of an event, a UUID", field, text)
	}
	return &id, nil
}

// eventStream is an answer that goes on.
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// send writes events until ctx is done or a write fails.
func (s eventStream) send(ctx context.Context, sub *events.Subscription) error {
	comment := time.NewTicker(commentInterval)
	defer comment.Stop()
	err := s.write(": events follow\n\n")
	if sub.Forgotten() && err == nil {
		err = s.dropped(events.Dropped{Reason: events.ReasonForgotten})
	}
	for err == nil {
		if err = s.control.Flush(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-sub.Ready():
			err = s.all(ctx, sub)
		case <-comment.C:
			err = s.write(":\n\n")
		}
	}
	return err
}

// all writes the events that wait.
func (s eventStream) all(ctx context.Context, sub *events.Subscription) error {
	for ctx.Err() == nil {
		e, dropped := sub.Next()
		if dropped > 0 {
			if err := s.dropped(events.Dropped{Reason: events.ReasonSlow, Events: dropped}); err != nil {
				return err
			}
		}
		if e == nil {
			return nil
		}
		if err := s.write("id: %s\nevent: %s\ndata: %s\n\n", e.ID, e.Type, e.JSON()); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// dropped says that events are missing. It has no id, so that the client's last one stays.
func (s eventStream) dropped(d events.Dropped) error {
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return s.write("event: dropped\ndata: %s\n\n", data)
}

// write writes a message, and gives it, and a Flush, eventTimeout.
func (s eventStream) write(format string, args ...any) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(eventTimeout)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.w, format, args...)
	return err
}
