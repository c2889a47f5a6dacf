package controller

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// metrics are the controller's. None has a label per call.
type metrics struct {
	calls      *prometheus.CounterVec
	active     prometheus.Gauge
	steps      *prometheus.HistogramVec
	connect    prometheus.Histogram
	firstAudio prometheus.Histogram
	restarts   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tapdeck_calls_total", Help: "Calls that have ended, by result.",
		}, []string{"result"}),
		active: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tapdeck_calls_active", Help: "Calls that run now.",
		}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tapdeck_call_step_duration_seconds", Help: "Time that calls spent in each step.",
			Buckets: []float64{.005, .02, .05, .1, .25, .5, 1, 2, 5, 10, 30, 60, 300},
		}, []string{"step"}),
		connect: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tapdeck_stream_connect_seconds", Help: "Time from each start of a stream to its socket at the sink.",
			Buckets: []float64{.005, .01, .02, .05, .1, .25, .5, 1, 2, 5},
		}),
		firstAudio: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tapdeck_stream_first_audio_seconds", Help: "Time from the first start of a call's stream to its first audio.",
			Buckets: []float64{.005, .01, .02, .05, .1, .25, .5, 1, 2, 5},
		}),
		restarts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tapdeck_stream_restarts_total", Help: "Dropped streams that were started again.",
		}),
	}
	for _, r := range Results() {
		m.calls.WithLabelValues(string(r))
	}
	reg.MustRegister(m.calls, m.active, m.steps, m.connect, m.firstAudio, m.restarts)
	return m
}

// alarm notes that something is wrong with a call's recording, each kind once. The
// recorder counts the alarms of its calls.
func (c *call) alarm(kind string) {
	if slices.Contains(c.outcome.Alarms, kind) {
		return
	}
	c.outcome.Alarms = append(c.outcome.Alarms, kind)
	c.log.Warn("stream alarm", zap.String("cause", kind), zap.String("hint", hintNoSocket))
}
