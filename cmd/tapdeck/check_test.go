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

// The preview says who transcribes a plan, and shows nothing else of the URL; the keys of none are not listed.
func TestCheckShowsWhoTranscribes(t *testing.T) {
	t.Parallel()
	file := configFile(t, "plans:\n  x: {transcribe: {url: \"wss://api.deepgram.com/v1/listen?tag=mine\"}}\n")
	code, stdout, stderr := runProgram(t, t.Context(), "check", "--config", file)
	values, previews, _ := strings.Cut(stdout, "\nplan default,")
	_, preview, _ := strings.Cut(previews, "\nplan x,")
	if code != exitDone || stderr != "" || !strings.Contains(preview, ", transcribed by api.deepgram.com (deepgram)\n") || strings.Count(previews, "transcribed") != 1 || strings.Contains(previews, "tag=mine") {
		t.Errorf("exit %d, %s\n%s", code, stderr, previews)
	}
	if !strings.Contains(values, "\nplans.x.transcribe.buffer ") || strings.Contains(values, "\nplans.default.transcribe.buffer ") || !strings.Contains(values, "\nplans.default.transcribe.url ") {
		t.Errorf("values:\n%s", values)
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
