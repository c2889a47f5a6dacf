package app

import (
	"strings"
	"testing"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/config"
	"tapdeck/controller/switchsim"
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
