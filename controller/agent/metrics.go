package agent

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"tapdeck/controller/dialer"
)

// Metrics are those of all sessions. None has a label per call.
type Metrics struct {
	// Added observes the seconds from a moment of the call until the frame that ends then was sent to
	// the bot: of one frame a second. It may be nil.
	Added prometheus.Observer

	dialer.Metrics
	dropped prometheus.Counter
}

// NewMetrics registers them, unless reg is nil. It is called once for each registerer.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	to := promauto.With(prometheus.WrapRegistererWithPrefix("tapdeck_agent_", reg))
	return &Metrics{
		Metrics: dialer.NewMetrics(to, "bot", "Calls that talk with a bot, or try to reach it, now.", wrongHints),
		dropped: to.NewCounter(prometheus.CounterOpts{Name: "dropped_seconds_total", Help: "Audio of callers that bots were too slow for."}),
	}
}

func (m *Metrics) observeAdded(d time.Duration) {
	if m.Added != nil {
		m.Added.Observe(max(d, 0).Seconds())
	}
}
