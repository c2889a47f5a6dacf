package app

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"tapdeck/cmd/internal/apptest"
)

// TestStopTimeOfAContainer is that a daemon which docker may kill says what it needs.
func TestStopTimeOfAContainer(t *testing.T) {
	for _, c := range []struct {
		pid   int
		drain time.Duration
		want  string
	}{
		{1, time.Minute, "--stop-timeout 105, stop_grace_period: 105s"},
		{1, 5 * time.Second, ""},
		{4711, time.Minute, ""},
	} {
		var log apptest.Journal
		sayStopTime(c.pid, c.drain, NewLogger(&log, "json", zap.NewAtomicLevel()))
		if got := log.String(); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("process %d, %v: %s", c.pid, c.drain, got)
		}
	}
}
