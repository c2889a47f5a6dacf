package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
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

// file is the configuration file, which need not be there yet.
func (c *serveCommand) file() string {
	if c.Config == "" {
		return config.DefaultPath
	}
	return c.Config
}

// Run is the daemon from its configuration to its last recording.
func (c *serveCommand) Run(ctx context.Context, p *program) error {
	// Made before the file is read, so that no change of it is missed.
	watcher, unwatched := config.NewWatcher(c.file(), reloadDebounce)
	if unwatched == nil {
		defer func() { _ = watcher.Close() }()
	}
	loaded, err := c.load(p, c.flags())
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
	if unwatched != nil {
		log.Warn("configuration not watched", zap.NamedError("err", unwatched), zap.String("hint", "a changed file is read after SIGHUP only"))
	}
	if err := usable(loaded.Config.Sink.Directory); err != nil {
		return err
	}
	l, err := c.listen(ctx, p, loaded)
	if err != nil {
		return err
	}
	defer l.close()
	if timeout := loaded.Config.DrainTimeout; l.activated && timeout > parkedAfter {
		log.Warn("drain_timeout is long for socket activation", zap.Duration("drain_timeout", timeout),
			zap.String("hint", "new calls wait in systemd's socket for the next process, and FreeSWITCH parks those that wait for 25 s: keep drain_timeout below "+parkedAfter.String()))
	}
	load := func() (*config.Loaded, error) {
		fresh, err := c.load(p, c.flags())
		if err == nil && loaded.File != "" && fresh.File == "" {
			err = fmt.Errorf("%s is gone, with which tapdeck was started", loaded.File)
		}
		if err == nil {
			advertiseReal(&fresh.Config.Sink, l.sink.Addr())
		}
		return fresh, err
	}
	advertiseReal(&loaded.Config.Sink, l.sink.Addr())
	d, err := newDaemon(loaded, log, level)
	if err != nil {
		return err
	}
	if err := c.serve(ctx, p, d, l, watcher, load); err != nil {
		return err
	}
	if lost := d.lost.Load(); lost > 0 {
		return &exitError{code: exitLost, err: fmt.Errorf("%d recordings or records could not be kept; the log says which and why", lost)}
	}
	return nil
}

// serve runs the daemon under the process's signals: SIGTERM or SIGINT drains, a
// second one cuts the drain short, SIGHUP reads the configuration again.
func (c *serveCommand) serve(ctx context.Context, p *program, d *daemon, l listeners, watcher *config.Watcher, load func() (*config.Loaded, error)) error {
	signals := p.Signals
	if signals == nil {
		signals = make(chan os.Signal, 4)
		signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		defer signal.Stop(signals)
	}
	background, stop := context.WithCancel(ctx)
	drain, hurry, hangup := make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)
	service := newService(p.Environ)
	handling := async(func() error { d.handleSignals(background, signals, drain, hurry, hangup, service); return nil })
	watching := async(func() error {
		return d.watch(background, watcher, hangup, func() {
			d.reload(load)
			service.ready()
		})
	})
	notifying := async(func() error { return service.watchdog(background, func() { d.controller.Full() }) })
	d.announce = func() {
		d.log.Info("tapdeck is ready", zap.String("version", version()), zap.String("esl", l.events.Addr().String()),
			zap.String("sink", l.sink.Addr().String()), zap.String("admin", l.admin.Addr().String()),
			zap.String("advertise", d.loaded.Load().Config.Sink.Advertise), zap.String("config", d.loaded.Load().File))
		service.ready()
	}
	err := d.run(ctx, l, drain, hurry)
	stop()
	err = errors.Join(err, <-handling, <-watching, <-notifying)
	d.log.Info("tapdeck has stopped", zap.Int64("lost", d.lost.Load()), zap.NamedError("err", err))
	return err
}

// parkedAfter is a little less than how long FreeSWITCH waits for a controller that
// has accepted a call's connection and says nothing.
const parkedAfter = 20 * time.Second

// usable finds out, before a call is answered, whether recordings can be kept.
func usable(directory string) error {
	err := os.MkdirAll(directory, 0o750)
	if err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(directory, ".tapdeck-"); err == nil {
			err = errors.Join(probe.Close(), os.Remove(probe.Name()))
		}
	}
	if err != nil {
		return usage(fmt.Errorf("sink.directory %q: %w; it must be a folder that tapdeck may write to", directory, err))
	}
	return nil
}

// abortMargin is how long the calls that outlast drain_timeout may take to be
// ended, and their recordings to be published.
const abortMargin = 45 * time.Second

// handleSignals turns signals into closed channels, until ctx is done.
func (d *daemon) handleSignals(ctx context.Context, signals <-chan os.Signal, drain, hurry chan struct{}, hangup chan<- struct{}, service *service) {
	terms := 0
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			if s == syscall.SIGHUP {
				service.reloading()
				select {
				case hangup <- struct{}{}:
				default:
				}
				continue
			}
			terms++
			d.log.Info("signal", zap.String("signal", s.String()), zap.Int("count", terms))
			switch terms {
			case 1:
				service.stopping(d.loaded.Load().Config.DrainTimeout + abortMargin)
				close(drain)
			case 2:
				close(hurry)
			}
		}
	}
}

// listen opens the daemon's listeners, or takes those that systemd holds.
func (c *serveCommand) listen(ctx context.Context, p *program, loaded *config.Loaded) (l listeners, err error) {
	cfg := loaded.Config
	inherited, err := inheritedListeners(p.Environ)
	if err == nil {
		err = checkInherited(inherited, cfg.Admin.Token)
	}
	if err != nil {
		return l, usage(err)
	}
	l.activated = inherited["esl"] != nil
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
	return l, nil
}

// advertiseReal has FreeSWITCH told the sink's real port where sink.listen asks
// for any free one, and sink.advertise for nothing else.
func advertiseReal(s *config.Sink, real net.Addr) {
	address, ok := real.(*net.TCPAddr)
	if host, anyPort := strings.CutSuffix(s.Advertise, ":0"); ok && anyPort {
		s.Advertise = fmt.Sprintf("%s:%d", host, address.Port)
	}
}
