package main

import (
	"strings"
	"testing"
)

func TestCheckReadsTheCertificate(t *testing.T) {
	t.Parallel()
	code, _, stderr := runProgram(t, t.Context(), "check", "-s", "sink.tls.certificate=nowhere.pem", "-s", "sink.tls.key=nowhere.key")
	if code != exitUsage || !strings.Contains(stderr, "nowhere.pem") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}
