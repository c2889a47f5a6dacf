package controller

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/esl"
	"tapdeck/controller/flow"
)

// call is one call. Only the goroutine of its connection touches it, but for
// the snapshot behind status.
type call struct {
	ctl  *Controller
	conn *esl.Conn
	log  *zap.Logger

	// channel is the id as the switch writes it; info.UUID is its canonical form.
	channel string
	core    string // the switch's own UUID, of which there is one for each of its starts
	ringing bool   // it had no media when it came
	// terminators is playback_terminators as it came, or as it came to the earlier call that
	// has set it: the keys that end a playback.
	terminators string
	leftOver    bool // another controller may have set a dead man's switch for this id
	info        Info
	plan        Plan
	rec         Recording // nil if the sink accepts none
	stream      stream
	voice       voice
	talk        *talk // while the call talks with a bot, else nil
	talked      *talk // its latest conversation that is over
	// transcribing is what the plan has transcribed, else nil.
	transcribing *transcribing
	neverHeard   bool                   // the service could not even be asked
	status       atomic.Pointer[Status] // never nil once it runs

	recordingChanged <-chan struct{} // of rec

	// Of the calls of the same channel; each has room for the one value that comes.
	turn     chan struct{} // the earlier ones have ended
	cameBack chan struct{} // a later one has begun

	hangUp       chan struct{} // HangUp was asked for; has room for one value
	toldToHangUp bool

	// What the switch has said.
	running         string // Event-UUID of the application that runs, if any
	completion      completion
	rate            int    // of what the channel plays, in Hz, at the last completion
	dtmfType        string // how digits were negotiated, once the call is answered
	digits          flow.Digits
	words           flow.Words
	echoes          []flow.Digit // those that came as events, and may come in the audio, too
	hungUp          bool
	hangupComplete  bool
	over            bool             // the connection has ended
	job, answered   string           // the latest API command, until it is answered, and its answer
	reasonDue       <-chan time.Time // not nil while the reason of an application's end is still to come: until when
	socketAppEnded  bool             // without a hangup before it
	transferredAway bool             // something else has the channel now
	returned        bool             // … and that is a later call here
	isFirst         bool             // no earlier call of the channel runs

	// What tapdeck has done.
	admitted       bool      // it has one of max_calls' slots
	lingers        bool      // linger was granted
	wasAnswered    bool      // by a step
	ownTerminators bool      // playback_terminators is ours
	terminating    string    // … and its value, which ctl.mu protects: the channel's next call looks at it
	transferring   string    // where to, once we have said so
	goesOn         bool      // a step gives the call back to the dialplan
	hangsUp        bool      // a step has the call hung up
	cause          string    // … with this; "" is NORMAL_CLEARING
	deadManDue     time.Time // when the dead man's switch is due, at the earliest; zero if it was not set
	asked          bool      // the hangup was asked for
	published      bool
	unpublished    bool // the recorder could not
	letGo          bool // its slot and turn are given away
	ended          bool // moved to the ended calls

	step    string // of the plan
	begun   bool   // it has begun
	noted   noted  // what the recording was told last
	outcome Outcome
}

// callEnd is why a call did not follow its plan to the end.
type callEnd struct {
	result Result
	err    error // nil if the result says it all
	hint   string
}

func (e *callEnd) Error() string {
	if e.err == nil {
		return string(e.result)
	}
	return string(e.result) + ": " + e.err.Error()
}

func (e *callEnd) Unwrap() error { return e.err }

// run carries one call from its first command to its record.
func (c *call) run(ctx context.Context) {
	c.reached("connect")
	err := c.awaitTurn(ctx)
	if err == nil {
		err = c.admit(ctx)
	}
	c.conn.ReleaseChannel()
	for _, step := range []func(context.Context) error{c.subscribe, c.follow} {
		if err == nil {
			err = step(ctx)
		}
	}
	c.conclude(ctx, err)
}

// wait handles what the switch, the sink and the stream's timer report until
// done says so. It returns flow.ErrTimeout after limit, flow.ErrHungUp, or a *callEnd.
// The call's own hangup and what follows wait by waitAfterPlan instead.
func (c *call) wait(ctx context.Context, limit time.Duration, done func() bool) (err error) {
	over := c.waitFor(ctx, limit, func() bool {
		err = c.interruption(ctx)
		return err != nil || done()
	})
	if !over {
		return flow.ErrTimeout
	}
	return err
}

