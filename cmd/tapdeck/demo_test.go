package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
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

func TestCallThatCannotBePlaced(t *testing.T) {
	t.Parallel()
	code, _, stderr := runProgram(t, t.Context(), "call", "--to", " ", "--calls", "3", "--concurrent", "1")
	if code != exitUsage || !strings.Contains(stderr, `place call to " "`) {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

func TestCheckReadsTheCertificate(t *testing.T) {
	t.Parallel()
	code, _, stderr := runProgram(t, t.Context(), "check", "-s", "sink.tls.certificate=nowhere.pem", "-s", "sink.tls.key=nowhere.key")
	if code != exitUsage || !strings.Contains(stderr, "nowhere.pem") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// A caller chooses his name, but not what the operator's terminal does.
func TestCallsOnATerminal(t *testing.T) {
	t.Parallel()
	evil := "\x1b]0;owned\x07\x1b[2J"
	var out bytes.Buffer
	page := callsPage{Running: []runningCall{{Caller: evil, Destination: evil, Plan: evil}}}
	if err := printRunning(&out, page.Running); err != nil {
		t.Fatal(err)
	}
	if err := printRunningCall(&out, &page.Running[0]); err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsAny(out.Bytes(), "\x1b\x07") {
		t.Errorf("%q", out.String())
	}
}

func TestServeWithoutAUsableDirectory(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := runProgram(t, t.Context(), "serve", "-s", "sink.directory="+file, "-s", "esl.listen=127.0.0.1:0", "-s", "sink.listen=127.0.0.1:0", "-s", "admin.listen=127.0.0.1:0")
	if code != exitUsage || !strings.Contains(stderr, "sink.directory") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

func TestCallPorts(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"127.0.0.1:8084": "", "127.0.0.1:8084/survey|127.0.0.1": "", "h": "", "h:0": "0", "h:99999": "99999", "a:1|b:x/plan": "x",
	} {
		if got := badPort(address); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}
