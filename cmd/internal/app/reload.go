package app

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"tapdeck/cmd/internal/config"
)

// reloadMetrics say whether the latest reload of the configuration worked.
type reloadMetrics struct {
	worked prometheus.Gauge
	at     prometheus.Gauge
}

func newReloadMetrics(reg prometheus.Registerer) reloadMetrics {
	m := reloadMetrics{
		worked: prometheus.NewGauge(prometheus.GaugeOpts{Name: "tapdeck_config_last_reload_successful", Help: "1 if the latest reading of the configuration was valid, else 0."}),
		at:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "tapdeck_config_last_reload_success_timestamp_seconds", Help: "When a valid configuration was read last, in Unix time."}),
	}
	reg.MustRegister(m.worked, m.at)
	m.worked.Set(1)
	m.at.SetToCurrentTime()
	return m
}

// watch calls reload when the configuration file changes, until ctx is done. Without a
// watcher only a signal reloads.
func (d *Daemon) watch(ctx context.Context, watcher *config.Watcher, reload func()) {
	if watcher == nil {
		return
	}
	if err := watcher.Run(ctx, reload); err != nil {
		d.log.Warn("configuration not watched any more", zap.NamedError("err", err), zap.String("hint", "a changed file is read after SIGHUP only"))
	}
}

// reload reads the configuration again: a valid one holds from the next call on,
// an invalid one changes nothing.
func (d *Daemon) reload(load func() (*config.Loaded, error)) {
	fresh, err := load()
	if err != nil {
		d.reloads.worked.Set(0)
		d.log.Error("configuration not reloaded", zap.NamedError("err", err), zap.String("hint", "the configuration in effect is unchanged; `tapdeck check` shows the same errors"))
		return
	}
	changes := config.Diff(d.loaded.Load(), fresh)
	d.apply(fresh)
	d.reloads.worked.Set(1)
	d.reloads.at.SetToCurrentTime()
	pending := d.pending(fresh)
	for _, c := range changes {
		line := []zap.Field{zap.String("key", c.Key), zap.String("from", c.Old), zap.String("to", c.New), zap.String("takes_effect", string(c.Reload))}
		if pending[c.Key] {
			d.log.Warn("configuration changed, needs a restart", line...)
			continue
		}
		d.log.Info("configuration changed", line...)
	}
	d.log.Info("configuration reloaded", zap.Int("changes", len(changes)))
}

// pending are the keys whose new value waits for a restart.
func (d *Daemon) pending(fresh *config.Loaded) map[string]bool {
	keys := map[string]bool{}
	for _, c := range config.Diff(d.started, fresh) {
		if c.Reload == config.ReloadRestart {
			keys[c.Key] = true
		}
	}
	return keys
}

// apply hands the configuration to the parts that keep a copy of it.
func (d *Daemon) apply(fresh *config.Loaded) {
	d.loaded.Store(fresh)
	_ = d.level.UnmarshalText([]byte(fresh.Config.Log.Level)) // which is valid
	d.controller.SetMaxCalls(fresh.Config.ESL.MaxCalls)
	d.events.Update(eslConfig(fresh.Config))
	d.sink.Update(sinkConfig(fresh.Config))
}
