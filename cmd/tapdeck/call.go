package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tapdeck/cmd/internal/callview"
	"tapdeck/cmd/internal/verify"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/load"
)

type callCommand struct {
	To          string            `required:"" placeholder:"HOST:PORT[/PLAN]" help:"The daemon's event socket, as a dialplan's socket action has it; several with | for fail-over."`
	Calls       int               `short:"n" default:"1" help:"How many calls."`
	Rate        float64           `short:"r" default:"10" help:"How many calls begin in a second."`
	Concurrent  int               `default:"0" help:"How many calls run at once at most; 0 is no limit."`
	Audio       string            `type:"existingfile" placeholder:"FILE.wav" help:"What the callers say (default: a speech recording within tapdeck)."`
	Turns       turns             `placeholder:"SPEECH,PAUSE" help:"The callers speak and pause in turns, such as 2s,3s: for a bot, whose latency is told (default: as in the audio)."`
	HangupAfter time.Duration     `placeholder:"DURATION" help:"The caller hangs up so long after the answer."`
	Digits      digits            `placeholder:"TIME=KEYS,…" help:"Keys that the callers press, and when after the answer: 4s=1,9s=42#."`
	GiveUp      time.Duration     `default:"60s" help:"The caller gives up if nobody answers for so long (${default})."`
	Variable    map[string]string `short:"v" mapsep:"none" placeholder:"NAME=VALUE" help:"A channel variable, such as tapdeck_listen=2s; may be repeated."`
	Fault       string            `default:"none" enum:"${faults}" help:"How the simulated switch misbehaves: ${faults}."`
	Recordings  string            `type:"existingdir" placeholder:"DIR" help:"The daemon's recordings directory, to compare every recording with what was said. A call whose bot has failed did not go as it should have then."`
	Tick        time.Duration     `default:"20ms" help:"How often the simulated switch sends the audio that is due; longer is cheaper."`
	JSON        bool              `name:"json" help:"Print the figures as JSON."`
}

// Run places simulated calls and says how they went. It fails if one did not go
// as it should have; calls with a fault may end as they like.
func (c *callCommand) Run(ctx context.Context, p *program) error {
	voice, err := readVoice("--audio", c.Audio)
	if err != nil {
		return err
	}
	if c.Turns.speech > 0 {
		if voice, err = c.Turns.voice(voice); err != nil {
			return err
		}
	}
	fault := load.Faults()[c.Fault]
	calls := load.Load{Address: c.To, Calls: c.Calls, Rate: c.Rate, Concurrent: c.Concurrent, Tick: c.Tick, Progress: p.Stderr}
	calls.Spec = func(i int) switchsim.CallSpec {
		return switchsim.CallSpec{
			Caller: strconv.Itoa(1001 + i), Variables: c.Variable, Voice: voice.StartingAt(i * 7919),
			HangupAfter: c.HangupAfter, DTMF: c.Digits, RingHangup: c.GiveUp, Faults: fault,
		}
	}
	reports, err := calls.Run(ctx)
	if err != nil {
		return usage(err)
	}
	var compare func(switchsim.Report) error
	var talks talkNotes
	if c.Recordings != "" && c.Fault == "none" { // with a fault, what is recorded is meant to differ
		compare = comparison(c.Recordings, talks.note)
	}
	figures := load.Gather(reports, c.Calls, compare)
	figures.AddTalks(talks.Talks, talks.responses)
	if c.JSON {
		enc := json.NewEncoder(p.Stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(figures)
	} else {
		err = figures.Print(p.Stdout)
	}
	if err == nil && c.Fault == "none" && figures.Good < c.Calls {
		err = fmt.Errorf("%d of %d calls did not go as they should have", c.Calls-figures.Good, c.Calls)
	}
	return err
}

// publishTimeout is how long after the last call the record of one that was transferred may come.
const publishTimeout = 5 * time.Second

// comparison returns what compares a call's recording with what was said. A call that its plan has
// transferred ends for the switch before the daemon has published its record. seen is given each record.
func comparison(recordings string, seen func(callview.Record)) func(switchsim.Report) error {
	until := time.Now().Add(publishTimeout)
	return func(r switchsim.Report) error {
		for {
			record, _, err := verify.Recording(recordings, r)
			if !errors.Is(err, verify.ErrNoRecord) || !r.Asked("uuid_transfer") || time.Now().After(until) {
				seen(record)
				if err == nil && record.Agent != nil && record.Agent.EndedBy == string(flow.TalkFailed) {
					err = fmt.Errorf("equal, but the call's bot has failed: %s", cmp.Or(record.Err, "the daemon's log says why"))
				}
				return err
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// Validate implements kong.Validatable.
func (c *callCommand) Validate() error {
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
