package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"tapdeck/cmd/internal/admin"
	"tapdeck/cmd/internal/config"
	"tapdeck/cmd/internal/events"
	"tapdeck/controller"
	"tapdeck/controller/agent"
	"tapdeck/controller/esl"
	"tapdeck/sink"
	"tapdeck/sink/store"
)

// Daemon is the running parts of tapdeck.
type Daemon struct {
	// OnReady, if not nil, is called by Run once calls are accepted. It must be set before Run.
	OnReady func()
	// LogDropped, if not nil, counts the lines of the log that were dropped. It must be set before Run.
	LogDropped func() int64

	log        *zap.Logger
	level      zap.AtomicLevel
	loaded     atomic.Pointer[config.Loaded]
	started    *config.Loaded // what is in effect of the keys that need a restart
	registry   *prometheus.Registry
	sink       *sink.Sink
	events     *esl.Server
	bus        *events.Bus
	controller *controller.Controller
	admin      admin.Server
	lost       atomic.Int64 // recordings and records that could not be kept
	ready      atomic.Bool

	certificate *Certificate // nil without TLS

	reloadWorked, reloadedAt prometheus.Gauge
	certificateEnds          *prometheus.GaugeVec
}

// New builds a daemon from a valid configuration. Nothing runs yet. The error of a
// certificate that can't be loaded is a *ConfigError.
func New(loaded *config.Loaded, log *zap.Logger, level zap.AtomicLevel) (*Daemon, error) {
	return newDaemon(loaded, log, level, store.OSDisk{})
}

func newDaemon(loaded *config.Loaded, log *zap.Logger, level zap.AtomicLevel, disk store.Disk) (*Daemon, error) {
	d := &Daemon{log: log, level: level, registry: prometheus.NewRegistry(), started: loaded}
	d.loaded.Store(loaded)
	d.registerMetrics()
	cfg := sinkConfig(loaded.Config)
	cfg.Disk = disk
	var err error
	if d.certificate, err = LoadCertificate(loaded.Config.Sink.TLS); err != nil {
		return nil, err
	}
	cfg.TLS = d.certificate.Config()
	d.sink = sink.New(cfg, log, d.registry)
	d.events = esl.NewServer(eslConfig(loaded.Config), log, d.registry)
	d.bus = events.New(loaded.Config.InstanceName(), log, d.registry)
	settings := controller.DefaultConfig()
	settings.Observer = d.bus
	settings.MaxCalls, settings.Variables = loaded.Config.ESL.MaxCalls, loaded.Config.Record.Variables
	settings.Player, settings.Instance = loaded.Config.Player.Controller(), loaded.Config.InstanceName()
	d.controller = controller.New(settings, recorder{d.sink, &d.lost, loaded.Config.InstanceName()}, d.plan, log, d.registry)
	d.admin = admin.Server{
		Token: loaded.Config.Admin.Token, Pprof: loaded.Config.Admin.Pprof,
		Calls: d.controller, Readiness: d.readiness, Level: level, Registry: d.registry, Log: log,
		Twilio: d.twilio(), Events: d.bus, Schemas: map[string][]byte{"pcm": agent.PCMSchema, "events": events.Schema},
	}
	return d, nil
}

// plan chooses a call's plan from the configuration in effect.
func (d *Daemon) plan(variables controller.Variables, socketPath string) (controller.Plan, []error) {
	return d.loaded.Load().ForCall(variables, socketPath)
}

func (d *Daemon) readiness() admin.Readiness {
	switch {
	case d.controller.Draining():
		return admin.Draining
	case !d.ready.Load():
		return admin.NotReady
	case d.controller.Full():
		return admin.Full
	}
	switch err := d.sink.Refuses(); {
	case errors.Is(err, sink.ErrDiskHangs):
		return admin.DiskHangs
	case errors.Is(err, sink.ErrDiskLow):
		return admin.DiskLow
	case errors.Is(err, sink.ErrTooManyStreams):
		return admin.NoStreams
	}
	return admin.Ready
}

