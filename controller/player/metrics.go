package player

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are of all players. None has a label per call.
type Metrics struct {
	// Added observes the seconds from Play, of audio before which nothing waited, to its first command. It may be nil.
	Added prometheus.Observer

	refused, lost prometheus.Counter
	chunks        *prometheus.CounterVec
}

// NewMetrics registers the counters with reg, which may be nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	to := promauto.With(reg)
	m := &Metrics{
		refused: to.NewCounter(prometheus.CounterOpts{Name: "tapdeck_player_refused_seconds_total", Help: "Audio of bots that was dropped because too much of it waited."}),
		lost:    to.NewCounter(prometheus.CounterOpts{Name: "tapdeck_player_lost_seconds_total", Help: "Audio of bots that the switch could not play."}),
		chunks:  to.NewCounterVec(prometheus.CounterOpts{Name: "tapdeck_player_chunks_total", Help: "Chunks of bots' audio that the switch was given, by method."}, []string{"method"}),
	}
	for _, method := range []Method{MethodStream, MethodFiles} {
		m.chunks.WithLabelValues(string(method))
	}
	return m
}

func (m *Metrics) observeAdded(d time.Duration) {
	if m.Added != nil {
		m.Added.Observe(d.Seconds())
	}
}
