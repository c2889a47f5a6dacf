package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"tapdeck/cmd/internal/callview"
	"tapdeck/cmd/internal/config"
	"tapdeck/controller"
	"tapdeck/controller/esl"
)

// Options say what is examined.
type Options struct {
	// FreeSWITCH is the host:port of the switch's inbound event socket.
	FreeSWITCH string
	// Password of that event socket.
	Password string
	// Loaded is the configuration of the daemon.
	Loaded *config.Loaded
	// Hosts are where FreeSWITCH reaches the daemon's event socket listener, each
	// host:port; nil stands for esl.listen.
	Hosts []string
	// Version is that of this program, which the running daemon should have too.
	Version string
	// Call is the number of the call to place; empty places none.
	Call string
	// Context is the dialplan context of that number.
	Context string
	// Report is given each finding as it is made.
	Report func(Finding)
	// Progress is given what is being waited for.
	Progress func(text string)
}

// examination is one run of the checks.
type examination struct {
	Options
	timeouts timeouts
	owns     func(netip.Addr) bool // says whether an address is one of this machine
	client   *callview.Client      // of the daemon
	conn     *esl.Conn
	location location
	plans    []controller.Plan // default first
	failed   bool
	voice    string // a file with the pattern that FreeSWITCH plays; "" has it make the tone itself
	// What later checks need not repeat.
	lost, daemonAway, noStreamModule bool
}

// timeouts are how long others are waited for.
type timeouts struct {
	connect    time.Duration // to the event socket, until it has accepted the password
	answer     time.Duration // to one API command
	originate  time.Duration // until a test call is answered
	unanswered time.Duration // until it shows one that was not answered
	appear     time.Duration // until the daemon shows an answered call
	call       time.Duration // for the end of a call beyond its plan's own times; each prompt has as much again, but the first
	playback   time.Duration // for the doctor's own conversation
	reach      time.Duration // for a TCP connection or an admin page
	poll       time.Duration // between two questions for the daemon's calls
}

func newExamination(o Options) *examination {
	if len(o.Hosts) == 0 {
		o.Hosts = []string{o.Loaded.Config.ESL.Listen}
	}
	return &examination{
		Options: o,
		timeouts: timeouts{
			connect: 5 * time.Second, answer: 10 * time.Second, originate: time.Minute, unanswered: 2 * time.Second, appear: 10 * time.Second,
			call: 2 * time.Minute, playback: 20 * time.Second, reach: 3 * time.Second, poll: 200 * time.Millisecond,
		},
		owns:   ownAddress,
		plans:  allPlans(o.Loaded),
		client: callview.NewClient(o.Loaded.Config.Admin.Listen, o.Loaded.Config.Admin.Token),
	}
}

// Examine makes every check and returns whether none failed. The error is ctx's cause.
func Examine(ctx context.Context, o Options) (healthy bool, err error) {
	return newExamination(o).run(ctx)
}

func (x *examination) run(ctx context.Context) (healthy bool, err error) {
	x.daemon(ctx)
	x.disk()
	x.bots(ctx)
	x.transcribers(ctx)
	if x.connect(ctx) {
		defer x.conn.Close()
		x.checkSwitch(ctx)
	}
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	return !x.failed, nil
}

// checkSwitch makes the checks that need the event socket.
func (x *examination) checkSwitch(ctx context.Context) {
	remove := func() {}
	defer func() { remove() }()
	for _, check := range []func(context.Context){
		x.version, x.modules, x.streamAPI, x.prompts, x.dialplan, x.locate, x.callAddress, x.sinkAddress, x.clock, x.limits,
		func(ctx context.Context) { remove = x.player(ctx) }, x.playback, x.call,
	} {
		if ctx.Err() != nil || x.lost {
			return
		}
		check(ctx)
	}
}

var errSilent = errors.New("no answer in time")

// ask runs an API command. If the event socket does not answer that is reported,
// and nothing more is asked.
func (x *examination) ask(ctx context.Context, command string) (answer string, ok bool) {
	if x.lost {
		return "", false
	}
	answer, err := x.query(ctx, command, x.timeouts.answer)
	if err == nil {
		return answer, true
	}
	x.lost = true
	if ctx.Err() == nil {
		x.report(Fail, eventSocket, "run doctor again; if it stays, FreeSWITCH's log says more",
			"%s when asked %q; what comes after that was not checked", ended(err, x.timeouts.answer), command)
	}
	return "", false
}

// match runs an API command and returns what the pattern's groups match of its answer.
// If there is no such answer that is reported, and nil is returned.
func (x *examination) match(ctx context.Context, check, command, pattern string) []string {
	answer, ok := x.ask(ctx, command)
	if !ok {
		return nil
	}
	found := regexp.MustCompile(pattern).FindStringSubmatch(answer)
	if found == nil {
		x.strange(check, command, answer)
	}
	return found
}

// query runs an API command and waits for its answer, so long and no longer.
func (x *examination) query(ctx context.Context, command string, limit time.Duration) (answer string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errSilent)
	defer cancel()
	answer, err = x.conn.API(ctx, command)
	return strings.TrimSpace(answer), err
}

// ended says in words how a conversation ended.
func ended(err error, limit time.Duration) string {
	var frame *esl.FrameError
	switch {
	case errors.Is(err, errSilent), errors.Is(err, esl.ErrReplyTimeout), errors.Is(err, esl.ErrConnectTimeout):
		return fmt.Sprintf("no answer within %v", limit)
	case errors.Is(err, esl.ErrPeerClosed):
		return "the connection was closed"
	case errors.As(err, &frame):
		return "what came is not the event socket's language (" + frame.Reason + ")"
	}
	return "an error (" + err.Error() + ")"
}
