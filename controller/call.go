package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/esl"
)

// call is one call. Only the goroutine of its connection touches it, but for
// the snapshot behind status.
type call struct {
	ctl  *Controller
	conn *esl.Conn
	log  *zap.Logger

	// channel is the UUID as the switch writes it; info.UUID is its canonical form.
	channel string
	ringing bool // it had no media when it came
	info    Info
	plan    Plan
	rec     Recording // nil where the sink takes none
	stream  stream
	status  *status

	// What the switch has said.
	running        string // Event-UUID of the application that runs, if any
	response       string // of the latest application that has completed
	digit          string // the latest DTMF digit of finish_on
	hungUp         bool
	hangupComplete bool
	over           bool        // the connection has ended
	job, answered  string      // an API command that is waited for, and its answer
	leaving        *time.Timer // the socket application has ended: for a hangup, or for good?
	taken          bool        // for good: something else has the channel now

	// What tapdeck has done.
	admitted  bool // it has one of max_calls' places
	lingers   bool // linger was granted
	deadMan   bool // sched_hangup was given
	asked     bool // the hangup was asked for
	published bool
	ended     bool // moved to the ended calls

	outcome Outcome
}

// ending is why a call did not follow its plan to the end.
type ending struct {
	result Result
	err    error
	hint   string
}

func (e *ending) Error() string { return string(e.result) + ": " + e.err.Error() }

func (e *ending) Unwrap() error { return e.err }

var (
	errHungUp  = errors.New("the channel was hung up")
	errTimeout = errors.New("time is up")
)

// run carries one call from its first command to its record.
func (c *call) run(ctx context.Context) {
	err := c.admit(ctx)
	c.conn.ReleaseChannel()
	if err == nil {
		err = c.follow(ctx)
	}
	c.conclude(context.WithoutCancel(ctx), err)
}

// rescue keeps a fault of tapdeck's own within its call: the others go on, and
// what was recorded is kept.
func (c *call) rescue(ctx context.Context) {
	fault := recover()
	if fault == nil {
		return
	}
	c.log.Error("call broken by a fault of tapdeck", zap.String("err", fmt.Sprint(fault)), zap.Stack("stack"),
		zap.String("hint", faultHint))
	c.conn.Close()
	if c.ended {
		return
	}
	c.outcome.Result, c.outcome.Err, c.outcome.Hint = Failed, fmt.Sprint(fault), faultHint
	c.publish(context.WithoutCancel(ctx), 0)
	c.save()
}

// follow carries out the plan.
func (c *call) follow(ctx context.Context) error {
	if err := c.subscribe(ctx); err != nil {
		return err
	}
	if err := c.answer(ctx); err != nil {
		return err
	}
	if err := c.pause(ctx); err != nil {
		return err
	}
	if err := c.tone(ctx); err != nil {
		return err
	}
	if err := c.startStream(ctx); err != nil {
		return err
	}
	if err := c.prompt(ctx); err != nil {
		return err
	}
	return c.listen(ctx)
}

// wait handles what the switch, the sink and the stream's timer report until
// done says so. It returns errTimeout after limit, errHungUp, or an *ending.
// The call's own hangup and its ending wait through settle instead.
func (c *call) wait(ctx context.Context, limit time.Duration, done func() bool) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		if err := c.interruption(ctx); err != nil {
			return err
		}
		if done() {
			return nil
		}
		if !c.next(ctx, timer.C) {
			return errTimeout
		}
	}
}

// settle waits for done after the plan has ended, whatever else happens, for at
// most limit; it ends early where the connection does.
func (c *call) settle(ctx context.Context, limit time.Duration, done func() bool) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for !done() {
		if c.over || !c.next(ctx, timer.C) {
			return done()
		}
	}
	return true
}

// next handles one report. It returns false where the timer came first.
func (c *call) next(ctx context.Context, timer <-chan time.Time) bool {
	select {
	case ev, ok := <-c.conn.Events():
		if !ok {
			c.over = true
			return true
		}
		c.observe(ctx, ev)
	case <-c.recordingChanged():
		c.stream.look()
	case <-c.stream.alarm():
		c.stream.ring(ctx)
	case <-c.left():
		c.taken = !c.hungUp && !c.asked
	case <-ctx.Done():
	case <-timer:
		return false
	}
	return true
}

// interruption is why the present step must end, if it must.
func (c *call) interruption(ctx context.Context) error {
	switch {
	case c.hungUp:
		return errHungUp
	case c.taken:
		return &ending{result: SwitchLost, err: errors.New("something else took the call: it was transferred, bridged or parked"), hint: "the recording ends there; if this is not meant, look for who gave the command in FreeSWITCH's log"}
	case c.over:
		return c.connectionEnding()
	case ctx.Err() != nil:
		return &ending{result: Aborted, err: context.Cause(ctx)}
	case c.stream.phase == streamFailed && c.plan.OnStreamFailure != FailureContinue:
		return c.stream.failure
	}
	return nil
}

