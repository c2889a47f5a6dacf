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
