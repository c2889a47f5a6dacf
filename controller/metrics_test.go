package controller_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapdeck/controller/switchsim"
)

// The metrics of one call whose stream dropped once.
func TestMetrics(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Listen = 2 * time.Second // in which the stream comes back, also on a busy machine
	l := s.start(t)
	l.dial(switchsim.CallSpec{Faults: switchsim.Faults{Drops: []switchsim.Drop{{After: 50 * time.Millisecond}}}}).Wait()
	l.close()
	problems, err := testutil.GatherAndLint(l.reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
	families, err := l.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			if strings.HasPrefix(name, "tapdeck_stream_first_audio") && m.GetHistogram().GetSampleSum() <= 0 {
				t.Errorf("first audio came %v s after the start", m.GetHistogram().GetSampleSum())
			}
		}
	}
	for name, want := range map[string]float64{
		"tapdeck_calls_total completed": 1, "tapdeck_calls_total error": 0, "tapdeck_calls_active": 0,
		"tapdeck_stream_connect_seconds": 2, "tapdeck_stream_first_audio_seconds": 1, "tapdeck_stream_restarts_total": 1,
		"tapdeck_call_step_duration_seconds listen": 1, "tapdeck_call_step_duration_seconds answer": 1,
	} {
		if value, ok := got[name]; !ok || value != want {
			t.Errorf("%s = %v (there: %v), want %v", name, value, ok, want)
		}
	}
}
