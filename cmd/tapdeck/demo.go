package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"go.uber.org/zap"

	"tapdeck/cmd/internal/config"
	"tapdeck/controller"
	"tapdeck/controller/switchsim"
)

//go:embed speech.wav
var speech []byte

// demoListen is how long a demo listens where no plan was asked for.
const demoListen = "5s"

type demoCommand struct {
	configured `embed:""`
	Audio      string        `type:"existingfile" placeholder:"FILE.wav" help:"What the caller says: a 16-bit mono WAV of 8000 or 16000 Hz (default: a speech recording within tapdeck)."`
	Calls      int           `short:"n" default:"3" help:"How many simultaneous calls."`
	Out        string        `short:"o" type:"path" placeholder:"DIR" help:"Where the recordings go (default: a new folder in the system's temporary directory)."`
	Plan       string        `placeholder:"NAME" help:"Play this plan of the configuration as it is."`
	Timeout    time.Duration `default:"10m" help:"Give up after this time."`
}

// Run plays simulated calls against the daemon's own parts and compares every
// recording with what was said into its call.
func (c *demoCommand) Run(ctx context.Context, p *program) error {
	if c.Calls < 1 || c.Calls > 5000 {
		return usage(fmt.Errorf("--calls %d: must be 1 to 5000", c.Calls))
	}
	loaded, plan, err := c.configure(p)
	if err != nil {
		return err
	}
	voice, err := c.voice()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.Timeout, fmt.Errorf("the demo did not end within --timeout %v", c.Timeout))
	defer cancel()
	d, l, closeLog, err := c.daemon(ctx, loaded)
	if err != nil {
		return err
	}
	defer closeLog()
	c.explain(p.Stdout, plan, loaded.Config.Sink.Directory)
	running, stop := context.WithCancel(ctx)
	served := async(func() error { return d.run(running, l, nil, nil) })
	reports := c.place(ctx, p.Stdout, l.events.Addr().String(), plan, voice)
	stop()
	if err := <-served; err != nil {
		return fmt.Errorf("run the daemon's parts: %w", err)
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return summarize(p.Stdout, loaded.Config.Sink.Directory, reports)
}

// configure reads the configuration for a demo: its own folder, and a shorter
// listening time where no plan was asked for.
func (c *demoCommand) configure(p *program) (*config.Loaded, controller.Plan, error) {
	extra := map[string]string{}
	if c.Config == "" && c.Plan == "" {
		extra["plans.default.listen"] = demoListen
	}
	if c.Out == "" {
		dir, err := os.MkdirTemp("", "tapdeck-demo-")
		if err != nil {
			return nil, controller.Plan{}, fmt.Errorf("make a folder for the recordings: %w", err)
		}
		c.Out = dir
	}
	if err := os.MkdirAll(c.Out, 0o750); err != nil {
		return nil, controller.Plan{}, usage(fmt.Errorf("--out %q: %w", c.Out, err))
	}
	extra["sink.directory"] = c.Out
	loaded, err := c.load(p, extra)
	if err != nil {
		return nil, controller.Plan{}, err
	}
	name := c.Plan
	if name == "" {
		name = config.DefaultPlan
	}
	plan, ok := loaded.Plan(name)
	if !ok {
		return nil, plan, usage(fmt.Errorf("--plan %q: there is no such plan; there are %q", name, loaded.PlanNames()))
	}
	return loaded, plan, nil
}

// daemon sets up the daemon's own parts on free loopback ports; its log goes to
// a file beside the recordings.
func (c *demoCommand) daemon(ctx context.Context, loaded *config.Loaded) (*daemon, listeners, func(), error) {
	var l listeners
	var lc net.ListenConfig
	for _, ln := range []*net.Listener{&l.events, &l.sink} {
		var err error
		if *ln, err = lc.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			l.close()
			return nil, l, nil, fmt.Errorf("listen on loopback: %w", err)
		}
	}
	c.atHome(&loaded.Config, l)
	file, err := os.OpenFile(filepath.Join(c.Out, "tapdeck.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		l.close()
		return nil, l, nil, fmt.Errorf("open the demo's log: %w", err)
	}
	level := zap.NewAtomicLevel()
	d, err := newDaemon(loaded, newLogger(file, "json", level), level)
	if err != nil {
		l.close()
		_ = file.Close()
		return nil, l, nil, err
	}
	return d, l, func() { _ = file.Close() }, nil
}

