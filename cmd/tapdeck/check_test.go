package main

import (
	"strings"
	"testing"
	"time"
)

func TestCheckReadsTheCertificate(t *testing.T) {
	t.Parallel()
	code, _, stderr := runProgram(t, t.Context(), "check", "-s", "sink.tls.certificate=nowhere.pem", "-s", "sink.tls.key=nowhere.key")
	if code != exitUsage || !strings.Contains(stderr, "nowhere.pem") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	files := secure(t)
	for ends, want := range map[time.Duration]string{time.Hour: "sink.tls.certificate: \"" + files.cert + "\": it ends at ", 90 * 24 * time.Hour: ""} {
		files.renew(1, time.Now().Add(ends))
		code, _, stderr = runProgram(t, t.Context(), "check", "-s", "sink.tls.certificate="+files.cert, "-s", "sink.tls.key="+files.key)
		if code != exitDone || !strings.Contains(stderr, want) || want == "" && stderr != "" {
			t.Errorf("%v before its end: exit %d, %s", ends, code, stderr)
		}
	}
}

// What is shown of a text can be seen.
func TestCheckShowsWhatIsInvisible(t *testing.T) {
	t.Parallel()
	file := configFile(t, "plans:\n  x: {prompt: \"a\\u202egnp.wav\"}\n  y: {steps: [answer, play: \"b\\u200b\\u00a0ä's \\\\ c.wav\"]}\n")
	code, stdout, stderr := runProgram(t, t.Context(), "check", "--config", file)
	if code != exitDone || strings.ContainsAny(stdout+stderr, "\u202e\u200b\u00a0") {
		t.Errorf("exit %d, %q", code, stdout+stderr)
	}
	for _, want := range []string{`a\u202egnp.wav  `, `prompt a\u202egnp.wav (`, `prompt b\u200b\u00a0ä's \ c.wav (`} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %s in\n%s", want, stdout)
		}
	}
}
