package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"go.uber.org/zap"

	"tapdeck/cmd/internal/app"
	"tapdeck/cmd/internal/config"
	"tapdeck/cmd/internal/verify"
	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/load"
)

// demoListen is how long a demo listens if no plan was asked for, and it is in the flat form.
const demoListen = 5 * time.Second

type demoCommand struct {
	configured `embed:""`
	Agent      bool          `help:"Have the callers talk with a simulated bot, which repeats what they say and is interrupted, by a plan for that or by --plan, whose bot it replaces."`
	Audio      string        `type:"existingfile" placeholder:"FILE.wav" help:"What the caller says: a WAV of 8000 or 16000 Hz, PCM, floating point, µ-law or A-law (default: a speech recording within tapdeck)."`
	Calls      int           `short:"n" default:"3" help:"How many simultaneous calls."`
	Out        string        `short:"o" type:"path" placeholder:"DIR" help:"Where the recordings go (default: a new folder in the system's temporary directory)."`
	Plan       string        `placeholder:"NAME" help:"Play this plan of the configuration as it is (default: default, which listens for 5 s only, unless --config or -s says how long)."`
	Digits     digits        `placeholder:"TIME=KEYS,…" help:"Keys that the callers press, and when after the answer: 4s=1,9s=42# (default: none)."`
	Timeout    time.Duration `default:"10m" help:"Give up after this time."`
}

// Run plays simulated calls against the daemon's own parts and compares every
// recording with what was said into its call.
func (c *demoCommand) Run(ctx context.Context, p *program) error {
	if c.Calls < 1 || c.Calls > 5000 {
		return usage(fmt.Errorf("--calls %d: must be 1 to 5000", c.Calls))
	}
	if c.Agent {
		ctx, cancel := c.withTimeout(ctx)
		defer cancel()
		return c.runAgent(ctx, p)
	}
	loaded, plan, err := c.configure(p)
	if err != nil {
		return err
	}
	voice, err := readVoice("--audio", c.Audio)
	if err != nil {
		return err
	}
	ctx, cancel := c.withTimeout(ctx)
	defer cancel()
	fmt.Fprintf(p.Stdout, "%d simulated calls by plan %q, seconds from the answer:\n", c.Calls, plan.Name)
	_ = printTimeline(p.Stdout, config.Timeline(plan))
	if flow.WaitForDigits(plan.Steps) && len(c.Digits) == 0 {
		fmt.Fprintln(p.Stdout, "the plan waits for digits, and these callers press none: with --digits '5s=#' they press # 5 s after the answer")
	}
	fmt.Fprintf(p.Stdout, "recordings and log: %s\n\n", c.Out)
	reports, err := c.place(ctx, loaded, func(address string) ([]switchsim.Report, error) {
		calls := load.Load{
			Address: address + "/" + plan.Name, Calls: c.Calls, Progress: p.Stdout,
			Spec: func(i int) switchsim.CallSpec {
				return switchsim.CallSpec{Caller: strconv.Itoa(1001 + i), Voice: voice.StartingAt(i * len(voice.PCM) / c.Calls), DTMF: c.Digits}
			},
		}
		return calls.Run(ctx)
	})
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	return c.summarize(p.Stdout, reports, flow.Streams(plan.Steps))
}

func (c *demoCommand) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.Timeout, fmt.Errorf("the demo did not end within --timeout %v", c.Timeout))
}

