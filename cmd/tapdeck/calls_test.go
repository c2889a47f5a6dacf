package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/callview"
	"tapdeck/controller/switchsim"
)

// TestCallsCommand looks at a daemon as its operator does.
func TestCallsCommand(t *testing.T) {
	s := serve(t, scriptConfig)
	admin := s.admin
	call := s.place(switchsim.CallSpec{
		Voice: switchsim.ToneVoice(8000, 400, 0.5), Variables: map[string]string{"tapdeck_listen": "1m", "tapdeck_tone_duration": "40ms", "tapdeck_prompt": "silence_stream://40"},
	})
	s.inStep("listen")
	_, out, _ := runProgram(t, t.Context(), "calls", "--admin", admin)
	if !regexp.MustCompile(`(?m)^` + call.UUID() + `  1001    9999  default  listen  \d\.\ds  \d\.\ds   █{17}··· -9 dBFS$`).MatchString(out) {
		t.Errorf("calls of a running call:\n%s", out)
	}
	_, out, _ = runProgram(t, t.Context(), "calls", "--admin", admin, call.UUID())
	for _, want := range []string{"call " + call.UUID() + " runs", "step         listen, for ", "1 connection", "-9 dBFS"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	call.Hangup()
	call.Wait()
	s.wait("the ended call", func(p *callview.Page) bool { return len(p.Ended) == 1 })
	code, out, _ := runProgram(t, t.Context(), "calls", "--admin", admin, call.UUID())
	var told []string
	for line := range strings.Lines(out) {
		if m := regexp.MustCompile(`^  \d\d:\d\d:\d\d\.\d{3}  \+\d+\.\d{3}  (.*)\n$`).FindStringSubmatch(line); m != nil {
			told = append(told, m[1])
		}
	}
	want := []string{
		"call started: 1001 to 9999, plan default", "channel data", "answered", "tone", "stream start", "stream connected", "prompt",
		"listen", "hung up by caller (NORMAL_CLEARING)", "call ended: caller_hangup",
	}
	first := slices.Index(told, "first audio") // before or after the prompt's begin
	if first < 0 {
		t.Fatalf("no first audio in\n%s", out)
	}
	if diff := cmp.Diff(want, slices.Delete(told, first, first+1)); diff != "" || code != exitDone {
		t.Errorf("timeline (-want +got), exit code %d:\n%s\n%s", code, diff, out)
	}
	if !strings.Contains(out, call.UUID()+".wav\n") || !strings.Contains(out, "level -9.0 dBFS, peak -6.0, 1 connection") {
		t.Errorf("what was recorded is missing in\n%s", out)
	}
}

// TestFollow watches a call come and go, and the daemon with it.
func TestFollow(t *testing.T) {
	s := serve(t, scriptConfig)
	ctx, cancel := context.WithCancel(t.Context())
	var out apptest.Journal
	p := &program{Stdout: &out, Stderr: &out}
	ended := make(chan int, 1)
	go func() {
		ended <- p.Run(ctx, []string{"calls", "--follow", "--interval", "100ms", "--admin", s.admin})
	}()
	out.Wait(t, "0 calls running")
	call := s.place(switchsim.CallSpec{Variables: map[string]string{"tapdeck_listen": "1m"}})
	out.Wait(t, "(?s)1 call running.*"+call.UUID()+" .* listen ")
	call.Hangup()
	call.Wait()
	out.Wait(t, "(?s)1 call running.*0 calls running.*caller_hangup")
	s.stop()
	out.Wait(t, "no tapdeck answers at")
	cancel()
	if code := <-ended; code != exitDone {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("colours or cursor movements in a pipe")
	}
}

// TestCallsErrors is what calls says if it can't show anything.
func TestCallsErrors(t *testing.T) {
	none := apptest.ListenAnywhere(t)
	_ = none.Close()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/calls/") {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte("<html>not found</html>"))
	}))
	defer other.Close()
	s := serve(t, scriptConfig)
	otherAddr := strings.TrimPrefix(other.URL, "http://")
	for _, c := range []struct {
		args []string
		code int
		say  string
	}{
		{[]string{"--admin", none.Addr().String()}, 1, "no tapdeck answers at " + none.Addr().String() + ": dial tcp"},
		{[]string{"--admin", otherAddr}, 1, "does not speak as tapdeck's admin listener"},
		{[]string{"--admin", otherAddr, "45e46232"}, 1, "does not speak as tapdeck's admin listener: 404"},
		{[]string{"--admin", s.admin, "45e46232"}, 1, "show call 45e46232: no such call"},
		{[]string{"--admin", "9084"}, 2, "must be HOST:PORT"},
		{[]string{"--set", "admin.listen=127.0.0.1:0"}, 2, "give it with --admin"},
		{[]string{"--follow", "--interval", "1ms"}, 2, "must be 100ms to 1h"},
		{[]string{"--last", "1001"}, 2, "must be 0 to 1000"},
		{[]string{"--follow", "45e46232"}, 2, "not one"},
	} {
		code, out, errs := runProgram(t, t.Context(), append([]string{"calls"}, c.args...)...)
		if code != c.code || !strings.Contains(errs, c.say) || out != "" {
			t.Errorf("calls %q: code %d, %q, %q; want %d with %q", c.args, code, out, errs, c.code, c.say)
		}
	}
}