// connectionEnding classifies the end of the event socket.
func (c *call) connectionEnding() *ending {
	err := c.conn.Err()
	switch {
	case err == nil || errors.Is(err, esl.ErrPeerClosed):
		return &ending{result: SwitchLost, err: errors.New("the event socket ended before the call did"), hint: "FreeSWITCH went down, or its network did; the call may have gone on to the dialplan's next action"}
	case errors.Is(err, esl.ErrQueueFull):
		return &ending{result: Failed, err: err, hint: "the switch sent events faster than they could be taken; look for a script that floods this channel with events"}
	case errors.Is(err, esl.ErrReplyTimeout):
		return &ending{result: Failed, err: err, hint: "FreeSWITCH took too long to answer a command: is its machine overloaded, or the channel's thread stuck?"}
	}
	return &ending{result: Failed, err: err, hint: "the connection with FreeSWITCH could not be trusted any more; is the switch overloaded, or is something else at that address?"}
}

func (c *call) recordingChanged() <-chan struct{} {
	if c.rec == nil {
		return nil
	}
	return c.rec.Changed()
}

// observe takes in one event.
func (c *call) observe(ctx context.Context, ev *esl.Event) {
	if ev.ContentType() == "text/disconnect-notice" {
		// With linger the notice of a hangup says so; where linger was not granted
		// yet, the socket's orderly end is all that tells of it.
		if ev.Get("Content-Disposition") == "linger" || !c.lingers {
			c.sawHangup(ev)
		}
		return
	}
	if ev.Name() == "BACKGROUND_JOB" {
		c.sawAnswer(ctx, ev.Get("Job-UUID"), strings.TrimSpace(ev.Body))
		return
	}
	if ev.Get("Unique-ID") != c.channel {
		return
	}
	c.debug("event", zap.String("event", ev.Name()), zap.String("application", ev.Get("Application")))
	switch ev.Name() {
	case "CHANNEL_EXECUTE_COMPLETE":
		if c.running != "" && ev.Get("Application-UUID") == c.running {
			c.running, c.response = "", ev.Get("Application-Response")
		}
		if ev.Get("Application") == "socket" {
			c.sawLeave()
		}
	case "CHANNEL_HANGUP":
		c.sawHangup(ev)
	case "CHANNEL_HANGUP_COMPLETE":
		c.sawHangup(ev)
		c.hangupComplete = true
	case "DTMF":
		if d := ev.Get("DTMF-Digit"); d != "" && strings.Contains(c.plan.FinishOn, strings.ToUpper(d)) {
			c.digit = d
		}
	case "CUSTOM":
		c.stream.reported(ev.Subclass(), ev.Body)
	}
}

// sawAnswer takes in the answer of an API command.
func (c *call) sawAnswer(ctx context.Context, job, body string) {
	if job != "" && job == c.job {
		c.job, c.answered = "", body
		return
	}
	c.stream.answered(ctx, job, body)
}

// hangupGrace is how long after the end of an application its reason may come: at
// a hangup, CHANNEL_EXECUTE_COMPLETE can be sent before CHANNEL_HANGUP is (seen
// on 1.10.12 in 8 of 80 hangups).
const hangupGrace = 100 * time.Millisecond

// sawLeave notes that the socket application itself has ended. Where no hangup is
// the reason, the channel has been transferred, bridged or parked by something
// else: no other event tells, and the event socket stays open.
func (c *call) sawLeave() {
	if !c.hungUp && c.leaving == nil {
		c.leaving = time.NewTimer(hangupGrace)
	}
}

func (c *call) left() <-chan time.Time {
	if c.leaving == nil {
		return nil
	}
	return c.leaving.C
}

// sawHangup notes the hangup, its cause and whose it was.
func (c *call) sawHangup(ev *esl.Event) {
	if !c.hungUp {
		c.hungUp = true
		c.outcome.Timeline.Hangup = time.Now()
		c.outcome.HungUpBy = byCaller
		if c.asked {
			c.outcome.HungUpBy = byTapdeck
		}
		if c.rec != nil {
			c.rec.Stopping()
		}
	}
	if cause := ev.Get("Hangup-Cause"); cause != "" {
		c.outcome.HangupCause = cause
	}
	if !c.asked && hungUpBySwitch(c.outcome.HangupCause, ev.Get("variable_sip_hangup_disposition")) {
		c.outcome.HungUpBy = bySwitch
	}
}

// hungUpBySwitch tells a hangup that the switch itself began (a time limit, an
// operator) from the caller's: over SIP by the disposition, which is send_* where
// FreeSWITCH sent the BYE, else by the cause.
func hungUpBySwitch(cause, disposition string) bool {
	switch cause {
	case deadManCause, "MANAGER_REQUEST", "SYSTEM_SHUTDOWN":
		return true
	}
	return strings.HasPrefix(disposition, "send_")
}

// debug logs the protocol, for whoever has asked for it.
func (c *call) debug(msg string, fields ...zap.Field) {
	if line := c.log.Check(zap.DebugLevel, msg); line != nil {
		line.Write(fields...)
	}
}
