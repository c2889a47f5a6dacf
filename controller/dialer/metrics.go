package dialer

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are those that the sessions of any kind of service have.
type Metrics struct {
	Sessions   prometheus.Gauge       // that go on
	Connect    prometheus.Histogram   // seconds that a handshake took
	Reconnects prometheus.Counter     // further dials
	Wrong      *prometheus.CounterVec // messages, by kind
}

// NewMetrics registers them, once for each factory. peer is what is dialled, as in "bot"; sessions the help of
// the sessions that go on; kinds has each kind of wrong message.
func NewMetrics[K ~string, V any](to promauto.Factory, peer, sessions string, kinds map[K]V) Metrics {
	m := Metrics{
		Sessions: to.NewGauge(prometheus.GaugeOpts{Name: "sessions", Help: sessions}),
		Connect: to.NewHistogram(prometheus.HistogramOpts{
			Name: "connect_seconds", Help: "Time that a " + peer + " took to answer the WebSocket handshake.", Buckets: []float64{.005, .01, .02, .05, .1, .25, .5, 1, 2, 5},
		}),
		Reconnects: to.NewCounter(prometheus.CounterOpts{Name: "reconnects_total", Help: "Times that a " + peer + " was dialled again."}),
		Wrong:      to.NewCounterVec(prometheus.CounterOpts{Name: "wrong_messages_total", Help: "Messages of a " + peer + " that were not as they should be, by kind."}, []string{"kind"}),
	}
	for kind := range kinds {
		m.Wrong.WithLabelValues(string(kind))
	}
	return m
}
