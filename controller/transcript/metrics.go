package transcript

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"tapdeck/controller/dialer"
)

// Metrics are those of all sessions. None has a label per call.
type Metrics struct {
	dialer.Metrics
	failures prometheus.Counter
	segments prometheus.Counter
	final    prometheus.Histogram
	missing  prometheus.Counter
}

// NewMetrics registers them, unless reg is nil. It is called once for each registerer.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	to := promauto.With(prometheus.WrapRegistererWithPrefix("tapdeck_transcript_", reg))
	return &Metrics{
		Metrics:  dialer.NewMetrics(to, "service", "Recordings that are transcribed now, or wait for their last words.", wrongHints),
		failures: to.NewCounter(prometheus.CounterOpts{Name: "failures_total", Help: "Transcriptions whose service refused them or was lost for good."}),
		segments: to.NewCounter(prometheus.CounterOpts{Name: "segments_total", Help: "Final segments."}),
		final: to.NewHistogram(prometheus.HistogramOpts{
			Name: "final_seconds", Help: "Time from the end of a segment's audio until its words were final.", Buckets: []float64{.1, .2, .3, .5, .7, 1, 1.5, 2, 3, 5, 10, 30},
		}),
		missing: to.NewCounter(prometheus.CounterOpts{Name: "missing_seconds_total", Help: "Audio that no service has answered."}),
	}
}

// NotBegun counts a transcription that could not begin, and the audio that was not transcribed therefore.
func (m *Metrics) NotBegun(missing time.Duration) {
	m.failures.Inc()
	m.missing.Add(missing.Seconds())
}

func (m *Metrics) said(delay time.Duration) {
	m.segments.Inc()
	m.final.Observe(max(delay, 0).Seconds())
}
