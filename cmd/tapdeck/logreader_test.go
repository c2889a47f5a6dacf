package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/verify"
	"tapdeck/controller/switchsim"
)

// piped is a `tapdeck serve` of its own process whose log goes to a pipe.
type piped struct {
	t          *testing.T
	cmd        *exec.Cmd
	pipe       *os.File // its reading end
	lines      *bufio.Reader
	dir        string
	esl, admin string
}

// servePiped starts a daemon and reads its log until it is ready, and no further.
func servePiped(t *testing.T) *piped {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := &piped{t: t, pipe: r, lines: bufio.NewReaderSize(r, 16), dir: t.TempDir()}
	config := filepath.Join(s.dir, "tapdeck.yaml")
	if err := os.WriteFile(config, []byte(scriptConfig+"log: {level: debug}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path, err := exec.LookPath("tapdeck")
	if err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(path, "serve", "--config", config, "--sink-directory", s.dir)
	s.cmd.Stderr = w
	s.cmd.Env = append(os.Environ(), "GORACE="+fastExit)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	t.Cleanup(func() {
		_ = r.Close()
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
		}
	})
	for {
		line, err := s.lines.ReadBytes('\n')
		if err != nil {
			t.Fatalf("read the log: %v", err)
		}
		var ready struct{ Msg, ESL, Admin string }
		if json.Unmarshal(line, &ready) == nil && ready.Msg == "tapdeck is ready" {
			s.esl, s.admin = ready.ESL, ready.Admin
			return s
		}
	}
}

// calls places n calls at once, which must go as they should.
func (s *piped) calls(sw *switchsim.Switch, n int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), apptest.Patience)
	defer cancel()
	var calls []*switchsim.Call
	for range n {
		call, err := sw.Dial(ctx, switchsim.CallSpec{Address: s.esl, Voice: switchsim.ToneVoice(8000, 440, 0.5)})
		if err != nil {
			s.t.Fatal(err)
		}
		calls = append(calls, call)
	}
	for _, call := range calls {
		report := call.Wait()
		if record, _, err := verify.Recording(s.dir, report); err != nil || record.Result != "completed" {
			s.t.Fatalf("result %q, %v", record.Result, err)
		}
	}
}

// end sends SIGTERM; the daemon must end with code 0.
func (s *piped) end() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("after SIGTERM: %v", err)
	}
}

// TestLogReaderGoesAway is `tapdeck serve 2>&1 >/dev/null | head -1`: the calls go on.
func TestLogReaderGoesAway(t *testing.T) {
	t.Parallel()
	s, sw := servePiped(t), switchsim.New(switchsim.Config{})
	defer sw.Wait()
	if err := s.pipe.Close(); err != nil {
		t.Fatal(err)
	}
	s.calls(sw, 3)
	if ready := get(t, s.admin, "/readyz"); ready != "ready\n" {
		t.Errorf("/readyz: %q", ready)
	}
	s.end()
}

// TestLogReaderStops is Ctrl-S, or a log driver that blocks: no call waits for it, and
// what waits for the reader is there when it reads on.
func TestLogReaderStops(t *testing.T) {
	t.Parallel()
	s, sw := servePiped(t), switchsim.New(switchsim.Config{})
	defer sw.Wait()
	const calls = 50 // more than one pipe full
	s.calls(sw, calls)
	if ready := get(t, s.admin, "/readyz"); ready != "ready\n" {
		t.Errorf("/readyz: %q", ready)
	}
	if metrics := get(t, s.admin, "/metrics"); !strings.Contains(metrics, "\ntapdeck_log_dropped_total 0\n") {
		t.Errorf("nothing is dropped yet, but /metrics has\n%s", metrics)
	}
	for read := 0; read < calls; {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, `"msg":"call ended"`) {
			read++
		}
	}
	s.calls(sw, calls)
	s.end() // with nobody who reads
}
