package transcript

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapdeck/controller/switchsim/recogniser"
)

// What happens is counted, and each kind of wrong message is there from the start.
func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	m := NewMetrics(reg)
	bubble(t, FormatDeepgram, 1, func(b *testbed) {
		b.server.SetFault(1, recogniser.Fault{Nonsense: recogniser.NotJSON, After: time.Second})
		b.server.SetFault(2, recogniser.Fault{Refuse: 401})
		b.config.Position = func(time.Time) time.Duration { return 1400 * ms }
		b.session = start(b.config, b.ear, b.log, m, b.network.Dial)
		b.ear.Live(said(1500*ms, word(200*ms, "one"), word(1000*ms, "two")))
		b.ear.Live(said(500 * ms))
		b.server.SetFault(1, recogniser.Fault{Reset: true, After: 2 * time.Second})
		b.ear.Live(said(3 * time.Second))
		b.wait()
	})
	m.NotBegun(7 * time.Second)
	for name, want := range map[string]float64{"failures": 2, "reconnects": 1, "segments": 2, "sessions": 0} {
		of := map[string]prometheus.Collector{"failures": m.failures, "reconnects": m.Reconnects, "segments": m.segments, "sessions": m.Sessions}
		if got := testutil.ToFloat64(of[name]); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if got := testutil.ToFloat64(m.Wrong.WithLabelValues(string(wrongJSON))); got != 1 || testutil.CollectAndCount(m.Wrong) != len(wrongHints) {
		t.Errorf("%v wrong messages, of %d kinds", got, testutil.CollectAndCount(m.Wrong))
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		want, is := map[string]uint64{"tapdeck_transcript_connect_seconds": 1, "tapdeck_transcript_final_seconds": 2}[f.GetName()]
		if got := f.GetMetric()[0].GetHistogram().GetSampleCount(); is && got != want {
			t.Errorf("%s: %d, want %d", f.GetName(), got, want)
		}
	}
	if missing := testutil.ToFloat64(m.missing); missing < 9 || missing > 10.5 {
		t.Errorf("%v s are missing", missing)
	}
}