// atHome has the daemon's parts serve a simulated switch on this machine, whatever
// switch the configuration is for. What a caller hears stays as it is.
func (c *demoCommand) atHome(cfg *config.Config, l listeners) {
	usual := config.Default()
	cfg.ESL.Allow, cfg.Sink.Allow = usual.ESL.Allow, usual.Sink.Allow
	cfg.ESL.MaxCalls = max(cfg.ESL.MaxCalls, c.Calls)
	cfg.Sink.TLS, cfg.Sink.MaxStreams, cfg.Sink.MinFree = config.TLS{}, 0, 0
	cfg.Sink.Advertise = "ws://" + l.sink.Addr().String()
}

func (c *demoCommand) explain(w io.Writer, plan controller.Plan, dir string) {
	fmt.Fprintf(w, "%d simulated calls by plan %q, seconds from the answer:\n", c.Calls, plan.Name)
	_ = printTimeline(w, config.Timeline(plan))
	fmt.Fprintf(w, "recordings and log: %s\n\n", dir)
}

// voice is what the first caller says.
func (c *demoCommand) voice() (*switchsim.Voice, error) {
	data, name := speech, "speech.wav"
	if c.Audio != "" {
		var err error
		if data, err = os.ReadFile(c.Audio); err != nil {
			return nil, usage(fmt.Errorf("--audio: %w", err))
		}
		name = c.Audio
	}
	v, err := readVoice(data)
	if err != nil {
		return nil, usage(fmt.Errorf("--audio %q: %w", name, err))
	}
	return v, nil
}

// place runs the calls at once, each with a voice of its own, and waits for all.
func (c *demoCommand) place(ctx context.Context, w io.Writer, address string, plan controller.Plan, voice *switchsim.Voice) []switchsim.Report {
	sw := switchsim.New(switchsim.Config{})
	show := newProgress(w, c.Calls)
	calls := make([]*switchsim.Call, 0, c.Calls)
	for i := range c.Calls {
		call, err := sw.Dial(ctx, switchsim.CallSpec{
			Address: address + "/" + plan.Name, Caller: fmt.Sprintf("%d", 1001+i),
			Voice: rotate(voice, i*len(voice.PCM)/c.Calls), Progress: show.take,
		})
		if err != nil {
			continue // no spec of ours is refused; a missing report is found below
		}
		calls = append(calls, call)
	}
	showing, stop := context.WithCancel(ctx)
	shown := async(func() error { show.run(showing); return nil })
	reports := make([]switchsim.Report, 0, len(calls))
	for _, call := range calls {
		reports = append(reports, call.Wait())
	}
	stop()
	<-shown
	sw.Wait()
	return reports
}

// rotate is the same voice begun at another sample, so that no two callers say
// the same thing at the same time.
func rotate(v *switchsim.Voice, by int) *switchsim.Voice {
	return &switchsim.Voice{Rate: v.Rate, PCM: v.PCM, Loop: true, From: int64(by)}
}

// summarize compares every recording and prints one line per call.
func summarize(w io.Writer, dir string, reports []switchsim.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CALL\tRESULT\tSECONDS\tLEVEL\tCOMPARED WITH WHAT WAS SAID\tFILE")
	bad := 0
	for _, r := range reports {
		v, err := verify(dir, r)
		verdict := fmt.Sprintf("%d samples, all equal", v.samples)
		if err != nil {
			bad++
			verdict = "DIFFERS: " + err.Error()
		}
		fmt.Fprintf(t, "%s\t%s\t%.2f\t%.1f dBFS\t%s\t%s\n", r.UUID, v.record.Result, float64(v.record.AudioMS)/1000, v.record.RMSDBFS, verdict, v.path)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if bad > 0 || len(reports) == 0 {
		return errors.New(fmt.Sprint(bad, " of ", len(reports), " recordings do not hold what was said; tapdeck.log beside them says more"))
	}
	fmt.Fprintf(w, "\n%d of %d recordings hold exactly what was said into their call.\n", len(reports), len(reports))
	return nil
}
