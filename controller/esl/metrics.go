package esl

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
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
func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tapdeck_esl_connections", Help: "Event socket connections at present.",
		}),
		refused: counters("refused", "Connections closed before they were read, by reason."),
		dropped: counters("dropped", "Frames and header lines kept from the library, by reason."),
		closed:  counters("closed", "Connections closed because of a frame that cannot be trusted, by reason."),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tapdeck_esl_received_bytes_total", Help: "Bytes received from switches.",
		}),
		events: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tapdeck_esl_events_total", Help: "Events handed to calls.",
		}),
	}
	return m, m.register(reg)
}

func counters(name, help string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tapdeck_esl_" + name + "_total", Help: help}, []string{"reason"})
}

func (m *metrics) register(reg prometheus.Registerer) error {
	if reg == nil {
		return nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.connections, m.refused, m.dropped, m.closed, m.bytes, m.events} {
		errs = append(errs, reg.Register(c))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return nil
}
