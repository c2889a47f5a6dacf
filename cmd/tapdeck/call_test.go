package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/cmd/internal/callview"
	"tapdeck/cmd/internal/verify"
	"tapdeck/controller/switchsim"
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

// A transferred call is over for the switch before its record is there, which is waited for. Of a
// call that ended otherwise it must be there.
func TestRecordOfATransferredCall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "2026-11-22"), 0o700); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		r := switchsim.Report{UUID: "a", Commands: []string{"bgapi uuid_transfer a 5000"}}
		compared := make(chan error, 1)
		go func() { compared <- comparison(dir, func(callview.Record) {})(r) }()
		synctest.Wait()
		if err := os.WriteFile(filepath.Join(dir, "2026-11-22", "a.json"), []byte(`{"result":"transferred"}`), 0o600); err != nil {
			t.Error(err)
		}
		if err := <-compared; err != nil {
			t.Error(err)
		}
		for _, r := range []switchsim.Report{{UUID: "b", Commands: r.Commands}, {UUID: "b"}} {
			begun := time.Now()
			if err := comparison(dir, func(callview.Record) {})(r); !errors.Is(err, verify.ErrNoRecord) || (time.Since(begun) > 0) != r.Asked("uuid_transfer") {
				t.Errorf("%v after %v", err, time.Since(begun))
			}
		}
	})
}
