package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"tapdeck/cmd/internal/config"
	"tapdeck/controller"
)

const (
	// reloadDebounce is how long the configuration file must have been left alone.
	reloadDebounce = 200 * time.Millisecond
	// abortMargin is how long the calls that outlast drain_timeout may take to be
	// ended, and their recordings to be published.
	abortMargin = 45 * time.Second
)

// ConfigError is a configuration that is valid, but can't be used on this machine.
type ConfigError struct{ err error }

func (e *ConfigError) Error() string { return e.err.Error() }

func (e *ConfigError) Unwrap() error { return e.err }

// LostError is how many recordings or records could not be kept.
type LostError int64

func (n LostError) Error() string {
	return fmt.Sprintf("%d recordings or records could not be kept; the log says which and why", int64(n))
}

// Process is a daemon as a process.
type Process struct {
	// File is the configuration file, which is watched. It need not be there yet.
	File string
	// Load reads the configuration with everything that overrides it.
	Load func() (*config.Loaded, error)
	// Stderr is where the log goes.
	Stderr io.Writer
	// Environ is the environment, as os.Environ has it, in which systemd leaves its addresses.
	Environ []string
	// Signals delivers the process's signals; nil means those of the system.
	Signals chan os.Signal
}

// Run serves until a signal or ctx ends it. Its errors are those of Load, a
// *ConfigError, a LostError, or what kept the daemon from serving.
func (p *Process) Run(ctx context.Context) error {
	// Made before the file is read, so that no change of it is missed.
	watcher, unwatched := config.NewWatcher(p.File, reloadDebounce)
	if unwatched == nil {
		defer func() { _ = watcher.Close() }()
	}
	loaded, err := p.Load()
	if err != nil {
		return err
	}
	level := zap.NewAtomicLevel()
	_ = level.UnmarshalText([]byte(loaded.Config.Log.Level)) // which is valid
	log := NewLogger(p.Stderr, loaded.Config.Log.Format, level)
	for _, w := range loaded.Warnings {
		log.Warn("configuration", zap.Stringer("err", w))
	}
	if unwatched != nil {
		log.Warn("configuration not watched", zap.NamedError("err", unwatched), zap.String("hint", "a changed file is read after SIGHUP only"))
	}
	if err := checkDirectory(loaded.Config.Sink.Directory); err != nil {
		return err
	}
	l, err := Listen(ctx, loaded.Config, p.Environ)
	if err != nil {
		return err
	}
	defer l.Close()
	l.Advertise(&loaded.Config.Sink)
	l.warnOfLongDrain(loaded.Config.DrainTimeout, log)
	d, err := New(loaded, log, level)
	if err != nil {
		return err
	}
	if err := p.supervise(ctx, d, l, watcher); err != nil {
		return err
	}
	if lost := d.lost.Load(); lost > 0 {
		return LostError(lost)
	}
	return nil
}

// supervise runs the daemon under the process's signals and its service manager.
func (p *Process) supervise(ctx context.Context, d *Daemon, l Listeners, watcher *config.Watcher) error {
	signals := p.Signals
	if signals == nil {
		signals = make(chan os.Signal, 4)
		signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		defer signal.Stop(signals)
	}
	manager := newSystemd(p.Environ)
	calls, endCalls := context.WithCancelCause(ctx)
	defer endCalls(nil)
	drain, wanted := make(chan struct{}), make(chan struct{}, 1)
	reload := func() {
		select {
		case wanted <- struct{}{}:
		default: // one reload that has not begun yet is enough
		}
	}
	on := actions{
		reload: func() { manager.reloading(); reload() },
		drain:  func() { manager.stopping(d.loaded.Load().Config.DrainTimeout + abortMargin); close(drain) },
		hurry:  func() { endCalls(controller.ErrShutdown) },
	}
	d.OnReady = func() {
		d.logReady(l)
		manager.ready()
	}
	background, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { handleSignals(background, signals, on, d.log) })
	wg.Go(func() { d.watch(background, watcher, reload) })
	wg.Go(func() { manager.watchdog(background, func() { d.controller.Full() }) })
	wg.Go(func() {
		for next(background, wanted) {
			d.reload(func() (*config.Loaded, error) { return p.loadAgain(d, l) })
			manager.ready()
		}
	})
	err := d.Run(calls, l, drain)
	stop()
	wg.Wait()
	_ = d.log.Sync() // what was suppressed comes before the last line
	d.log.Info("tapdeck has stopped", zap.Int64("lost", d.lost.Load()), zap.NamedError("err", err))
	return err
}

// loadAgain reads the configuration for a running daemon.
func (p *Process) loadAgain(d *Daemon, l Listeners) (*config.Loaded, error) {
	fresh, err := p.Load()
	if err != nil {
		return nil, err
	}
	if file := d.started.File; file != "" && fresh.File == "" {
		return nil, fmt.Errorf("%s is gone, with which tapdeck was started", file)
	}
	l.Advertise(&fresh.Config.Sink)
	return fresh, nil
}

func (d *Daemon) logReady(l Listeners) {
	loaded := d.loaded.Load()
	d.log.Info("tapdeck is ready", zap.String("version", Version()), zap.Stringer("esl", l.ESL.Addr()),
		zap.Stringer("sink", l.Sink.Addr()), zap.Stringer("admin", l.Admin.Addr()),
		zap.String("advertise", loaded.Config.Sink.Advertise), zap.String("config", loaded.File))
}
