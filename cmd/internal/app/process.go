package app

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"tapdeck/cmd/internal/config"
	"tapdeck/cmd/internal/logqueue"
	"tapdeck/controller"
	"tapdeck/sink/store"
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
	// Log is where the log goes. It is closed by whoever made it.
	Log *logqueue.Queue
	// Environ is the environment, as os.Environ has it, in which systemd leaves its addresses.
	Environ []string
	// Signals delivers the process's signals; nil means those of the system.
	Signals chan os.Signal
}

// Run serves until a signal or ctx ends it. Its errors are those of Load, a
// *ConfigError, a LostError, or what kept the daemon from serving.
func (p *Process) Run(ctx context.Context) error {
	// Made before the file is read, so that no change of it is missed.
	watcher, unwatched := config.NewWatcher(reloadDebounce, p.File)
	if unwatched == nil {
		defer func() { _ = watcher.Close() }()
	}
	loaded, err := p.Load()
	if err != nil {
		return err
	}
	level, _ := zap.ParseAtomicLevel(loaded.Config.Log.Level) // which is valid
	log := NewLogger(p.Log, loaded.Config.Log.Format, level)
	for _, w := range loaded.Warnings {
		log.Warn("configuration", zap.NamedError("err", w))
	}
	if err := checkDirectory(store.New(loaded.Config.Sink.Directory, store.OSDisk{}), loaded.Config.Sink.Directory, log); err != nil {
		return err
	}
	if err := CheckPlayer(loaded.Config.Player); err != nil {
		return err
	}
	l, err := Listen(ctx, loaded.Config, p.Environ)
	if err != nil {
		return err
	}
	defer l.Close()
	l.Advertise(&loaded.Config.Sink)
	l.warnOfLongDrain(loaded.Config.DrainTimeout, log)
	sayStopTime(os.Getpid(), loaded.Config.DrainTimeout, log)
	d, err := New(loaded, log, level)
	if err != nil {
		return err
	}
	d.LogDropped = p.Log.Dropped
	err = p.supervise(ctx, d, l, func(ctx context.Context, onChange func()) error {
		if unwatched != nil {
			return unwatched
		}
		watcher.Run(ctx, onChange)
		return nil
	})
	if lost := d.lost.Load(); err == nil && lost > 0 {
		return LostError(lost)
	}
	return err
}

// supervise runs the daemon under the process's signals, its service manager and the
// watch of its configuration.
func (p *Process) supervise(ctx context.Context, d *Daemon, l Listeners, watch func(context.Context, func()) error) error {
	signals := p.Signals
	if signals == nil {
		signals = make(chan os.Signal, 4)
		signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		defer signal.Stop(signals)
	}
	manager := systemd(Getenv(p.Environ, "NOTIFY_SOCKET"))
	d.OnReady = func() {
		d.logReady(l)
		manager.notify("READY=1")
	}
	reload := p.reloader(d, l, manager)
	calls, endCalls := context.WithCancelCause(ctx)
	defer endCalls(nil)
	drain := make(chan struct{})
	running := start(d.log, "daemon", func() error { return d.Run(calls, l, drain) })
	background, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { // if it panics, the service manager sees that nothing comes any more
		d.guard("watchdog", func() { manager.watchdog(background, p.Environ, func() { d.controller.Calls() }) })
	})
	wg.Go(func() {
		if err := guarded(d.log, "watch", func() error { return watch(background, reload) }); err != nil {
			d.log.Warn("configuration not watched", zap.NamedError("err", err), zap.String("hint", "a changed file is read after SIGHUP only"))
		}
	})
	wg.Go(func() { d.guard("certificate", func() { d.watchCertificate(background) }) })
	d.handleSignals(signals, running.done, signalActions{
		reload: func() {
			manager.notify(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", monotonicMicros()))
			wg.Go(func() {
				d.guard("certificate", d.renewCertificate)
				reload()
			})
		},
		drain: func() {
			d.announceStop(manager)
			close(drain)
		},
		hurry: func() { endCalls(controller.ErrShutdown) },
	})
	stop()
	wg.Wait()
	_ = d.log.Sync() // what was suppressed comes before the last line
	d.log.Info("tapdeck has stopped", zap.Int64("lost", d.lost.Load()), zap.NamedError("err", running.err))
	return running.err
}

// reloader returns what reads the configuration again, once at a time.
func (p *Process) reloader(d *Daemon, l Listeners, manager systemd) func() {
	var reloads sync.Mutex
	return func() {
		reloads.Lock()
		defer reloads.Unlock()
		d.guard("reload", func() { d.reload(func() (*config.Loaded, error) { return p.loadAgain(d, l) }) })
		manager.notify("READY=1")
	}
}

// announceStop says how long the end may take, to whoever would kill the daemon and its calls
// sooner: systemd after TimeoutStopSec.
func (d *Daemon) announceStop(manager systemd) {
	timeout := d.loaded.Load().Config.DrainTimeout
	sayStopTime(os.Getpid(), timeout, d.log)
	within := timeout + abortMargin
	manager.notify(fmt.Sprintf("STOPPING=1\nEXTEND_TIMEOUT_USEC=%d", within.Microseconds()))
}

// signalActions are what SIGHUP does, and the first and the second SIGTERM or SIGINT.
type signalActions struct{ reload, drain, hurry func() }

// handleSignals handles signals until the daemon has ended.
func (d *Daemon) handleSignals(signals <-chan os.Signal, ended <-chan struct{}, do signalActions) {
	for terms := 0; ; {
		select {
		case <-ended:
			return
		case s := <-signals:
			if s == syscall.SIGHUP {
				do.reload()
				continue
			}
			terms++
			d.log.Info("signal", zap.String("signal", s.String()), zap.Int("count", terms))
			switch terms {
			case 1:
				do.drain()
			case 2:
				do.hurry()
			}
		}
	}
}

// sayStopTime says how long the end may take if the daemon is a container's first process, which
// is killed by whoever stops the container, and can't ask when.
func sayStopTime(pid int, drain time.Duration, log *zap.Logger) {
	const docker, enough = 10 * time.Second, 3 * time.Second
	if pid != 1 || drain+enough <= docker {
		return
	}
	seconds := int((drain + abortMargin).Seconds())
	log.Info("stopping the container takes time", zap.Duration("drain_timeout", drain), zap.String("hint", fmt.Sprintf(
		"docker stop kills after 10 s, and Kubernetes after 30 s, unless told to wait: --stop-timeout %[1]d, stop_grace_period: %[1]ds, terminationGracePeriodSeconds: %[1]d; or lower drain_timeout", seconds)))
}

// loadAgain reads the configuration for a running daemon.
func (p *Process) loadAgain(d *Daemon, l Listeners) (*config.Loaded, error) {
	fresh, err := p.Load()
	if err != nil {
		return nil, err
	}
	if file := d.loaded.Load().File; file != "" && fresh.File == "" {
		return nil, fmt.Errorf("%s is gone: %w", file, fs.ErrNotExist)
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
