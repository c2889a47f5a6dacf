package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tapdeck/controller/flow"
)

// A plan can be played from the configuration of a production host, whose switch
// is another and whose sink speaks TLS.
func TestDemoOfAForeignConfiguration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "tapdeck.yaml")
	if err := os.WriteFile(file, []byte(`
esl: {listen: 10.0.0.5:8084, allow: [10.0.0.5], max_calls: 1}
sink:
  listen: 10.0.0.5:8080
  advertise: wss://sink.example.net
  allow: [10.0.0.5]
  tls: {certificate: /nowhere/cert.pem, key: /nowhere/key.pem}
  max_streams: 1
  min_free: 900TiB
plans:
  short: {answer_pause: 0s, tone: {duration: 0s}, prompt: "", listen: 300ms}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := runProgram(t, t.Context(), "demo", "--config", file, "--plan", "short", "--calls", "3", "--out", filepath.Join(dir, "out"), "--timeout", "20s")
	if code != exitDone || !strings.Contains(stdout, "3 of 3 recordings hold exactly what was said") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

// demo plays a plan of a configuration and returns what was printed.
func demo(t *testing.T, yaml, plan string, args ...string) (code int, out string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "tapdeck.yaml")
	if err := os.WriteFile(file, []byte("sink: {min_free: 0MiB, read_interval: 20ms}\nplans:\n"+yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := runProgram(t, t.Context(), append([]string{
		"demo", "--config", file, "--plan", plan, "--calls", "2", "--out", filepath.Join(dir, "out"), "--timeout", "1m",
	}, args...)...)
	return code, stdout + stderr
}

// The callers of a demo press keys if they are told to; else it says why a plan may take its time.
func TestDemoThatWaitsForDigits(t *testing.T) {
	t.Parallel()
	const yaml, hint = `  long: {answer_pause: 0s, tone: {duration: 0s}, prompt: "", listen: 2h, finish_on: "#", typeahead: true}
  short: {answer_pause: 0s, tone: {duration: 0s}, prompt: "", listen: 300ms, finish_on: "#"}
`, "the plan waits for digits"
	code, out := demo(t, yaml, "long", "--digits", "400ms=1#")
	if code != exitDone || !strings.Contains(out, "2 of 2 recordings hold exactly what was said") || strings.Contains(out, hint) {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out = demo(t, yaml, "short"); code != exitDone || !strings.Contains(out, hint) {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// Without a file and a plan a demo is short, but neither if it is told otherwise nor if there is
// no single listening time.
func TestDemoIsShort(t *testing.T) {
	t.Chdir(t.TempDir())
	for set, want := range map[string]time.Duration{
		"plans.default.silence=1s":                                   time.Second + 5*time.Second,
		"plans.default.listen=7s":                                    time.Second + 7*time.Second,
		"plans.default.steps=answer, listen: 9s, hangup":             9 * time.Second,
		"plans.default.steps=[answer, pause: 1s, hangup: USER_BUSY]": time.Second,
	} {
		key, value, _ := strings.Cut(set, "=")
		c := demoCommand{Out: t.TempDir()}
		c.Set = map[string]string{key: value}
		_, plan, err := c.configure(&program{})
		if got := flow.LengthOf(plan.Steps).Known; err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", set, got, err, want)
		}
	}
}
