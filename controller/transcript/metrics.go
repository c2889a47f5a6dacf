package transcript

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are those of all sessions. None has a label per call.
type Metrics struct {
	sessions   prometheus.Gauge
	connect    prometheus.Histogram
	reconnects prometheus.Counter
	failures   prometheus.Counter
	segments   prometheus.Counter
	final      prometheus.Histogram
	missing    prometheus.Counter
	wrong      *prometheus.CounterVec
}

// NewMetrics registers them. It is called once for each registerer.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	to := promauto.With(prometheus.WrapRegistererWithPrefix("tapdeck_transcript_", reg))
	m := &Metrics{
		sessions: to.NewGauge(prometheus.GaugeOpts{Name: "sessions", Help: "Recordings that are transcribed now, or wait for their last words."}),
		connect: to.NewHistogram(prometheus.HistogramOpts{
			Name: "connect_seconds", Help: "Time that services took to answer the WebSocket handshake.", Buckets: []float64{.005, .01, .02, .05, .1, .25, .5, 1, 2, 5},
		}),
		reconnects: to.NewCounter(prometheus.CounterOpts{Name: "reconnects_total", Help: "Times that a service was dialled again."}),
		failures:   to.NewCounter(prometheus.CounterOpts{Name: "failures_total", Help: "Transcriptions whose service refused them or was lost for good."}),
		segments:   to.NewCounter(prometheus.CounterOpts{Name: "segments_total", Help: "Final segments."}),
		final: to.NewHistogram(prometheus.HistogramOpts{
			Name: "final_seconds", Help: "Time from the end of a segment's audio until its words were final.", Buckets: []float64{.1, .2, .3, .5, .7, 1, 1.5, 2, 3, 5, 10, 30},
		}),
		missing: to.NewCounter(prometheus.CounterOpts{Name: "missing_seconds_total", Help: "Audio that no service has answered."}),
		wrong:   to.NewCounterVec(prometheus.CounterOpts{Name: "wrong_messages_total", Help: "Messages of services that were not as they should be, by kind."}, []string{"kind"}),
	}
	for kind := range wrongHints {
		m.wrong.WithLabelValues(string(kind))
	}
	return m
}

func (m *Metrics) session(n float64) {
	if m != nil {
		m.sessions.Add(n)
	}
}

func (m *Metrics) connected(took time.Duration) {
	if m != nil {
		m.connect.Observe(took.Seconds())
	}
}

func (m *Metrics) dialledAgain() {
	if m != nil {
		m.reconnects.Inc()
	}
}

// NotBegun counts a transcription that could not begin, and the audio that was not transcribed therefore.
func (m *Metrics) NotBegun(missing time.Duration) {
	m.failed()
	m.missed(missing)
}

func (m *Metrics) failed() {
	if m != nil {
		m.failures.Inc()
	}
}

func (m *Metrics) said(delay time.Duration) {
	if m != nil {
		m.segments.Inc()
		m.final.Observe(max(delay, 0).Seconds())
	}
}

func (m *Metrics) missed(d time.Duration) {
	if m != nil {
		m.missing.Add(d.Seconds())
	}
}

func (m *Metrics) bad(kind wrongKind) {
	if m != nil {
		m.wrong.WithLabelValues(string(kind)).Inc()
	}
}
