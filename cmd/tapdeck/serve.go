package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"tapdeck/cmd/internal/config"
)

// reloadDebounce is how long the configuration file must have been left alone.
const reloadDebounce = 200 * time.Millisecond

type serveCommand struct {
	configured    `embed:""`
	ESLListen     string `name:"esl-listen" placeholder:"HOST:PORT" help:"Where the dialplan's socket action connects (esl.listen)."`
	SinkListen    string `name:"sink-listen" placeholder:"HOST:PORT" help:"Where mod_audio_stream connects (sink.listen)."`
	SinkAdvertise string `name:"sink-advertise" placeholder:"URL" help:"What FreeSWITCH is told (sink.advertise)."`
	SinkDirectory string `name:"sink-directory" placeholder:"DIR" help:"Where the recordings go (sink.directory)."`
	AdminListen   string `name:"admin-listen" placeholder:"HOST:PORT" help:"Metrics, health and running calls (admin.listen)."`
	LogLevel      string `name:"log-level" placeholder:"LEVEL" help:"debug, info, warn or error (log.level)."`
	LogFormat     string `name:"log-format" placeholder:"FORMAT" help:"json or console (log.format)."`
}

func (c *serveCommand) flags() map[string]string {
	return map[string]string{
		"esl.listen": c.ESLListen, "sink.listen": c.SinkListen, "sink.advertise": c.SinkAdvertise,
		"sink.directory": c.SinkDirectory, "admin.listen": c.AdminListen, "log.level": c.LogLevel, "log.format": c.LogFormat,
	}
}

// Run is the daemon from its configuration to its last recording.
func (c *serveCommand) Run(ctx context.Context, p *program) error {
	load := func() (*config.Loaded, error) { return c.load(p, c.flags()) }
	loaded, err := load()
	if err != nil {
		return err
	}
	level := zap.NewAtomicLevel()
	if parsed, err := zapcore.ParseLevel(loaded.Config.Log.Level); err == nil {
		level.SetLevel(parsed)
	}
	log := newLogger(p.Stderr, loaded.Config.Log.Format, level)
	for _, w := range loaded.Warnings {
		log.Warn("configuration", zap.Stringer("err", w))
	}
	l, err := c.listen(ctx, p, loaded)
	if err != nil {
		return err
	}
	defer l.close()
	d, err := newDaemon(loaded, log, level)
	if err != nil {
		return err
	}
	if err := c.serve(ctx, p, d, l, load); err != nil {
		return err
	}
	if lost := d.lost.Load(); lost > 0 {
		return &exitError{code: exitLost, err: fmt.Errorf("%d recordings or records could not be kept; the log says which and why", lost)}
	}
	return nil
}

// serve runs the daemon under the process's signals: SIGTERM or SIGINT drains, a
// second one cuts the drain short, SIGHUP reads the configuration again.
func (c *serveCommand) serve(ctx context.Context, p *program, d *daemon, l listeners, load func() (*config.Loaded, error)) error {
	signals := p.Signals
	if signals == nil {
		signals = make(chan os.Signal, 4)
		signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		defer signal.Stop(signals)
	}
	background, stop := context.WithCancel(ctx)
	drain, hurry, hangup := make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)
	service := newService(p.Environ)
	handling := async(func() error { handleSignals(background, d.log, signals, drain, hurry, hangup, service); return nil })
	watching := async(func() error {
		return d.watch(background, d.loaded.Load().File, hangup, func() (*config.Loaded, error) {
			defer service.notify("READY=1")
			return load()
		})
	})
	notifying := async(func() error { return service.watchdog(background) })
	d.log.Info("tapdeck is ready", zap.String("version", version()), zap.String("esl", l.events.Addr().String()),
		zap.String("sink", l.sink.Addr().String()), zap.String("admin", l.admin.Addr().String()), zap.String("config", d.loaded.Load().File))
	service.notify("READY=1")
	err := d.run(ctx, l, drain, hurry)
	stop()
	err = errors.Join(err, <-handling, <-watching, <-notifying)
	d.log.Info("tapdeck has stopped", zap.Int64("lost", d.lost.Load()), zap.NamedError("err", err))
	return err
}

// handleSignals turns signals into closed channels, until ctx is done.
func handleSignals(ctx context.Context, log *zap.Logger, signals <-chan os.Signal, drain, hurry chan struct{}, hangup chan<- struct{}, service *service) {
	terms := 0
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			if s == syscall.SIGHUP {
				service.notify("RELOADING=1")
				select {
				case hangup <- struct{}{}:
				default:
				}
				continue
			}
			terms++
			log.Info("signal", zap.String("signal", s.String()), zap.Int("count", terms))
			switch terms {
			case 1:
				service.notify("STOPPING=1")
				close(drain)
			case 2:
				close(hurry)
			}
		}
	}
}

// listen opens the daemon's listeners, or takes those that systemd holds.
func (c *serveCommand) listen(ctx context.Context, p *program, loaded *config.Loaded) (l listeners, err error) {
	inherited, err := inheritedListeners(p.Environ)
	if err != nil {
		return l, err
	}
	cfg := loaded.Config
	for _, place := range []struct {
		key, name, address string
		ln                 *net.Listener
	}{
		{"esl.listen", "esl", cfg.ESL.Listen, &l.events},
		{"sink.listen", "sink", cfg.Sink.Listen, &l.sink},
		{"admin.listen", "admin", cfg.Admin.Listen, &l.admin},
	} {
		if *place.ln = inherited[place.name]; *place.ln != nil {
			continue
		}
		var lc net.ListenConfig
		if *place.ln, err = lc.Listen(ctx, "tcp", place.address); err != nil {
			l.close()
			return l, fmt.Errorf("listen at %s %q: %w (is another tapdeck running? `ss -ltnp` tells who has the port)", place.key, place.address, err)
		}
	}
	l.sink, err = tlsListener(l.sink, cfg.Sink.TLS)
	return l, err
}
