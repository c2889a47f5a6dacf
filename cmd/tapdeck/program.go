package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"tapdeck/cmd/internal/app"
	"tapdeck/cmd/internal/config"
	"tapdeck/controller/switchsim/load"
)

// Exit codes, the same for every command.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitLost   = 3
)

// program is the command line program without its process.
type program struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Environ        []string
	// Signals delivers the process's signals; nil means those of the system.
	Signals chan os.Signal

	atEnd func() // if not nil: what a command does after its last word
}

// usageError is an error of the command line or of the configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// usage marks an error as one of the command line or of the configuration.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// configVariable is the environment variable of --config.
const configVariable = "TAPDECK_CONFIG"

// configured are the flags of every command that reads the configuration.
type configured struct {
	Config string            `short:"c" type:"path" env:"TAPDECK_CONFIG" placeholder:"FILE" help:"Configuration file (default ./tapdeck.yaml, if it is there)."`
	Set    map[string]string `short:"s" mapsep:"none" placeholder:"KEY=VALUE" help:"Override one key of the configuration, such as -s esl.listen=127.0.0.1:8084; may be repeated."`
}

// load reads the configuration with everything that overrides it. Of extra, by key, the
// empty values are left out.
func (c *configured) load(p *program, extra map[string]string) (*config.Loaded, error) {
	flags := map[string]string{}
	maps.Copy(flags, extra)
	maps.DeleteFunc(flags, func(_, v string) bool { return v == "" })
	maps.Copy(flags, c.Set)
	loaded, err := config.Load(config.Options{Path: c.Config, Environ: p.Environ, Reserved: []string{addressVariable, passwordVariable}, Flags: flags})
	return loaded, usage(err)
}

// grammar is the whole command line.
type grammar struct {
	Serve      serveCommand      `cmd:"" help:"Run the daemon: accept calls, record them."`
	Demo       demoCommand       `cmd:"" help:"Show the whole thing without a FreeSWITCH: simulated calls with real speech, recorded and compared."`
	Calls      callsCommand      `cmd:"" help:"Show what a running daemon does: its calls with step, age, audio, level and who speaks, or one call's timeline."`
	Call       callCommand       `cmd:"" help:"Place simulated calls against a running daemon: the load generator."`
	Doctor     doctorCommand     `cmd:"" help:"Check whether a real FreeSWITCH has all that tapdeck needs, and prove it with a call."`
	AgentTest  agentTestCommand  `cmd:"" name:"agent-test" help:"Talk with a bot as the daemon does, and say what it gets wrong."`
	Transcribe transcribeCommand `cmd:"" help:"Have a service (a speech recogniser) transcribe finished recordings, and write what was said."`
	Dialplan   dialplanCommand   `cmd:"" help:"Print the dialplan XML that hands calls to tapdeck, or check an existing file."`
	Check      checkCommand      `cmd:"" help:"Check the configuration and show every value with its origin, and what a caller will hear."`
	Repair     repairCommand     `cmd:"" help:"Repair and publish what a crash left below a recordings directory, or mend a WAV file."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
}

const description = `Call controller and audio sink for FreeSWITCH.

A dialplan hands a call over with <action application="socket" data="127.0.0.1:8084 async full"/>;
tapdeck follows the call's plan (most often: answer it, play a tone and a prompt, stream the caller's
audio with mod_audio_stream, have a bot talk with the caller, hang up), and leaves UUID.json, one record of the call, and, of a stream,
UUID.wav; of one that a service transcribes, also UUID.vtt, what was said.

Begin with "tapdeck demo"; exit codes: 0 done, 1 failed, 2 usage or configuration, 3 stopped, and a recording or record is not whole.`

// Run carries out one command line and returns the exit code.
func (p *program) Run(ctx context.Context, args []string) int {
	var cli grammar
	exited := -1
	faults := kong.Vars{"faults": strings.Join(slices.Sorted(maps.Keys(load.Faults())), ",")}
	parser, err := kong.New(&cli, kong.Name("tapdeck"), kong.Description(description), kong.UsageOnError(),
		kong.Writers(p.Stdout, p.Stderr), kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}), faults)
	if err != nil {
		fmt.Fprintln(p.Stderr, "tapdeck:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	switch {
	case exited >= 0:
		return exited
	case err != nil:
		fmt.Fprintf(p.Stderr, "tapdeck: %v\ntry: tapdeck --help\n", err)
		return exitUsage
	}
	command.BindTo(ctx, (*context.Context)(nil))
	code := p.code(command.Run(p))
	if p.atEnd != nil {
		p.atEnd()
	}
	return code
}

// code says an error and returns the exit code that it stands for.
func (p *program) code(err error) int {
	if err == nil {
		return exitDone
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(p.Stderr, "tapdeck: %s\n", strings.TrimRight(line, "\n"))
	}
	var lost app.LostError
	var used usageError
	var config *app.ConfigError
	switch {
	case errors.As(err, &lost):
		return exitLost
	case errors.As(err, &used), errors.As(err, &config):
		return exitUsage
	}
	return exitFailed
}

type versionCommand struct{}

// Run prints the version of the build.
func (versionCommand) Run(p *program) error {
	_, err := fmt.Fprintf(p.Stdout, "tapdeck %s %s %s/%s\n", app.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
