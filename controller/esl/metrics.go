package esl

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are the counters of one Server or one dialled connection.
type metrics struct {
	connections prometheus.Gauge
	refused     *prometheus.CounterVec
	dropped     *prometheus.CounterVec
	closed      *prometheus.CounterVec
	bytes       prometheus.Counter
	events      prometheus.Counter
}

// newMetrics registers the counters with reg, which may be nil.
func newMetrics(reg prometheus.Registerer) *metrics {
	to := promauto.With(reg)
	by := func(name, help string) *prometheus.CounterVec {
		return to.NewCounterVec(prometheus.CounterOpts{Name: "tapdeck_esl_" + name + "_total", Help: help}, []string{"reason"})
	}
	return &metrics{
		connections: to.NewGauge(prometheus.GaugeOpts{Name: "tapdeck_esl_connections", Help: "Event socket connections at present."}),
		refused:     by("refused", "Connections that were not admitted, by reason."),
		dropped:     by("dropped", "Frames and header lines kept from the library, by reason."),
		closed:      by("closed", "Connections closed because of a frame that cannot be trusted, by reason."),
		bytes:       to.NewCounter(prometheus.CounterOpts{Name: "tapdeck_esl_received_bytes_total", Help: "Bytes received from switches."}),
		events:      to.NewCounter(prometheus.CounterOpts{Name: "tapdeck_esl_events_total", Help: "Events handed to calls."}),
	}
}
