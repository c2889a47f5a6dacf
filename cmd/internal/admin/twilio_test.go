package admin

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tapdeck/controller"
)

const (
	bot1, bot2 = "AC00000000000000000000000000000001", "AC00000000000000000000000000000002"
	talking    = "CA11111111111111111111111111111111"
	other      = "CA22222222222222222222222222222222"
)

// twoCalls are a running call of each of two plans, by their SIDs.
type twoCalls struct{ noCalls }

func (twoCalls) Calls() []controller.Status {
	call := func(sid, plan string) controller.Status {
		return controller.Status{Info: controller.Info{UUID: "id-of-" + sid, Plan: plan, Caller: "1001", Destination: "5000", Started: time.Unix(0, 0)}}
	}
	return []controller.Status{call(talking, "bot"), call(other, "private")}
}

// twilioServer is a server with two accounts, and the calls that were hung up.
func twilioServer(t *testing.T, ended bool, err error) (s *testServer, hungUp *[]string) {
	hungUp = new([]string)
	return newTestServer(t, func(o *Server) {
		o.Token, o.Calls = "admins-only", twoCalls{}
		o.Twilio = &Twilio{
			Accounts: func() ([]Account, error) {
				return []Account{{"bot", bot1, "secret-1"}, {"private", bot2, "secret-2"}, {"none", "AC00000000000000000000000000000003", ""}}, err
			},
			CallSID: func(id string) string { return strings.TrimPrefix(id, "id-of-") },
			HangUp: func(id string) bool {
				*hungUp = append(*hungUp, id)
				return !ended
			},
		}
	}), hungUp
}

// post posts a form as Twilio's clients do.
func (s *testServer) post(path, user, password, form string) (code int, answer map[string]any) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+s.address+path, strings.NewReader(form))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if user != "" {
		req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil || json.Unmarshal(data, &answer) != nil || resp.Header.Get("Content-Type") != "application/json" {
		s.t.Fatalf("%v, %s: %q", err, resp.Header.Get("Content-Type"), data)
	}
	return resp.StatusCode, answer
}

// A bot hangs up as it does at Twilio, with the account of its own plan only.
func TestHangUpByREST(t *testing.T) {
	path := func(account, call string) string {
		return "/2010-04-01/Accounts/" + account + "/Calls/" + call + ".json"
	}
	for _, c := range []struct {
		name, path, user, password, form string
		code                             int
		answer                           float64 // Twilio's code; 0 is a call
		hangsUp                          bool
	}{
		{"right", path(bot1, talking), bot1, "secret-1", "Status=completed", 200, 0, true},
		{"canceled", path(bot1, talking), bot1, "secret-1", "Status=canceled", 200, 0, true},
		{"in the case of another client", path(bot1, strings.ToLower(talking)), bot1, "secret-1", "Status=completed", 200, 0, true},
		{"the call of another plan", path(bot1, other), bot1, "secret-1", "Status=completed", 404, 20404, false},
		{"its own account", path(bot2, other), bot2, "secret-2", "Status=completed", 200, 0, true},
		{"a call that does not run", path(bot1, "CA"+strings.Repeat("3", 32)), bot1, "secret-1", "Status=completed", 404, 20404, false},
		{"an account that is not the user's", path(bot2, other), bot1, "secret-1", "Status=completed", 401, 20003, false},
		{"no password", path(bot1, talking), "", "", "Status=completed", 401, 20003, false},
		{"a wrong password", path(bot1, talking), bot1, "secret-2", "Status=completed", 401, 20003, false},
		{"a longer password", path(bot1, talking), bot1, "secret-12", "Status=completed", 401, 20003, false},
		{"an empty password", path(bot1, talking), bot1, "", "Status=completed", 401, 20003, false},
		{"an account without a token", path("AC00000000000000000000000000000003", talking), "AC00000000000000000000000000000003", "", "Status=completed", 401, 20003, false},
		{"the admin's token", path(bot1, talking), "admins-only", "admins-only", "Status=completed", 401, 20003, false},
		{"another status", path(bot1, talking), bot1, "secret-1", "Status=in-progress", 400, 20001, false},
		{"no status", path(bot1, talking), bot1, "secret-1", "Url=http://evil.example/twiml", 400, 20001, false},
		{"a form that is none", path(bot1, talking), bot1, "secret-1", "%zz", 400, 20001, false},
		{"a form without end", path(bot1, talking), bot1, "secret-1", "x=" + strings.Repeat("x", maxBodyBytes), 400, 20001, false},
		{"XML", "/2010-04-01/Accounts/" + bot1 + "/Calls/" + talking, bot1, "secret-1", "Status=completed", 404, 20404, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, hungUp := twilioServer(t, false, nil)
			code, answer := s.post(c.path, c.user, c.password, c.form)
			if code != c.code || len(*hungUp) > 0 != c.hangsUp {
				t.Errorf("%d %v, hung up %q", code, answer, *hungUp)
			}
			switch {
			case c.answer > 0 && (answer["code"] != c.answer || answer["status"] != float64(code) || answer["message"] == ""):
				t.Errorf("answer %v", answer)
			case c.answer == 0 && (answer["status"] != "completed" || answer["uri"] != c.path || answer["from"] != "1001" || answer["start_time"] != "Thu, 01 Jan 1970 00:00:00 +0000"):
				t.Errorf("answer %v", answer)
			}
			if given := strings.Split(c.path, "/"); c.answer == 0 && (answer["account_sid"] != given[3] || answer["sid"] != strings.TrimSuffix(given[5], ".json")) {
				t.Errorf("answer %v, asked %s", answer, c.path)
			}
			if text, _ := answer["message"].(string); code == 400 && !strings.Contains(text, "completed or canceled") {
				t.Errorf("answer %v", answer)
			}
			if refused := s.logged.FilterMessage("hangup by REST refused").Len(); (refused == 1) != (code == 401) {
				t.Errorf("%d lines of a refusal", refused)
			}
			for _, line := range s.logged.All() {
				if text := fmt.Sprint(line.Message, line.ContextMap()); strings.Contains(text, "secret") {
					t.Errorf("a token in the log: %s", text)
				}
			}
		})
	}
}

// A call that ends at that moment is none any more; a token that can't be read is in the log.
func TestHangUpByRESTTooLate(t *testing.T) {
	const path = "/2010-04-01/Accounts/" + bot1 + "/Calls/" + talking + ".json"
	s, _ := twilioServer(t, true, nil)
	if code, answer := s.post(path, bot1, "secret-1", "Status=completed"); code != 404 || answer["code"] != 20404.0 {
		t.Errorf("%d %v", code, answer)
	}
	s, _ = twilioServer(t, false, errors.New(`token_file: "/x": permission denied`))
	if code, _ := s.post(path, bot1, "secret-1", "Status=completed"); code != 200 {
		t.Errorf("another account's token is in the way: %d", code)
	}
	s.post(path, bot1, "wrong", "Status=completed")
	if lines := s.logged.FilterMessage("hangup by REST refused").All(); len(lines) != 1 || lines[0].ContextMap()["err"] == nil {
		t.Errorf("lines %v", lines)
	}
}
