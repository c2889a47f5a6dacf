package app

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"tapdeck/cmd/internal/admin"
)

// registerMetrics registers what the daemon itself knows: the Go runtime and the
// process, the build, its readiness, its limit of calls, and what it has lost.
func (d *Daemon) registerMetrics() {
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tapdeck_build_info", Help: "1; the labels say which build of tapdeck runs.",
		ConstLabels: prometheus.Labels{"version": Version(), "go_version": runtime.Version()},
	})
	build.Set(1)
	d.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tapdeck_ready", Help: "1 if a call would be taken, else 0: starting, full, or draining.",
		}, func() float64 {
			if d.readiness() == admin.Ready {
				return 1
			}
			return 0
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tapdeck_calls_limit", Help: "esl.max_calls: how many calls run at once at most.",
		}, func() float64 { return float64(d.loaded.Load().Config.ESL.MaxCalls) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "tapdeck_lost_total", Help: "Recordings and records that could not be kept.",
		}, func() float64 { return float64(d.lost.Load()) }),
	)
}
