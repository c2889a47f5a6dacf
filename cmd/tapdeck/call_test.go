package main

import (
	"strings"
	"testing"
)

func TestCallThatCannotBePlaced(t *testing.T) {
	t.Parallel()
	code, _, stderr := runProgram(t, t.Context(), "call", "--to", " ", "--calls", "3", "--concurrent", "1")
	if code != exitUsage || !strings.Contains(stderr, `place call to " "`) {
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
