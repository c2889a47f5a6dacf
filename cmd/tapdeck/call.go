package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"tapdeck/controller/switchsim"
)

type callCommand struct {
	To          string            `required:"" placeholder:"HOST:PORT[/PLAN]" help:"The daemon's event socket, as a dialplan's socket action has it; several with | for fail-over."`
	Calls       int               `short:"n" default:"1" help:"How many calls."`
	Rate        float64           `short:"r" default:"10" help:"How many calls begin in a second."`
	Concurrent  int               `default:"0" help:"How many calls run at once at most; 0 is no limit."`
	Audio       string            `type:"existingfile" placeholder:"FILE.wav" help:"What the callers say (default: a speech recording within tapdeck)."`
	HangupAfter time.Duration     `placeholder:"DURATION" help:"The caller hangs up so long after the answer."`
	GiveUp      time.Duration     `default:"60s" help:"The caller gives up if nobody answers for so long (${default})."`
	Variable    map[string]string `short:"v" mapsep:"none" placeholder:"NAME=VALUE" help:"A channel variable, such as tapdeck_listen=2s; may be repeated."`
	Fault       string            `default:"none" enum:"${faults}" help:"How the simulated switch misbehaves: ${faults}."`
	Recordings  string            `type:"existingdir" placeholder:"DIR" help:"The daemon's recordings directory, to compare every recording with what was said."`
	Tick        time.Duration     `default:"20ms" help:"How often the simulated switch sends the audio that is due; longer is cheaper."`
	JSON        bool              `name:"json" help:"Print the figures as JSON."`
}

