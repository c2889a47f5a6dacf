package app

import (
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"tapdeck/cmd/internal/admin"
)

// Version is the version of the module, which names the commit if it was built from a
// checkout.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

// registerMetrics registers what the daemon itself knows: the Go runtime and the
// process, the build, its readiness, its limit of calls, its reloads, its certificate's
// end, and what it has lost.
func (d *Daemon) registerMetrics() {
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tapdeck_build_info", Help: "1; the labels say which build of tapdeck runs.",
		ConstLabels: prometheus.Labels{"version": Version(), "go_version": runtime.Version()},
	})
	build.Set(1)
	d.reloadWorked = prometheus.NewGauge(prometheus.GaugeOpts{Name: "tapdeck_config_last_reload_successful", Help: "1 if the latest reading of the configuration was valid, else 0."})
	d.reloadWorked.Set(1)
	d.reloadedAt = prometheus.NewGauge(prometheus.GaugeOpts{Name: "tapdeck_config_last_reload_success_timestamp_seconds", Help: "When a valid configuration was read last, in Unix time."})
	d.reloadedAt.SetToCurrentTime()
	d.certificateEnds = certificateEnds(d.registry)
	d.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build, d.reloadWorked, d.reloadedAt,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tapdeck_ready", Help: "1 if a call would be accepted and recorded, else 0: starting, full (calls, streams or disk), draining, or the disk hangs; /readyz says which."}, func() float64 {
			if d.readiness() == admin.Ready {
				return 1
			}
			return 0
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tapdeck_calls_limit", Help: "esl.max_calls: how many calls run at once at most."},
			func() float64 { return float64(d.loaded.Load().Config.ESL.MaxCalls) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "tapdeck_lost_total", Help: "Recordings and records that could not be kept."},
			func() float64 { return float64(d.lost.Load()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "tapdeck_log_dropped_total", Help: "Lines of the log that were dropped because its reader did not read."}, func() float64 {
			if d.LogDropped == nil {
				return 0
			}
			return float64(d.LogDropped())
		}),
	)
}