// waitAfterPlan waits for done, whatever else happens, for at most limit; it ends early
// if the connection does. It returns whether done says so at the end.
func (c *call) waitAfterPlan(ctx context.Context, limit time.Duration, done func() bool) bool {
	return c.waitFor(context.WithoutCancel(ctx), limit, done)
}

// waitFor handles reports until done says so, for at most limit, or until the connection ends.
// done must say so once ctx is done, which is reported again and again.
func (c *call) waitFor(ctx context.Context, limit time.Duration, done func() bool) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for !done() {
		c.note()
		if c.over || !c.next(ctx, timer.C) {
			return done()
		}
	}
	return true
}

// note tells the recording how far the call has come, until it is being concluded.
func (c *call) note() {
	sofar := noted{len(c.outcome.Timeline), c.stream.restarts, len(c.outcome.Alarms), len(c.digits.All), len(c.outcome.Prompts), c.outcome.Agent.progress(), c.outcome.Transcript.progress()}
	if c.rec == nil || c.noted == sofar || c.outcome.Result != "" {
		return
	}
	c.noted = sofar
	if c.talk != nil {
		c.talk.sync()
	}
	c.showConversation()
	c.rec.Note(c.sofar())
}

// noted is what tells whether there is something new to note.
type noted struct{ moments, restarts, alarms, digits, prompts, talk, transcript int }

// sofar is the call's outcome as far as it has come. Its lists are the call's own.
func (c *call) sofar() Outcome {
	o := c.outcome
	o.Restarts, o.Digits, o.DigitsDropped = c.stream.restarts, c.digits.All, c.digits.Dropped
	return o
}

// next handles one report. It returns false if the timer came first.
func (c *call) next(ctx context.Context, timer <-chan time.Time) bool {
	select {
	case ev, ok := <-c.conn.Events():
		if !ok {
			c.over = true
			return true
		}
		c.observe(ctx, ev)
	case <-c.turn:
		c.isFirst = true
	case <-c.cameBack:
		c.returned, c.transferredAway = true, !c.hungUp && !c.asked
	case <-c.hangUp:
		c.toHangUp()
	case <-c.recordingChanged:
		c.stream.syncWithSink()
		c.talk.listen()
	case <-c.stream.timer.C:
		c.stream.phaseExpired(ctx)
	case <-c.voice.wake():
		c.voice.advance()
	case <-c.voice.due():
		c.voice.advance()
	case <-c.voice.overdue:
		c.voice.settle()
	case e := <-c.talk.events():
		c.talk.handle(e)
	case <-c.transcribing.changed():
		c.transcribing.update()
	case <-c.reasonDue:
		c.noReason()
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
		return flow.ErrHungUp
	case c.transferredAway:
		return c.transferEnd()
	case c.over:
		return c.connectionEnd()
	case ctx.Err() != nil:
		return &callEnd{result: Aborted, err: context.Cause(ctx), hint: abortHint}
	case c.toldToHangUp:
		return &callEnd{result: Completed}
	case c.stream.phase == streamFailed && c.plan.OnStreamFailure != FailureContinue:
		return c.stream.failure
	}
	return c.voice.err
}

// connectionEnd classifies the end of the event socket.
func (c *call) connectionEnd() *callEnd {
	err := c.conn.Err()
	switch {
	case err == nil || errors.Is(err, esl.ErrPeerClosed):
		return &callEnd{result: SwitchLost, err: errors.New("the event socket ended before the call did"), hint: "FreeSWITCH went down, or its network did; the call may have gone on to the dialplan's next action"}
	case errors.Is(err, esl.ErrQueueFull):
		return &callEnd{result: Failed, err: err, hint: "the switch sent events faster than tapdeck could read them; look for a script that floods this channel with events"}
	case errors.Is(err, esl.ErrPanic):
		return &callEnd{result: Failed, err: err, hint: panicHint}
	case errors.Is(err, esl.ErrReplyTimeout):
		return &callEnd{result: Failed, err: err, hint: "FreeSWITCH took too long to answer a command: is its machine overloaded, or the channel's thread stuck?"}
	}
	return &callEnd{result: Failed, err: err, hint: "the connection with FreeSWITCH could not be trusted any more; is the switch overloaded, or is something else at that address?"}
}
