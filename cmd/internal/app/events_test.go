package app

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/config"
	"tapdeck/cmd/internal/events"
	"tapdeck/controller"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/transcript"
)

// follow opens /events, and returns the lines that come.
func (s *testDaemon) follow() <-chan string {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+s.listeners.Admin.Addr().String()+"/events", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	lines := make(chan string, 100)
	go func() {
		defer resp.Body.Close()
		defer close(lines)
		for in := bufio.NewScanner(resp.Body); in.Scan(); {
			lines <- in.Text()
		}
	}()
	return lines
}

// awaitLine reads lines until one has a begin; it fails if they end before.
func (s *testDaemon) awaitLine(lines <-chan string, begin string) string {
	s.t.Helper()
	limit := time.NewTimer(apptest.Patience)
	defer limit.Stop()
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				s.t.Fatalf("the stream ended without %q", begin)
			}
			if strings.HasPrefix(line, begin) {
				return line
			}
		case <-limit.C:
			s.t.Fatalf("no line %q", begin)
		}
	}
}

// What a call tells its observer comes out at /events, in this instance's name. A client that follows keeps
// neither the daemon's drain nor its end waiting.
func TestEvents(t *testing.T) {
	s := newTestDaemon(t, shortCalls, func(c *config.Config) { c.Instance = "fs7" })
	lines := s.follow()
	s.awaitLine(lines, ":")
	s.bus.Observe(controller.Event{Kind: controller.EventTranscriptFinal, Call: "45e46232", Data: transcript.Segment{Channel: "caller", Text: "hello"}})
	s.awaitLine(lines, "event: transcript.final")
	if data := s.awaitLine(lines, "data: "); !strings.Contains(data, `"source":"/tapdeck/fs7"`) || !strings.Contains(data, `"subject":"45e46232"`) || !strings.Contains(data, `"text":"hello"`) {
		t.Error(data)
	}
	if _, text := s.ask("GET", "/metrics", ""); !strings.Contains(text, "\ntapdeck_events_total{type=\"transcript.final\"} 1\n") {
		t.Error("the event is not counted")
	}
	if code, text := s.ask("GET", "/.well-known/tapdeck/events.schema.json", ""); code != 200 || text != string(events.Schema) {
		t.Errorf("the schema of events: %d %.100s", code, text)
	}
	call := s.place(switchsim.CallSpec{Variables: map[string]string{"tapdeck_listen": "1m"}})
	s.inStep("listen")
	close(s.drain)
	apptest.Until(t, "draining", s.controller.Draining)
	s.bus.Observe(controller.Event{Kind: controller.EventTranscriptFinal, Call: call.UUID(), Data: transcript.Segment{Channel: "caller"}})
	s.awaitLine(lines, "event: transcript.final") // while it drains
	began := time.Now()
	call.Hangup()
	call.Wait()
	for range lines {
	}
	if took := time.Since(began); took > apptest.Patience/2 {
		t.Errorf("the end took %v", took)
	}
}