// configure reads the configuration for a demo: its own folder, a shorter listening time
// if no plan was asked for, and a simulated switch on this machine, whatever switch the
// configuration is for. What a caller hears stays as it is.
func (c *demoCommand) configure(p *program) (*config.Loaded, controller.Plan, error) {
	var err error
	if c.Out == "" {
		c.Out, err = os.MkdirTemp("", "tapdeck-demo-")
	} else {
		err = os.MkdirAll(c.Out, 0o750)
	}
	if err != nil {
		return nil, controller.Plan{}, usage(fmt.Errorf("--out %q: %w", c.Out, err))
	}
	loaded, err := c.load(p, map[string]string{"sink.directory": c.Out})
	if err != nil {
		return nil, controller.Plan{}, err
	}
	if _, stated := c.Set["plans.default.listen"]; !stated && c.Config == "" && c.Plan == "" {
		plan := loaded.Config.Plans[config.DefaultPlan]
		plan.Listen = demoListen
		loaded.Config.Plans[config.DefaultPlan] = plan
	}
	name := cmp.Or(c.Plan, config.DefaultPlan)
	plan, ok := loaded.Plan(name)
	if !ok {
		return nil, plan, usage(fmt.Errorf("--plan %q: there is no such plan; there are %q", name, loaded.PlanNames()))
	}
	cfg, defaults := &loaded.Config, config.Default()
	cfg.ESL.Allow, cfg.Sink.Allow = defaults.ESL.Allow, defaults.Sink.Allow
	cfg.ESL.MaxCalls = max(cfg.ESL.MaxCalls, c.Calls)
	cfg.Sink.TLS, cfg.Sink.MaxStreams, cfg.Sink.MinFree = config.TLS{}, 0, 0
	cfg.ESL.Listen, cfg.Sink.Listen, cfg.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	cfg.Sink.Advertise = "ws://127.0.0.1:0"
	return loaded, plan, nil
}

// place has the calls placed at an address with the daemon's own parts running on free loopback ports. Their
// log goes to a file beside the recordings.
func (c *demoCommand) place(ctx context.Context, loaded *config.Loaded, call func(address string) ([]switchsim.Report, error)) ([]switchsim.Report, error) {
	file, err := os.OpenFile(filepath.Join(c.Out, "tapdeck.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open the demo's log: %w", err)
	}
	defer func() { _ = file.Close() }()
	level := zap.NewAtomicLevel()
	log := app.NewLogger(file, "json", level)
	defer func() { _ = log.Sync() }()
	l, err := app.Listen(ctx, loaded.Config, nil)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	l.Advertise(&loaded.Config.Sink)
	d, err := app.New(loaded, log, level)
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- d.Run(running, l, nil) }()
	reports, err := call(l.ESL.Addr().String())
	stop()
	if failed := <-served; failed != nil {
		return nil, fmt.Errorf("run the daemon's parts: %w", failed)
	}
	return reports, err
}

// summarize compares every recording and prints one line per call. streams says that the plan
// has a stream, so that there must be a recording.
func (c *demoCommand) summarize(w io.Writer, reports []switchsim.Report, streams bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CALL\tRESULT\tSECONDS\tLEVEL\tCOMPARED WITH WHAT WAS SAID\tFILE")
	bad := 0
	for _, r := range reports {
		record, samples, err := verify.Recording(c.Out, r)
		level, verdict := fmt.Sprintf("%.1f dBFS", record.RMSDBFS), fmt.Sprintf("%d samples, all equal", samples)
		if err == nil && record.WAV == "" {
			level, verdict = "-", "no stream in this plan"
			if streams {
				err = errors.New("the plan has a stream, and none came")
			}
		}
		if err != nil {
			bad++
			verdict = "DIFFERS: " + err.Error()
		}
		fmt.Fprintf(t, "%s\t%s\t%.2f\t%s\t%s\t%s\n", r.UUID, record.Result, float64(record.AudioMS)/1000, level, verdict, cmp.Or(record.WAV, "-"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	switch {
	case bad > 0 && !streams:
		return fmt.Errorf("%d of %d calls did not end as their plan says; tapdeck.log beside their records says more", bad, len(reports))
	case bad > 0 || len(reports) == 0:
		return fmt.Errorf("%d of %d recordings do not hold what was said; tapdeck.log beside them says more", bad, len(reports))
	case !streams:
		fmt.Fprintf(w, "\n%d of %d calls ended as their plan says; it has no stream, so nothing was recorded.\n", len(reports), len(reports))
	default:
		fmt.Fprintf(w, "\n%d of %d recordings hold exactly what was said into their call.\n", len(reports), len(reports))
	}
	return nil
}
