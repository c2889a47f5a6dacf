package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"tapdeck/cmd/internal/config"
	"tapdeck/controller"
	"tapdeck/controller/esl"
	"tapdeck/sink"
)

// daemon is the running parts of tapdeck.
type daemon struct {
	log        *zap.Logger
	level      zap.AtomicLevel
	loaded     atomic.Pointer[config.Loaded]
	started    *config.Loaded // what is in effect of the keys that need a restart
	registry   *prometheus.Registry
	sink       *sink.Sink
	events     *esl.Server
	controller *controller.Controller
	reloads    reloadMetrics
	lost       atomic.Int64
	ready      atomic.Bool
	// announce, if not nil, is called once calls are taken.
	announce func()
}

// listeners are where a daemon serves; admin may be nil.
type listeners struct {
	events, sink, admin net.Listener
	activated           bool // systemd holds events
}

func (l listeners) close() {
	for _, ln := range []net.Listener{l.events, l.sink, l.admin} {
		if ln != nil {
			ln.Close()
		}
	}
}

// newDaemon builds a daemon from a valid configuration. Nothing runs yet.
func newDaemon(loaded *config.Loaded, log *zap.Logger, level zap.AtomicLevel) (*daemon, error) {
	d := &daemon{log: log, level: level, registry: prometheus.NewRegistry()}
	d.started = loaded
	d.loaded.Store(loaded)
	d.registerMetrics()
	d.reloads = newReloadMetrics(d.registry)
	settled := sinkConfig(loaded.Config)
	var err error
	if settled.TLS, err = loadTLS(loaded.Config.Sink.TLS); err != nil {
		return nil, err
	}
	if d.sink, err = sink.New(settled, log, d.registry); err != nil {
		return nil, fmt.Errorf("set up the sink: %w", err)
	}
	if d.events, err = esl.NewServer(eslConfig(loaded.Config), log, d.registry); err != nil {
		return nil, fmt.Errorf("set up the event socket: %w", err)
	}
	settings := controller.DefaultConfig()
	settings.MaxCalls = loaded.Config.ESL.MaxCalls
	d.controller = controller.New(settings, recorder{sink: d.sink, lost: &d.lost}, d.plans, log, d.registry)
	return d, nil
}

// plans chooses a call's plan from the configuration in effect.
func (d *daemon) plans(variables controller.Variables, socketPath string) (controller.Plan, []error) {
	plan, warnings := d.loaded.Load().ForCall(variables, socketPath)
	var errs []error
	for _, w := range warnings {
		errs = append(errs, errors.New(w.String()))
	}
	return plan, errs
}

func sinkConfig(c config.Config) sink.Config {
	s := sink.DefaultConfig()
	s.Advertise, s.Allow, s.Directory = c.Sink.Advertise, c.Sink.Allow, c.Sink.Directory
	s.MinFree, s.MaxStreams, s.MaxDuration = int64(c.Sink.MinFree), c.Sink.MaxStreams, c.Sink.MaxDuration
	s.IdleTimeout, s.ReadInterval = c.Sink.IdleTimeout, c.Sink.ReadInterval
	return s
}

// spareConnections is how many event sockets there may be beyond max_calls: to
// be told that they are refused.
const spareConnections = 256

func eslConfig(c config.Config) esl.Config {
	e := esl.DefaultConfig()
	e.Allow = c.ESL.Allow
	e.MaxConnections = c.ESL.MaxCalls + spareConnections
	e.ReplyTimeout = controller.DefaultConfig().CommandTimeout
	e.Headers = controller.Headers()
	return e
}

