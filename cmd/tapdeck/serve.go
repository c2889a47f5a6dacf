package main

import (
	"cmp"
	"context"
	"os/signal"
	"runtime/debug"
	"syscall"

	"tapdeck/cmd/internal/app"
	"tapdeck/cmd/internal/config"
	"tapdeck/cmd/internal/logqueue"
)

// gcPercent is how much garbage the daemon lets collect before it looks for it, in percent of
// what lives, unless GOGC says otherwise. Over half of what lives is buffers of the event socket's
// library that are hardly touched (64 KiB a call): measured by them alone, there would be twice the
// garbage. Go's own 100 takes a third more memory and 2 % less CPU.
const gcPercent = 40

type serveCommand struct {
	configured    `embed:""`
	ESLListen     string `name:"esl-listen" placeholder:"HOST:PORT" help:"Where the dialplan's socket action connects (esl.listen)."`
	SinkListen    string `name:"sink-listen" placeholder:"HOST:PORT" help:"Where mod_audio_stream connects (sink.listen)."`
	SinkAdvertise string `name:"sink-advertise" placeholder:"URL" help:"The sink's URL as FreeSWITCH reaches it (sink.advertise)."`
	SinkDirectory string `name:"sink-directory" placeholder:"DIR" help:"Where the recordings go (sink.directory)."`
	AdminListen   string `name:"admin-listen" placeholder:"HOST:PORT" help:"Metrics, health, running calls and events (admin.listen)."`
	LogLevel      string `name:"log-level" placeholder:"LEVEL" help:"debug, info, warn or error (log.level)."`
	LogFormat     string `name:"log-format" placeholder:"FORMAT" help:"json or console (log.format)."`
}

// Run is the daemon from its configuration to its last recording. Whoever reads its log may
// stop, or go away: no call waits for it, and none ends by SIGPIPE.
func (c *serveCommand) Run(ctx context.Context, p *program) error {
	flags := map[string]string{
		"esl.listen": c.ESLListen, "sink.listen": c.SinkListen, "sink.advertise": c.SinkAdvertise,
		"sink.directory": c.SinkDirectory, "admin.listen": c.AdminListen, "log.level": c.LogLevel, "log.format": c.LogFormat,
	}
	signal.Ignore(syscall.SIGPIPE)
	if app.Getenv(p.Environ, "GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	log := logqueue.New(p.Stderr)
	p.Stderr, p.atEnd = log, func() { _ = log.Close() }
	process := app.Process{
		File: cmp.Or(c.Config, config.DefaultPath),
		Load: func() (*config.Loaded, error) { return c.load(p, flags) },
		Log:  log, Environ: p.Environ, Signals: p.Signals,
	}
	return process.Run(ctx)
}