// Run places simulated calls and says how they went. It fails if one did not go
// as it should have; calls with a fault may end as they like.
func (c *callCommand) Run(ctx context.Context, p *program) error {
	if err := c.check(); err != nil {
		return usage(err)
	}
	voice, err := (&demoCommand{Audio: c.Audio}).voice()
	if err != nil {
		return err
	}
	load := &load{command: c, sw: switchsim.New(switchsim.Config{Tick: c.Tick}), voice: voice, show: newProgress(p.Stderr, c.Calls)}
	reports, err := load.run(ctx)
	if err != nil {
		return usage(err)
	}
	recordings := c.Recordings
	if c.Fault != "none" {
		recordings = "" // with a fault, what is recorded is meant to differ
	}
	f := gather(recordings, reports, c.Calls)
	if c.JSON {
		enc := json.NewEncoder(p.Stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(f)
	} else {
		err = f.print(p.Stdout)
	}
	if err == nil && c.Fault == "none" && f.Good < c.Calls {
		err = fmt.Errorf("%d of %d calls did not go as they should have", c.Calls-f.Good, c.Calls)
	}
	return err
}

func (c *callCommand) check() error {
	switch {
	case c.Calls < 1 || c.Calls > 1_000_000:
		return fmt.Errorf("--calls %d: must be 1 to 1000000", c.Calls)
	case !(c.Rate > 0) || c.Rate > 10_000:
		return fmt.Errorf("--rate %v: must be above 0 and at most 10000 calls a second", c.Rate)
	case c.Concurrent < 0:
		return fmt.Errorf("--concurrent %d: must not be negative", c.Concurrent)
	case c.GiveUp <= 0:
		return fmt.Errorf("--give-up %v: must be above 0", c.GiveUp)
	case badPort(c.To) != "":
		return fmt.Errorf("--to %q: the port %q must be a number from 1 to 65535", c.To, badPort(c.To))
	case c.Tick < time.Millisecond || c.Tick > time.Second:
		return fmt.Errorf("--tick %v: must be 1ms to 1s", c.Tick)
	}
	return nil
}

// badPort is the first port of a socket action's address that is none, or empty.
func badPort(address string) string {
	for host := range strings.SplitSeq(address, "|") {
		host, _, _ = strings.Cut(host, "/")
		if at := strings.LastIndexByte(host, ':'); at >= 0 {
			if n, err := strconv.ParseUint(host[at+1:], 10, 16); err != nil || n == 0 {
				return host[at+1:]
			}
		}
	}
	return ""
}

// load places calls at a rate.
type load struct {
	command *callCommand
	sw      *switchsim.Switch
	voice   *switchsim.Voice
	show    *progress
}

// run places the calls and waits for all of them. The error is of the first call
// that could not be placed: the others would be no better.
func (l *load) run(ctx context.Context) ([]switchsim.Report, error) {
	showing, stop := context.WithCancel(ctx)
	shown := async(func() error { l.show.run(showing); return nil })
	reports, err := l.place(ctx)
	stop()
	<-shown
	l.sw.Wait()
	return reports, err
}

func (l *load) place(ctx context.Context) (reports []switchsim.Report, err error) {
	var wg sync.WaitGroup
	var mu sync.Mutex // protects reports
	begin := time.NewTicker(time.Duration(float64(time.Second) / l.command.Rate))
	defer begin.Stop()
	places := make(chan struct{}, l.limit())
	for i := range l.command.Calls {
		if !enter(ctx, places) {
			break
		}
		call, failed := l.sw.Dial(ctx, l.spec(i))
		if failed != nil {
			err = fmt.Errorf("place call to %q: %w", l.command.To, failed)
			break
		}
		wg.Go(func() {
			report := call.Wait()
			<-places
			mu.Lock()
			defer mu.Unlock()
			reports = append(reports, report)
		})
		if i+1 < l.command.Calls && !tick(ctx, begin.C) {
			break
		}
	}
	wg.Wait()
	return reports, err
}

// limit is how many calls may run at once.
func (l *load) limit() int {
	if l.command.Concurrent == 0 {
		return l.command.Calls
	}
	return l.command.Concurrent
}

func enter(ctx context.Context, places chan<- struct{}) bool {
	select {
	case places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func tick(ctx context.Context, c <-chan time.Time) bool {
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return false
	}
}

func (l *load) spec(i int) switchsim.CallSpec {
	return switchsim.CallSpec{
		Address: l.command.To, Caller: fmt.Sprintf("%d", 1001+i), Variables: l.command.Variable,
		Voice:       rotate(l.voice, i*7919%len(l.voice.PCM)),
		HangupAfter: l.command.HangupAfter, RingHangup: l.command.GiveUp, Faults: faults[l.command.Fault], Progress: l.show.take,
	}
}

// figures are what a load run came to. Times are in milliseconds.
type figures struct {
	Calls int            `json:"calls"`
	Good  int            `json:"good"`
	Ended map[string]int `json:"ended"`
	// Wrong says what was wrong, and how often.
	Wrong    map[string]int `json:"wrong"`
	Verified int            `json:"verified"`
	Commands float64        `json:"commands_per_call"`
	Events   int64          `json:"events_per_call"`
	Bytes    int64          `json:"event_bytes_per_call"`
	Times    []distribution `json:"times_ms"`
}

// distribution is how long something took, in milliseconds.
type distribution struct {
	Name string  `json:"name"`
	N    int     `json:"n"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}

func gather(dir string, reports []switchsim.Report, calls int) figures {
	f := figures{Calls: calls, Ended: map[string]int{}, Wrong: map[string]int{}}
	if missing := calls - len(reports); missing > 0 {
		f.Wrong["not placed"] = missing
	}
	var setup, turns, answer, stream, whole []time.Duration
	commands := 0
	for _, r := range reports {
		f.Ended[strings.TrimSpace(r.HungUpBy+" "+r.HangupCause)]++
		f.Events += r.EventsSent
		f.Bytes += r.BytesSent
		commands += len(r.Commands)
		if wrong := fault(dir, r, &f); wrong != "" {
			f.Wrong[wrong]++
			continue
		}
		f.Good++
		setup = append(setup, r.FirstCommand.Sub(r.Connected))
		turns = append(turns, turn(r))
		answer = append(answer, r.AnsweredAt.Sub(r.Connected))
		stream = append(stream, r.Streams[0].Connected.Sub(r.Streams[0].Started))
		whole = append(whole, r.SocketClosed.Sub(r.Began))
	}
	if n := int64(len(reports)); n > 0 {
		f.Events, f.Bytes = f.Events/n, f.Bytes/n
		f.Commands = float64(commands) / float64(n)
	}
	f.Times = []distribution{
		distribute("accept to first command", setup), distribute("command to command", turns), distribute("accept to answer", answer),
		distribute("start to stream connected", stream), distribute("whole call", whole),
	}
	return f
}

// turn is how long the controller took on average from one command to the next, up
// to answer: it waits for nothing but replies there (and for an API's answer, where
// the stream is stereo or mixed).
func turn(r switchsim.Report) time.Duration {
	last := slices.Index(r.Commands, "execute answer")
	if last < 1 {
		return 0
	}
	return r.CommandedAt[last].Sub(r.CommandedAt[0]) / time.Duration(last)
}

// fault is what went wrong with a call, or empty.
func fault(dir string, r switchsim.Report, f *figures) string {
	switch {
	case r.Controller == "":
		return "no controller answered"
	case !r.Answered:
		return "not answered"
	case len(r.Streams) == 0 || r.Streams[0].Connected.IsZero():
		return "no stream"
	case r.Streams[0].Samples == 0:
		return "no audio"
	}
	if dir != "" {
		if _, err := verify(dir, r); err != nil {
			return "recording: " + err.Error()
		}
		f.Verified++
	}
	return ""
}

func distribute(name string, took []time.Duration) distribution {
	d := distribution{Name: name, N: len(took)}
	if len(took) == 0 {
		return d
	}
	slices.Sort(took)
	at := func(q float64) float64 {
		return took[int(q*float64(len(took)-1)+0.5)].Seconds() * 1000
	}
	d.P50, d.P90, d.P99, d.Max = at(.5), at(.9), at(.99), at(1)
	return d
}

func (f figures) print(w io.Writer) error {
	fmt.Fprintf(w, "%d of %d calls went as they should have; %d recordings compared and equal\n", f.Good, f.Calls, f.Verified)
	fmt.Fprintf(w, "commands of the controller: %.1f a call; events to it: %d, %d bytes\n", f.Commands, f.Events, f.Bytes)
	for _, m := range []struct {
		title string
		n     map[string]int
	}{{"hung up by", f.Ended}, {"wrong", f.Wrong}} {
		for k, n := range m.n {
			fmt.Fprintf(w, "%s: %s: %d\n", m.title, k, n)
		}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "ms\tp50\tp90\tp99\tmax\t")
	for _, d := range f.Times {
		fmt.Fprintf(t, "%s\t%.1f\t%.1f\t%.1f\t%.1f\t\n", d.Name, d.P50, d.P90, d.P99, d.Max)
	}
	return t.Flush()
}
