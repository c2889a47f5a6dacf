package agent

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are those of all sessions. None has a label per call.
type Metrics struct {
	// Added observes the seconds from a moment of the call until the frame that ends then was sent to
	// the bot: of one frame a second. It may be nil.
	Added prometheus.Observer

	sessions   prometheus.Gauge
	connect    prometheus.Histogram
	reconnects prometheus.Counter
	dropped    prometheus.Counter
	wrong      *prometheus.CounterVec
}

// NewMetrics registers them. It is called once for each registerer.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	to := promauto.With(prometheus.WrapRegistererWithPrefix("tapdeck_agent_", reg))
	m := &Metrics{
		sessions: to.NewGauge(prometheus.GaugeOpts{Name: "sessions", Help: "Calls that talk with a bot, or try to reach it, now."}),
		connect: to.NewHistogram(prometheus.HistogramOpts{
			Name: "connect_seconds", Help: "Time that bots took to answer the WebSocket handshake.", Buckets: []float64{.005, .01, .02, .05, .1, .25, .5, 1, 2, 5},
		}),
		reconnects: to.NewCounter(prometheus.CounterOpts{Name: "reconnects_total", Help: "Times that a bot was dialled again."}),
		dropped:    to.NewCounter(prometheus.CounterOpts{Name: "dropped_seconds_total", Help: "Audio of callers that bots were too slow for."}),
		wrong:      to.NewCounterVec(prometheus.CounterOpts{Name: "wrong_messages_total", Help: "Messages of bots that were not as they should be, by kind."}, []string{"kind"}),
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

func (m *Metrics) observeAdded(d time.Duration) {
	if m != nil && m.Added != nil {
		m.Added.Observe(max(d, 0).Seconds())
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

func (m *Metrics) drop(d time.Duration) {
	if m != nil {
		m.dropped.Add(d.Seconds())
	}
}

func (m *Metrics) bad(kind wrongKind) {
	if m != nil {
		m.wrong.WithLabelValues(string(kind)).Inc()
	}
}
