package controller

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/flow"
)

// conclude ends a call: its stream, its channel, its files and its log. A shutdown cuts only the wait for
// a transcription's last words short; every wait has a bound of its own.
func (c *call) conclude(serving context.Context, err error) {
	ctx := context.WithoutCancel(serving)
	e := c.classify(ctx, err)
	c.endsAs(e)
	if e.result == Aborted { // the recording first: a shutdown may be cut short
		c.publish(ctx, 0)
	}
	c.stream.stop(ctx)
	c.endChannel(ctx, e.result)
	c.confirm(ctx)
	if c.hungUp {
		c.awaitAnswer(ctx)
		c.disarmDeadMan(ctx)
	}
	c.endTalk()
	timeout := c.plan.Stream.StopTimeout
	if c.stream.forgotten {
		timeout = 0
	}
	c.publish(ctx, timeout)
	c.endTranscription(serving)
	c.save()
}

// classify turns the error of the plan's steps into the one way in which the call ended. What the
// connection still holds is handled first: a caller's hangup may lie behind the error of
// a command.
func (c *call) classify(ctx context.Context, err error) *callEnd {
	var e *callEnd
	switch {
	case errors.As(err, &e):
	case err == nil, errors.Is(err, flow.ErrHungUp):
		e = &callEnd{result: Completed}
	default:
		e = &callEnd{result: Failed, err: err, hint: "the step that the timeline ends with has failed; the lines of this call before this one may say more"}
	}
	if c.conn.Err() != nil && e.result != Aborted {
		c.waitAfterPlan(ctx, c.ctl.cfg.CommandTimeout, func() bool { return c.over })
	}
	switch {
	case c.stream.failure != nil && (e.result == Completed || c.hungUp):
		return c.stream.failure
	case c.byDeadMan():
		return outlivedPlan()
	case c.hungUp && e.result != Aborted && e.result != Transferred:
		return &callEnd{result: CallerHangup}
	}
	return e
}

// returnGrace is how long after its transfer a call may come back to tapdeck: 25 ms were
// measured (F9).
const returnGrace = 200 * time.Millisecond

// endChannel hangs the channel up, or gives it back to the dialplan.
func (c *call) endChannel(ctx context.Context, result Result) {
	switch {
	case c.over || c.hungUp && c.hangupComplete:
	case c.hungUp:
		c.beginStep("hangup")
		c.awaitHangup(ctx)
	case c.transferredAway:
		c.running, c.voice.silence = "", "" // whatever runs now is not ours to break
		c.conn.TakenOver()
		c.waitAfterPlan(ctx, returnGrace, func() bool { return c.returned || c.hangupComplete })
		c.release(ctx)
	// A call that was not answered, and for which nothing runs, can go to the dialplan's next action.
	case c.goesOn, result == Refused, result == Misconfigured, result == Failed && !c.wasAnswered && !c.busy(),
		result == StreamFailed && c.plan.OnStreamFailure == FailureDialplan:
		c.release(ctx)
	case result == Aborted:
		c.hangup(ctx, "MANAGER_REQUEST")
	default:
		c.hangup(ctx, cmp.Or(c.cause, "NORMAL_CLEARING"))
	}
}

// noExtension is the hangup cause of a call for which the dialplan has nothing.
const noExtension = "NO_ROUTE_DESTINATION"

// confirm corrects the result by what came after the plan. A hangup is the switch's and not
// the caller's if the switch says so, which it may do only in the hangup's last event
// (F28), or after its notice (F110). It is not completed if the event socket ended before the
// hangup. And a transferred call may have come back meanwhile.
func (c *call) confirm(ctx context.Context) {
	if c.outcome.Result == CallerHangup && c.outcome.HungUpBy == bySwitch && c.transferring != "" {
		c.endsAs(c.transferEnd()) // it was hung up there before the switch told of the transfer (F120)
	}
	switch {
	case c.outcome.Result == CallerHangup && c.byDeadMan():
		c.endsAs(outlivedPlan())
	case c.outcome.Result == CallerHangup && c.outcome.HungUpBy == bySwitch:
		c.outcome.Result, c.outcome.Hint = SwitchHangup, hangupHint(c.outcome.HangupCause)
		c.outcome.Err = "FreeSWITCH itself hung the call up: " + c.outcome.HangupCause
	case c.outcome.Result == Transferred && c.outcome.HangupCause == noExtension:
		c.outcome.Err = "there was nothing to transfer the call to: " + c.transferring
		c.outcome.Hint = "the switch hung it up at once: is there such an extension, in this dialplan and context?"
	case c.outcome.Result == SwitchLost && c.transferredAway && c.returned:
		c.endsAs(c.transferEnd())
	}
	if c.outcome.Result != Completed || c.goesOn || c.conn.Err() == nil {
		return
	}
	c.waitAfterPlan(ctx, c.ctl.cfg.CommandTimeout, func() bool { return c.over })
	if !c.hungUp {
		c.endsAs(c.connectionEnd())
	}
}

