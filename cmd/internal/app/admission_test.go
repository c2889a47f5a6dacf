package app

import (
	"strings"
	"sync/atomic"
	"testing"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/config"
	"tapdeck/controller/switchsim"
	"tapdeck/sink/store"
)

// TestAdmission is that a call which can't be recorded is not answered, so that
// the dialplan's next action gets it.
func TestAdmission(t *testing.T) {
	for name, c := range map[string]struct {
		change    func(*config.Config)
		say, hint string
	}{
		"max_streams": {func(c *config.Config) { c.Sink.MaxStreams = 1 }, "too many streams", "sink.max_streams"},
		"min_free":    {func(c *config.Config) { c.Sink.MinFree = 1 << 60 }, "disk", "sink.min_free"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestDaemon(t, shortCalls, c.change)
			if name == "max_streams" {
				first := s.place(switchsim.CallSpec{Variables: map[string]string{"tapdeck_listen": "1m"}})
				s.inStep("listen")
				defer first.Wait()
				defer first.Hangup()
			}
			apptest.Until(t, "readyz says so", func() bool {
				code, answer := s.ask("GET", "/readyz", "")
				return code != 200 && strings.Contains(answer, "sink."+name)
			})
			report := s.place(switchsim.CallSpec{}).Wait()
			if report.Answered || !report.NextAction {
				t.Errorf("answered %v, next action %v", report.Answered, report.NextAction)
			}
			record := s.record(report.UUID)
			if record.Result != "refused" || !strings.Contains(record.Err, c.say) || record.WAV != "" {
				t.Errorf("result %q, err %q, wav %q", record.Result, record.Err, record.WAV)
			}
			apptest.Until(t, "the call's last line", func() bool { return s.told(report.UUID, "call ended") != nil })
			ended := s.told(report.UUID, "call ended")
			if hint, _ := ended["hint"].(string); !strings.Contains(hint, c.hint) || ended["level"] != "warn" {
				t.Errorf("last line %v", ended)
			}
		})
	}
}

// mute is a disk that doesn't say how much is free once it is asked to be mute.
type mute struct {
	store.OSDisk
	now   atomic.Bool
	speak chan struct{}
}

func (d *mute) Free(dir string) (int64, error) {
	if d.now.Load() {
		<-d.speak
	}
	return d.OSDisk.Free(dir)
}

// TestHungDisk is that a disk which does not answer costs no call its next action, and the
// daemon neither its health page nor its metrics nor its end.
func TestHungDisk(t *testing.T) {
	disk := &mute{speak: make(chan struct{})}
	s := newTestDaemonOn(t, disk, shortCalls)
	running := s.place(switchsim.CallSpec{Variables: map[string]string{"tapdeck_listen": "1m"}})
	s.inStep("listen")
	disk.now.Store(true)
	apptest.Until(t, "the daemon notices", func() bool {
		code, answer := s.ask("GET", "/readyz", "")
		return code == 503 && strings.Contains(answer, "disk")
	})
	report := s.place(switchsim.CallSpec{}).Wait()
	if report.Answered || !report.NextAction {
		t.Errorf("answered %v, next action %v", report.Answered, report.NextAction)
	}
	if code, _ := s.ask("GET", "/metrics", ""); code != 200 {
		t.Errorf("/metrics is %d", code)
	}
	apptest.Until(t, "the call's last line", func() bool { return s.told(report.UUID, "call ended") != nil })
	if ended := s.told(report.UUID, "call ended"); ended["result"] != "refused" || !strings.Contains(ended["hint"].(string), "disk") {
		t.Errorf("last line %v", ended)
	}
	running.Hangup()
	if record := s.record(running.Wait().UUID); record.Result != "caller_hangup" || record.AudioMS == 0 {
		t.Errorf("result %q with %d ms", record.Result, record.AudioMS)
	}
	close(disk.speak)
	apptest.Until(t, "the daemon is ready", func() bool { code, _ := s.ask("GET", "/readyz", ""); return code == 200 })
}
