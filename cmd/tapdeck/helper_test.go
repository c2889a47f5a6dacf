package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"tapdeck/cmd/internal/callview"
	"tapdeck/controller/switchsim"
)

// patience bounds every wait of these tests.
const patience = 30 * time.Second

// until asks again and again until ask says yes. It is the only place where
// these tests wait for what no channel tells.
func until(t testing.TB, what string, ask func() bool) {
	t.Helper()
	if !asked(ask) {
		t.Fatalf("waited %v in vain for %s", patience, what)
	}
}

func asked(ask func() bool) bool {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		if ask() {
			return true
		}
		select {
		case <-again.C:
		case <-limit.C:
			return false
		}
	}
}

// journal is a text that is read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) wait(t testing.TB, pattern string) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	until(t, "the line "+pattern, func() bool { return re.MatchString(j.String()) })
}

// runProgram runs a command line within this process.
func runProgram(t testing.TB, ctx context.Context, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs journal
	p := &program{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}
	code = p.Run(ctx, args)
	return code, out.String(), errs.String()
}

// served is a daemon that `tapdeck serve` runs within this process, and its switch.
type served struct {
	t                testing.TB
	file, dir        string // its configuration and its recordings
	log              *journal
	esl, sink, admin string // its addresses
	sw               *switchsim.Switch
	stop             func() // ends it at once; may be called again
}

// serve runs a daemon of a configuration with more flags until the test ends.
func serve(t testing.TB, yaml string, flags ...string) *served {
	t.Helper()
	s := &served{t: t, file: filepath.Join(t.TempDir(), "tapdeck.yaml"), dir: t.TempDir(), log: &journal{}, sw: switchsim.New(switchsim.Config{})}
	if err := os.WriteFile(s.file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &program{Stdout: s.log, Stderr: s.log, Signals: make(chan os.Signal)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() {
		ended <- p.Run(ctx, append([]string{"serve", "--config", s.file, "--sink-directory", s.dir}, flags...))
	}()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if code := <-ended; code != exitDone {
			t.Errorf("serve ended with code %d", code)
		}
	})
	t.Cleanup(func() {
		s.stop()
		s.sw.Wait()
		if t.Failed() {
			t.Logf("log of the daemon:\n%s", s.log)
		}
	})
	s.log.wait(t, `"msg":"tapdeck is ready"`)
	s.esl, s.sink, s.admin = s.readyAddresses()
	return s
}

func (s *served) readyAddresses() (esl, sink, admin string) {
	s.t.Helper()
	for line := range strings.Lines(s.log.String()) {
		var ready struct{ Msg, ESL, Sink, Admin string }
		if json.Unmarshal([]byte(line), &ready) == nil && ready.Msg == "tapdeck is ready" {
			return ready.ESL, ready.Sink, ready.Admin
		}
	}
	s.t.Fatal("the daemon's log has no addresses")
	return "", "", ""
}

// place places a simulated call; patience ends one that never does by itself.
func (s *served) place(spec switchsim.CallSpec) *switchsim.Call {
	s.t.Helper()
	spec.Address = s.esl
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	s.t.Cleanup(cancel)
	call, err := s.sw.Dial(ctx, spec)
	if err != nil {
		s.t.Fatal(err)
	}
	return call
}

// wait waits until the daemon's page of calls is as it should be.
func (s *served) wait(what string, is func(p *callview.Page) bool) {
	s.t.Helper()
	client := callview.NewClient(s.admin, "")
	until(s.t, what, func() bool {
		page, err := client.Page(s.t.Context(), 10)
		if err != nil {
			s.t.Fatal(err)
		}
		return is(page)
	})
}

// inStep waits until a running call is in a step and has audio.
func (s *served) inStep(step string) {
	s.t.Helper()
	s.wait("a call in step "+step+" with audio", func(p *callview.Page) bool {
		return len(p.Running) > 0 && p.Running[0].Step == step && p.Running[0].AudioMS > 0
	})
}

func listenAnywhere(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}
