package admin

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"tapdeck/cmd/internal/events"
)

// What is asked wrongly is answered with field, value and rule.
func TestEventRequests(t *testing.T) {
	bus := events.New("fs1", zap.NewNop(), prometheus.NewRegistry())
	none := newTestServer(t, func(*Server) {})
	open := newTestServer(t, func(o *Server) { o.Events = bus })
	closed := newTestServer(t, func(o *Server) { o.Events, o.Token = bus, "open-sesame" })
	const types = "must be transcript.final, transcript.interim, or the begin of one of them with a * behind"
	for _, c := range []struct {
		s            *testServer
		method, path string
		code         int
		answer       string
	}{
		{none, "GET", "/events", 404, ""},
		{closed, "GET", "/events", 401, "admin.token"},
		{open, "POST", "/events", 405, ""},
		{open, "HEAD", "/events", 200, ""},
		{open, "GET", "/events?type=transcrpt.*", 400, `type="transcrpt.*": ` + types},
		{open, "GET", "/events?type=*&type=", 400, `type="": ` + types},
		{open, "GET", "/events?type=*" + strings.Repeat("&type=*", maxTypes), 400, "type: comes 51 times, must come at most 50 times"},
		{open, "GET", "/events?call=a&types=transcript.final", 400, `"types": no such parameter; there are type, call, last_event_id`},
		{open, "GET", "/events?type=%zz", 400, "query: "},
		{open, "GET", "/events?Call=a", 400, `"Call": no such parameter`},
		{open, "GET", "/events?call=", 400, `call: channel id (Unique-ID) "": must be 1 to 256 bytes of UTF-8`},
		{open, "GET", "/events?call=a%20b", 400, `call: channel id (Unique-ID) "a b": must hold no blank and no control character`},
		{open, "GET", "/events?call=a&call=b", 400, `call="b": must come once`},
		{open, "GET", "/events?last_event_id=0190163d-8694-739b-aea5-966c26f8ad91&last_event_id=", 400, `last_event_id="": must come once`},
		{open, "GET", "/events?last_event_id=7", 400, `last_event_id="7": must be the id of an event, a UUID`},
	} {
		code, answer := c.s.ask(c.method, c.path, "", "")
		if code != c.code || !strings.Contains(answer, c.answer) {
			t.Errorf("%s %s: %d %.300q, want %d with %q", c.method, c.path, code, answer, c.code, c.answer)
		}
	}
	req, err := http.NewRequest(http.MethodGet, "http://"+open.address+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Last-Event-ID", "7")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 400 || string(text) != "Last-Event-ID: \"7\": must be the id of an event, a UUID\n" {
		t.Errorf("%d %q, %v", resp.StatusCode, text, err)
	}
}
