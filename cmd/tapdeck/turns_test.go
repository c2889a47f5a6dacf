package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
	"tapdeck/controller/switchsim/load"
)

// Calls that talk with a bot have its latency, as their callers and as the records know it.
func TestCallLatencies(t *testing.T) {
	b := bot.Start(bot.Options{Behaviour: bot.Echo(bot.EchoOptions{Pause: 200 * time.Millisecond})})
	t.Cleanup(b.Close)
	s := serve(t, fmt.Sprintf(`
esl: {listen: "127.0.0.1:0"}
sink: {listen: "127.0.0.1:0", min_free: 0MiB, read_interval: 20ms}
admin: {listen: "127.0.0.1:0"}
plans: {default: {steps: [answer, stream, agent: {url: %q, for: 20s}, hangup]}}
`, b.URL()))
	code, stdout, stderr := runProgram(t, t.Context(), "call", "--to", s.esl, "-n", "2", "--turns", "600ms,1500ms", "--hangup-after", "4s", "--recordings", s.dir, "--json")
	var f load.Figures
	if err := json.Unmarshal([]byte(stdout), &f); err != nil || code != exitDone {
		t.Fatalf("exit %d, %v\n%s%s", code, err, stdout, stderr)
	}
	if f.Good != 2 || f.Talks == nil || f.Talks.Calls != 2 {
		t.Errorf("%+v", f)
	}
	found := map[string]load.Distribution{}
	for _, d := range f.Times {
		found[d.Name] = d
	}
	for name, most := range map[string]int{"answer to first sound of the bot": 2, "caller stops to bot is heard": 4, "the same, by the records": 4} {
		if d := found[name]; d.N == 0 || d.N > most || d.P50 < 200 {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// A call whose bot has failed did not go as it should have, whatever its plan makes of that.
func TestCallWhoseBotFails(t *testing.T) {
	b := bot.Start(bot.Options{})
	b.Close() // nothing listens there any more
	s := serve(t, fmt.Sprintf(`
esl: {listen: "127.0.0.1:0"}
sink: {listen: "127.0.0.1:0", min_free: 0MiB}
admin: {listen: "127.0.0.1:0"}
plans: {default: {steps: [answer, stream, agent: {url: %q, reconnect: 0, on_failure: continue}, listen: 300ms, hangup]}}
`, b.URL()))
	code, stdout, stderr := runProgram(t, t.Context(), "call", "--to", s.esl, "--recordings", s.dir)
	if code != exitFailed || !strings.Contains(stdout, "the call's bot has failed") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	resp, err := http.Get("http://" + s.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if metrics, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(metrics), "\ntapdeck_agent_failures_total 1\n") {
		t.Errorf("the failure is in no metric: %v", err)
	}
}

func TestTurns(t *testing.T) {
	for text, want := range map[string]string{"2s,3s": "", "100ms,500ms": "", "2s": "must be two durations", "50ms,3s": "100ms or more", "2s,100ms": "500ms or more", "9m,2m": "10m together", "a,b": "such as 2s,3s"} {
		var v turns
		if err := v.UnmarshalText([]byte(text)); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", text, err)
		}
	}
	voice, err := turns{time.Second, 2 * time.Second}.voice(switchsim.ToneVoice(16000, 440, 0.5))
	if err != nil || voice.Rate != 8000 || len(voice.PCM) != 60*8000 {
		t.Fatalf("%+v, %v", voice, err)
	}
	for second := range 60 {
		if got := bot.Loud(voice.At(int64(second)*8000, 8000)); got != (second%3 == 0) {
			t.Errorf("second %d: %v", second, got)
		}
	}
}
