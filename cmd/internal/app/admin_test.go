package app

import (
	"encoding/json"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/callview"
	"tapdeck/cmd/internal/config"
	"tapdeck/cmd/internal/verify"
	"tapdeck/controller/switchsim"
)

// TestHealth has the three answers of /readyz under calls.
func TestHealth(t *testing.T) {
	s := newTestDaemon(t, shortCalls, func(c *config.Config) { c.ESL.MaxCalls = 1 })
	var got []int
	ask := func() {
		live, _ := s.ask("GET", "/livez", "")
		ready, _ := s.ask("GET", "/readyz", "")
		got = append(got, live, ready)
	}
	ask()
	call := s.place(switchsim.CallSpec{Variables: map[string]string{"tapdeck_listen": "1m"}})
	s.inStep("listen")
	ask()
	refused := s.place(switchsim.CallSpec{}).Wait()
	call.Hangup()
	call.Wait()
	apptest.Until(t, "the end of the call", func() bool { return len(s.controller.Calls()) == 0 })
	ask()
	long := s.place(switchsim.CallSpec{Variables: map[string]string{"tapdeck_listen": "1m"}})
	s.inStep("listen")
	close(s.drain)
	apptest.Until(t, "draining", s.controller.Draining)
	ask()
	long.Hangup()
	long.Wait()
	if diff := cmp.Diff([]int{200, 200, 200, 429, 200, 200, 200, 503}, got); diff != "" {
		t.Errorf("livez and readyz when idle, full, idle, draining (-want +got):\n%s", diff)
	}
	if refused.Answered || !refused.NextAction {
		t.Errorf("a call over max_calls: answered %v, next action %v", refused.Answered, refused.NextAction)
	}
	if r := s.record(refused.UUID); r.Result != "refused" || !strings.Contains(r.Err, "max_calls") {
		t.Errorf("a call over max_calls: result %q, err %q", r.Result, r.Err)
	}
}

func TestCallsPages(t *testing.T) {
	s := newTestDaemon(t, shortCalls)
	call := s.place(switchsim.CallSpec{
		Caller: "4711", Voice: switchsim.ToneVoice(8000, 400, 0.5), Variables: map[string]string{"tapdeck_listen": "1m"},
	})
	var page callview.Page
	apptest.Until(t, "the call's level", func() bool {
		_, body := s.ask("GET", "/calls", "")
		page = callview.Page{}
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		return len(page.Running) == 1 && page.Running[0].Step == "listen" && page.Running[0].LevelDBFS != nil && page.Running[0].AudioMS > 0
	})
	now := page.Running[0]
	if level := *now.LevelDBFS; level < -10 || level > -8 { // half of full scale: -9.03 dB
		t.Errorf("level %v dBFS", level)
	}
	if now.Call != call.UUID() || now.Caller != "4711" || !now.Live || now.Connections != 1 || now.AgeMS < now.StepMS || len(page.Ended) != 0 {
		t.Errorf("page of a running call: %+v, %d ended", now, len(page.Ended))
	}
	code, body := s.ask("GET", "/calls/"+strings.ToUpper(call.UUID()), "")
	if code != 200 || !strings.Contains(body, `"step": "listen"`) {
		t.Errorf("%d %s", code, body)
	}
	call.Hangup()
	call.Wait()
	want := s.record(call.UUID())
	apptest.Until(t, "the ended call", func() bool { return len(s.controller.Ended()) == 1 })
	_, body = s.ask("GET", "/calls/"+call.UUID(), "")
	var got callview.Record
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the record on disk and on the page (-disk +page):\n%s", diff)
	}
	for path, want := range map[string]int{"/calls": 1, "/calls?ended=0": 0, "/calls?ended=7": 1} {
		_, body := s.ask("GET", path, "")
		page = callview.Page{}
		if err := json.Unmarshal([]byte(body), &page); err != nil || len(page.Ended) != want || page.Running == nil {
			t.Errorf("%s has %d ended calls, not %d (%v): %s", path, len(page.Ended), want, err, body)
		}
	}
}

// maxAdminConnections is how many connections the admin listener takes.
const maxAdminConnections = 128

// TestSlowClientsHurtNoCall fills the admin listener with clients that never end
// their requests or never read the answers, and places a call meanwhile.
func TestSlowClientsHurtNoCall(t *testing.T) {
	s := newTestDaemon(t, shortCalls)
	address := s.listeners.Admin.Addr().String()
	for i := range maxAdminConnections {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		request := "GET /calls HTTP/1.1\r\nHost: x\r\nX-Half: "
		if i%16 == 0 {
			request = strings.Repeat("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 500)
		}
		if _, err := conn.Write([]byte(request)); err != nil {
			t.Fatal(err)
		}
	}
	if code, body := s.ask("GET", "/livez", ""); code != 200 {
		t.Errorf("one more is answered %d %q: those make no room", code, body)
	}
	report := s.place(switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 400, 0.5)}).Wait()
	if record, _, err := verify.Recording(s.dir, report); err != nil || record.Result != "completed" {
		t.Errorf("the call beside slow clients: %q, %v", record.Result, err)
	}
	if took := report.SocketClosed.Sub(report.Began); took > apptest.Patience/2 {
		t.Errorf("the call beside slow clients took %v", took)
	}
}

// TestAnyCallID is that a call whose channel id is no UUID is recorded and found by that id.
func TestAnyCallID(t *testing.T) {
	s := newTestDaemon(t, shortCalls)
	for _, id := range []string{"1-12877@127.0.0.1", "../A/ä%2f?x", "1234567899-2"} {
		report := s.place(switchsim.CallSpec{UUID: id, Voice: switchsim.ToneVoice(8000, 400, 0.5)}).Wait()
		apptest.Until(t, "the end of the call", func() bool { return len(s.controller.Calls()) == 0 })
		record, _, err := verify.Recording(s.dir, report)
		if err != nil || record.Call != id || record.Result != "completed" {
			t.Errorf("%s: %+v, %v", id, record, err)
		}
		if code, body := s.ask("GET", "/calls/"+url.PathEscape(id), ""); code != 200 || !strings.Contains(body, `"result": "completed"`) {
			t.Errorf("%s: %d %s", id, code, body)
		}
	}
}
