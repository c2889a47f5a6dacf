package app

import (
	"errors"
	"io/fs"
	"slices"

	"go.uber.org/zap"

	"tapdeck/cmd/internal/config"
)

// reload reads the configuration again: a valid one holds from the next call on,
// an invalid one changes nothing.
func (d *Daemon) reload(load func() (*config.Loaded, error)) {
	fresh, err := load()
	if errors.Is(err, fs.ErrNotExist) {
		d.reloadWorked.Set(0)
		d.log.Warn("configuration not reloaded", zap.NamedError("err", err), zap.String("hint", "every value stays as it was, until tapdeck is started again; when the file is back, it is read"))
		return
	}
	if err != nil {
		d.reloadWorked.Set(0)
		d.log.Error("configuration not reloaded", zap.NamedError("err", err), zap.String("hint", "the configuration in effect is unchanged; `tapdeck check` shows the same errors"))
		return
	}
	changes := config.Diff(d.loaded.Load(), fresh)
	d.loaded.Store(fresh)
	_ = d.level.UnmarshalText([]byte(fresh.Config.Log.Level)) // which is valid
	d.controller.SetMaxCalls(fresh.Config.ESL.MaxCalls)
	events := fresh.Config
	events.Record = d.started.Config.Record // which the calls read until a restart
	d.events.Update(eslConfig(events))
	d.sink.Update(sinkConfig(fresh.Config))
	d.reloadWorked.Set(1)
	d.reloadedAt.SetToCurrentTime()
	pending := config.Diff(d.started, fresh) // what is not in effect yet
	for _, c := range changes {
		line := []zap.Field{zap.String("key", c.Key), zap.String("from", c.Old), zap.String("to", c.New), zap.String("takes_effect", string(c.Reload))}
		if c.Reload == config.ReloadRestart && slices.ContainsFunc(pending, func(p config.Change) bool { return p.Key == c.Key }) {
			d.log.Warn("configuration changed, needs a restart", line...)
			continue
		}
		d.log.Info("configuration changed", line...)
	}
	d.log.Info("configuration reloaded", zap.Int("changes", len(changes)))
}
