package app

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/controller/agent"
	"tapdeck/controller/switchsim"
)

// hangUpByREST asks for the end of a call as a bot does that was written for Twilio.
func (s *testDaemon) hangUpByREST(account, token, call string) int {
	s.t.Helper()
	at := "http://" + s.listeners.Admin.Addr().String() + "/2010-04-01/Accounts/" + account + "/Calls/" + call + ".json"
	req, err := http.NewRequest(http.MethodPost, at, strings.NewReader(url.Values{"Status": {"completed"}}.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(account, token)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// A bot hangs its call up by Twilio's REST API, with the token that its file has now.
func TestHangUpByREST(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		if err := os.WriteFile(token, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("old")
	s := newTestDaemon(t, shortCalls+`  bot: {answer_pause: 1m, listen: 1m, agent: {url: "ws://127.0.0.1:1", twilio_auth_token_file: `+token+`}}
instance: fs7
`)
	call := s.place(switchsim.CallSpec{Variables: map[string]string{"tapdeck_plan": "bot"}})
	apptest.Until(t, "the call's pause", func() bool {
		calls := s.controller.Calls()
		return len(calls) == 1 && calls[0].Step == "answer_pause"
	})
	account, sid := agent.AccountSID("fs7"), agent.CallSID(call.UUID())
	write("new")
	for _, c := range []struct {
		account, token, call string
		code                 int
	}{
		{account, "old", sid, 401},
		{account, "", sid, 401},
		{agent.AccountSID("fs8"), "new", sid, 401},
		{account, "new", agent.CallSID("another"), 404},
		{account, "new", sid, 200},
	} {
		if code := s.hangUpByREST(c.account, c.token, c.call); code != c.code {
			t.Errorf("%+v: %d", c, code)
		}
	}
	call.Wait()
	if r := s.record(call.UUID()); r.Result != "completed" || r.HungUpBy != "tapdeck" {
		t.Errorf("result %s, hung up by %s", r.Result, r.HungUpBy)
	}
	apptest.Until(t, "the end of the call", func() bool { return len(s.controller.Calls()) == 0 })
	if code := s.hangUpByREST(account, "new", sid); code != 404 {
		t.Errorf("a call that has ended: %d", code)
	}
	if code, text := s.ask("GET", "/.well-known/tapdeck/pcm.schema.json", ""); code != 200 || text != string(agent.PCMSchema) {
		t.Errorf("the schema of the pcm wire: %d %.100s", code, text)
	}
}
