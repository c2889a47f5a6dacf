package app

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/callview"
	"tapdeck/cmd/internal/config"
	"tapdeck/controller/switchsim"
	"tapdeck/sink/store"
)

// shortCalls is a configuration of calls that are over soon: what a test does not ask for is
// not waited for.
const shortCalls = `
esl: {listen: "127.0.0.1:0"}
sink: {listen: "127.0.0.1:0", min_free: 0MiB, advertise: "ws://127.0.0.1:1"}
admin: {listen: "127.0.0.1:0"}
plans:
  default: {answer_pause: 0s, tone: {duration: 0s}, prompt: "", listen: 300ms}
`

// testDaemon is a running daemon, its switch, and what they leave.
type testDaemon struct {
	*Daemon
	t         testing.TB
	journal   *apptest.Journal
	dir       string
	listeners Listeners
	sw        *switchsim.Switch
	stop      func() error // aborts; idempotent
	drain     chan struct{}
}

// newTestDaemon runs a daemon of a configuration on free ports until the test ends.
func newTestDaemon(t testing.TB, yaml string, change ...func(*config.Config)) *testDaemon {
	t.Helper()
	return newTestDaemonOn(t, store.OSDisk{}, yaml, change...)
}

func newTestDaemonOn(t testing.TB, disk store.Disk, yaml string, change ...func(*config.Config)) *testDaemon {
	t.Helper()
	loaded, err := config.Parse("tapdeck.yaml", []byte(yaml), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &testDaemon{t: t, journal: &apptest.Journal{}, dir: t.TempDir(), sw: switchsim.New(switchsim.Config{}), drain: make(chan struct{})}
	s.listeners = Listeners{ESL: apptest.ListenAnywhere(t), Sink: apptest.ListenAnywhere(t), Admin: apptest.ListenAnywhere(t)}
	c := &loaded.Config
	c.Sink.Directory, c.Sink.Advertise = s.dir, "ws://"+s.listeners.Sink.Addr().String()
	for _, f := range change {
		f(c)
	}
	level := zap.NewAtomicLevelAt(zapcore.InfoLevel)
	if s.Daemon, err = newDaemon(loaded, NewLogger(s.journal, "json", level), level, disk); err != nil {
		t.Fatal(err)
	}
	s.run()
	return s
}

func (s *testDaemon) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan struct{})
	s.OnReady = func() { close(ready) }
	ended := start(zap.NewNop(), "test", func() error { return s.Daemon.Run(ctx, s.listeners, s.drain) })
	s.stop = func() error {
		cancel()
		err := ended.wait()
		_ = s.Daemon.log.Sync()
		return err
	}
	s.t.Cleanup(func() {
		if err := s.stop(); err != nil {
			s.t.Errorf("the daemon ended with %v", err)
		}
		s.sw.Wait()
		if s.t.Failed() {
			s.t.Logf("log of the daemon:\n%s", s.journal)
		}
	})
	select {
	case <-ready:
	case <-ended.done:
		s.t.Fatalf("the daemon did not start: %v", ended.wait())
	}
}

// place places a simulated call; the test's end tears it down, as does apptest.Patience
// with a call that never ends.
func (s *testDaemon) place(spec switchsim.CallSpec) *switchsim.Call {
	s.t.Helper()
	if spec.Address == "" {
		spec.Address = s.listeners.ESL.Addr().String()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*apptest.Patience)
	s.t.Cleanup(cancel)
	call, err := s.sw.Dial(ctx, spec)
	if err != nil {
		s.t.Fatal(err)
	}
	return call
}

// record is the record that a call has left.
func (s *testDaemon) record(id string) (r callview.Record) {
	s.t.Helper()
	var found []string
	apptest.Until(s.t, "the record of "+id, func() bool {
		found, _ = filepath.Glob(filepath.Join(s.dir, "*", id+".json"))
		return len(found) == 1
	})
	data, err := os.ReadFile(found[0])
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// ask asks the admin listener.
func (s *testDaemon) ask(method, path, body string, header ...string) (code int, answer string) {
	s.t.Helper()
	req, err := http.NewRequest(method, "http://"+s.listeners.Admin.Addr().String()+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return do(s.t, req)
}

// do asks without keeping the connection, which would be a goroutine left.
func do(t testing.TB, req *http.Request) (code int, answer string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: apptest.Patience}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b.String()
}

// inStep waits until a running call is in a step and has audio.
func (s *testDaemon) inStep(step string) {
	s.t.Helper()
	apptest.Until(s.t, "a call in step "+step+" with audio", func() bool {
		for _, c := range s.controller.Calls() {
			if c.Step == step && c.Stream != nil && c.Stream.Audio > 0 {
				return true
			}
		}
		return false
	})
}