// loadTLS reads the sink's certificate, if it has one.
func loadTLS(t config.TLS) (*tls.Config, error) {
	if t.Certificate == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(t.Certificate, t.Key)
	if err != nil {
		return nil, usage(fmt.Errorf("load sink.tls certificate %s and key %s: %w", t.Certificate, t.Key, err))
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// run serves until drain is closed and the calls have ended, until hurry is
// closed, or until ctx is done; the latter two end running calls at once. It
// returns when every goroutine of the daemon has ended.
func (d *daemon) run(ctx context.Context, l listeners, drain, hurry <-chan struct{}) error {
	sinkCtx, stopSink := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stopSink(nil)
	callsCtx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	adminDone := async(func() error { return d.serveAdmin(sinkCtx, l.admin) })
	recovery, stopRecovery := context.WithCancel(ctx)
	defer stopRecovery()
	recovered := async(func() error { d.recover(recovery); return nil })
	sinkDone := async(func() error { return d.sink.Serve(sinkCtx, l.sink) })
	callsDone := async(func() error { return d.controller.Serve(callsCtx, l.events, d.events) })
	d.ready.Store(true)
	if d.announce != nil {
		d.announce()
	}

	var failure error
	select {
	case err := <-callsDone:
		failure = outside(err)
		callsDone = async(func() error { return nil })
	case err := <-sinkDone:
		failure = fmt.Errorf("serve the sink: %w", errors.Join(err, errors.New("it ended by itself")))
		sinkDone = async(func() error { return nil })
	case <-hurry:
		abort(controller.ErrShutdown)
	case <-drain:
		d.drain(l, callsDone, hurry, abort)
	}
	d.ready.Store(false)
	abort(controller.ErrShutdown)
	stopRecovery()
	l.events.Close()
	failure = errors.Join(failure, outside(<-callsDone))
	stopSink(controller.ErrShutdown)
	return errors.Join(failure, outside(<-sinkDone), outside(<-adminDone), <-recovered)
}

// recover publishes what a crash left, beside the calls: it may take minutes, and
// a call that nobody answers meanwhile would be parked.
func (d *daemon) recover(ctx context.Context) {
	done, err := d.sink.Recover(ctx)
	if err != nil && ctx.Err() == nil {
		d.log.Warn("recovery incomplete", zap.NamedError("err", err), zap.String("hint", "`tapdeck repair` on the recordings directory tries again"))
	}
	if len(done.Files) > 0 {
		d.log.Info("recovery complete", zap.Int("published", done.Published()), zap.Int("left", done.Left()))
	}
}

// drain lets the running calls end by themselves, for drain_timeout at most.
func (d *daemon) drain(l listeners, callsDone chan error, hurry <-chan struct{}, abort context.CancelCauseFunc) {
	d.ready.Store(false)
	d.controller.Drain()
	l.events.Close()
	timeout := d.loaded.Load().Config.DrainTimeout
	d.log.Info("draining", zap.Int("calls", len(d.controller.Calls())), zap.Duration("drain_timeout", timeout))
	limit, report := time.NewTimer(timeout), time.NewTicker(5*time.Second)
	defer limit.Stop()
	defer report.Stop()
	for {
		select {
		case err := <-callsDone:
			callsDone <- err
			return
		case <-report.C:
			d.reportDrain()
		case <-limit.C:
			d.log.Warn("drain timeout", zap.Int("calls", len(d.controller.Calls())), zap.String("hint", "the calls that are left are ended now; drain_timeout sets how long they may take"))
			abort(controller.ErrShutdown)
			return
		case <-hurry:
			d.log.Warn("drain cut short", zap.Int("calls", len(d.controller.Calls())))
			abort(controller.ErrShutdown)
			return
		}
	}
}

// reportDrain logs how many calls are left, and some of them.
func (d *daemon) reportDrain() {
	calls := d.controller.Calls()
	var sample []string
	for _, c := range calls[:min(5, len(calls))] {
		sample = append(sample, c.Info.UUID+" "+c.Step)
	}
	d.log.Info("draining", zap.Int("calls", len(calls)), zap.Strings("sample", sample))
}

// async runs f in a goroutine; the channel delivers its error once.
func async(f func() error) chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

// outside removes the errors that only say that tapdeck was told to stop.
func outside(err error) error {
	if errors.Is(err, controller.ErrShutdown) || errors.Is(err, context.Canceled) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