// Run serves until drain is closed and the calls have ended by themselves, for
// drain_timeout at most, or until ctx is done, which ends the running calls at once. It
// returns when every goroutine of the daemon has ended.
func (d *Daemon) Run(ctx context.Context, l Listeners, drain <-chan struct{}) error {
	// The sink and the admin server outlive the calls, to publish and to show them.
	serving, stopServing := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stopServing(nil)
	ctx, endCalls := context.WithCancelCause(ctx)
	defer endCalls(nil)
	pages := start(d.log, "admin", func() error { return d.admin.Serve(serving, l.Admin) })
	recovery := start(d.log, "recovery", func() error { d.recover(ctx); return nil })
	sweep := start(d.log, "sweep", func() error { d.sweep(ctx); return nil })
	streams := start(d.log, "sink", func() error { return d.sink.Serve(serving, l.Sink) })
	calls := start(d.log, "calls", func() error { return d.controller.Serve(ctx, l.ESL, d.events) })
	d.ready.Store(true)
	if d.OnReady != nil {
		d.OnReady()
	}

	var failure error
	select {
	case <-calls.done:
	case <-streams.done:
		failure = errors.New("the sink has ended by itself")
	case <-drain:
		d.drain(ctx, l, calls)
	}
	d.ready.Store(false)
	endCalls(controller.ErrShutdown)
	l.ESL.Close()
	failure = errors.Join(failure, calls.wait())
	stopServing(controller.ErrShutdown)
	return errors.Join(failure, streams.wait(), pages.wait(), recovery.wait(), sweep.wait())
}

// recover publishes what a crash left, beside the calls: it may take minutes, and
// a call that nobody answers meanwhile would be parked.
//
// Where there are no file locks, what died a moment ago can't be told from what runs
// elsewhere. It is looked at once more when it can.
func (d *Daemon) recover(ctx context.Context) {
	if d.recoverOnce(ctx) == 0 {
		return
	}
	select {
	case <-time.After(store.AliveFor + store.TouchInterval):
		d.recoverOnce(ctx)
	case <-ctx.Done():
	}
}

// recoverOnce returns how many files are worth another look.
func (d *Daemon) recoverOnce(ctx context.Context) (recent int) {
	done, err := d.sink.Recover(ctx)
	if err != nil && ctx.Err() == nil {
		d.log.Warn("recovery incomplete", zap.NamedError("err", err), zap.String("hint", "`tapdeck repair` on the recordings directory tries again"))
	}
	if len(done.Files) > 0 {
		d.log.Info("recovery complete", zap.Int("published", done.Published()), zap.Int("left", done.Left()), zap.Int("recent", done.Recent()))
	}
	return done.Recent()
}

// drain accepts no new calls and waits until the running ones have ended, drain_timeout
// is over, or ctx is done.
func (d *Daemon) drain(ctx context.Context, l Listeners, calls *task) {
	d.ready.Store(false)
	d.controller.Drain()
	l.stopAccepting()
	timeout := d.loaded.Load().Config.DrainTimeout
	limit, report := time.NewTimer(timeout), time.NewTicker(5*time.Second)
	defer limit.Stop()
	defer report.Stop()
	for {
		d.log.Info("draining", append(d.remainingCalls(), zap.Duration("drain_timeout", timeout))...)
		select {
		case <-calls.done:
			return
		case <-report.C:
		case <-limit.C:
			d.log.Warn("drain timeout", append(d.remainingCalls(), zap.String("hint", "the calls that are left are ended now; drain_timeout sets how long they may take"))...)
			return
		case <-ctx.Done():
			d.log.Warn("drain cut short", append(d.remainingCalls(), zap.String("hint", "a second signal, or the service manager, ended the calls that were left; what they had recorded is published"))...)
			return
		}
	}
}

// remainingCalls says how many calls run, and some of them.
func (d *Daemon) remainingCalls() []zap.Field {
	calls := d.controller.Calls()
	var sample []string
	for _, c := range calls[:min(5, len(calls))] {
		sample = append(sample, c.Info.UUID+" "+c.Step)
	}
	fields := []zap.Field{zap.Int("calls", len(calls))}
	if len(calls) > 0 {
		fields = append(fields, zap.Strings("sample", sample))
	}
	return fields
}

// task is a goroutine that somebody waits for.
type task struct {
	done chan struct{}
	err  error
}

// start runs a part of the daemon. If that panics, it has ended with an error: the daemon ends in
// order without its calls or its sink, and goes on without the others until it is told to stop.
func start(log *zap.Logger, part string, run func() error) *task {
	t := &task{done: make(chan struct{})}
	go func() {
		defer close(t.done)
		t.err = guarded(log, part, run)
	}()
	return t
}

// guarded does something whose panic is an error, and is logged with its stack.
func guarded(log *zap.Logger, part string, run func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: a defect of tapdeck: %v", part, p)
			log.Error("panic", zap.String("cause", part), zap.Any("err", p), zap.Stack("stack"), zap.String("hint", "a defect: please report it with the stack"))
		}
	}()
	return run()
}

// guard does something without which the daemon goes on.
func (d *Daemon) guard(part string, run func()) {
	_ = guarded(d.log, part, func() error { run(); return nil })
}

// wait returns the task's error, nil if it only says that tapdeck was told to stop.
func (t *task) wait() error {
	<-t.done
	for _, stopped := range []error{controller.ErrShutdown, context.Canceled, net.ErrClosed} {
		if errors.Is(t.err, stopped) {
			return nil
		}
	}
	return t.err
}