// endsAs sets how the call has ended.
func (c *call) endsAs(e *callEnd) {
	c.outcome.Result = e.result
	if e.err != nil {
		c.outcome.Err, c.outcome.Hint = e.err.Error(), e.hint
	}
}

// release gives the channel to the dialplan's next action, as it came and without an application
// that runs on. A break is only for what runs: of nothing it has no effect (F66).
func (c *call) release(ctx context.Context) {
	c.awaitAnswer(ctx)
	c.giveBack(ctx)
	c.voice.hush()
	if c.busy() && c.voice.settled() {
		_ = c.voice.breakOff()
	}
	// If a command could not be given, the connection is over, and so is this.
	c.waitAfterPlan(ctx, c.ctl.cfg.StepGrace, func() bool { return !c.busy() && c.voice.settled() || c.hungUp })
	c.conn.Close()
}

// hangup ends the channel. An application that runs would hold a hangup by sendmsg back to its own
// end (F27), and a break that is under way would drop it (F66), so it is killed then.
func (c *call) hangup(ctx context.Context, cause string) {
	c.beginStep("hangup")
	c.asked = true
	if !c.busy() && c.voice.settled() {
		if _, err := c.conn.Execute(ctx, "hangup", cause); err != nil {
			return
		}
		if c.waitAfterPlan(ctx, c.ctl.cfg.HangupTimeout, func() bool { return c.hangupComplete }) {
			return
		}
	}
	if !c.hungUp {
		if _, err := c.bgapi(ctx, "uuid_kill "+c.channel+" "+cause); err != nil {
			return
		}
	}
	c.awaitHangup(ctx)
}

// awaitHangup waits for the channel's end, which the switch may owe for ever: a
// channel whose media bug waits for a server never reports it (F42).
func (c *call) awaitHangup(ctx context.Context) {
	if !c.waitAfterPlan(ctx, c.ctl.cfg.HangupTimeout, func() bool { return c.hangupComplete }) && !c.over {
		c.log.Warn("hangup not confirmed", zap.String("step", "hangup"), zap.String("hint", "the channel may be left in the switch: `show channels` in fs_cli"))
	}
}

// publish ends the recording: what has come is kept, whatever became of the call.
func (c *call) publish(ctx context.Context, timeout time.Duration) {
	if c.rec == nil || c.published {
		return
	}
	c.published = true
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := c.rec.Finish(limited); err != nil {
		c.log.Error("recording not whole", zap.NamedError("err", err), zap.String("hint", hintUnpublished))
		c.unpublished = true
		if text := strings.ReplaceAll(err.Error(), "\n", "; "); !strings.Contains(c.outcome.Err, text) {
			c.outcome.Err = strings.TrimPrefix(c.outcome.Err+"; "+text, "; ")
		}
	}
}

// save keeps the record and writes the call's last line.
func (c *call) save() {
	c.outcome = c.sofar()
	if c.outcome.Ended.IsZero() {
		c.outcome.Ended = time.Now()
	}
	save := func(o Outcome) (Record, error) { return c.ctl.recorder.Save(c.info, o) }
	if c.rec != nil {
		c.stream.observeFirstAudio()
		save = c.rec.Save
	}
	c.logUnrecorded()
	record, err := save(c.outcome)
	c.ctl.ended(c, record)
	if err != nil {
		c.log.Error("record not saved", zap.NamedError("err", err), zap.String("hint", "is sink.directory there, writable, and not full, and does its disk respond?"))
	}
	level := c.outcome.level()
	if record == nil {
		c.log.Log(level, "call ended", zap.String("result", string(c.outcome.Result)), zap.String("hangup_cause", c.outcome.HangupCause), zap.String("err", c.outcome.Err), hintField(c.outcome.Hint))
		return
	}
	c.ctl.log.Log(level, "call ended", zap.Inline(record)) // which names the call, and has the hint
}
