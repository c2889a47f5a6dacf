package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/callview"
	"tapdeck/controller/switchsim"
)

// runProgram runs a command line within this process.
func runProgram(t testing.TB, ctx context.Context, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs apptest.Journal
	p := &program{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}
	code = p.Run(ctx, args)
	return code, out.String(), errs.String()
}

// served is a daemon that `tapdeck serve` runs within this process, and its switch.
type served struct {
	t                testing.TB
	file, dir        string // its configuration and its recordings
	log              *apptest.Journal
	esl, sink, admin string // its addresses
	sw               *switchsim.Switch
	stop             func() // ends it at once; may be called again
}

// serve runs a daemon of a configuration with more flags until the test ends.
func serve(t testing.TB, yaml string, flags ...string) *served {
	t.Helper()
	return serveIn(t, nil, yaml, flags...)
}

// serveIn is serve in an environment.
func serveIn(t testing.TB, environ []string, yaml string, flags ...string) *served {
	t.Helper()
	s := &served{t: t, file: filepath.Join(t.TempDir(), "tapdeck.yaml"), dir: t.TempDir(), log: &apptest.Journal{}, sw: switchsim.New(switchsim.Config{})}
	if err := os.WriteFile(s.file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &program{Stdout: s.log, Stderr: s.log, Environ: environ, Signals: make(chan os.Signal)}
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
	s.log.Wait(t, `"msg":"tapdeck is ready"`)
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

// place places a simulated call; apptest.Patience ends one that never does by itself.
func (s *served) place(spec switchsim.CallSpec) *switchsim.Call {
	s.t.Helper()
	spec.Address = s.esl
	ctx, cancel := context.WithTimeout(context.Background(), 2*apptest.Patience)
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
	apptest.Until(s.t, what, func() bool {
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
