package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/flow"
)

// The dead man's switch is a task of FreeSWITCH that hangs a call up whose controller
// never comes back. It has a group of its own: that of a sched_hangup is the channel's
// id, and to delete it would delete the limits that the user's dialplan has set (F29).
//
// The switch deletes a channel's own group with the channel, but not this one (F99). So
// it is deleted when the call is over, which costs one command: left-over tasks harm no
// call, but they are a list that the switch walks. After a hangup nobody waits for its
// answer; a call that is given back to the dialplan does (release), because the next socket
// action may set its own of the same name. What a controller that died has left would hang
// this call up, too, if its channel has the same id: it is deleted before a new one is set.

// deadManCause is the hangup cause that the dead man's switch gives.
const deadManCause = "ALLOTTED_TIMEOUT"

// defaultDeadManMargin is added to a plan's known length and the longest that its prompts may take.
const defaultDeadManMargin = 15 * time.Minute

// deadManGroup is the group of the channel's dead man's switch. The rendered dialplan
// deletes it by this name, too.
func (c *call) deadManGroup() string { return "tapdeck-" + c.channel }

// armDeadMan sets the dead man's switch.
func (c *call) armDeadMan(ctx context.Context) error {
	if c.leftOver {
		if _, err := c.api(ctx, "sched_del "+c.deadManGroup()); err != nil {
			return err
		}
	}
	steps, timeouts := flow.LengthOf(c.plan.Steps), c.plan.Stream.ConnectTimeout+c.plan.Stream.StopTimeout
	length := steps.Known + time.Duration(max(steps.Prompts, 1))*c.ctl.cfg.PromptLimit + time.Duration(max(steps.Starts, 1))*timeouts
	limit := (length + cmp.Or(c.ctl.cfg.DeadManMargin, defaultDeadManMargin)).Truncate(time.Second)
	c.deadManDue = time.Now().Add(limit - time.Second) // the switch counts whole seconds (F98)
	answer, err := c.api(ctx, fmt.Sprintf("sched_api +%d %s uuid_kill %s %s", limit/time.Second, c.deadManGroup(), c.channel, deadManCause))
	if err == nil && isRefusal(answer) {
		c.deadManDue = time.Time{}
		c.log.Warn("dead man's switch not set", zap.String("err", answer), zap.String("hint", "if tapdeck dies, this call stays until the caller hangs up; does this switch have sched_api (mod_commands)?"))
	}
	return err
}

// disarmDeadMan deletes the dead man's switch, and nothing else. It returns the job's
// UUID for those who wait for its answer, "" if there is nothing to wait for.
func (c *call) disarmDeadMan(ctx context.Context) (job string) {
	if c.deadManDue.IsZero() || c.over {
		return ""
	}
	c.deadManDue = time.Time{}
	job, _ = c.bgapi(ctx, "sched_del "+c.deadManGroup()) // an error is the connection's end
	return job
}

// byDeadMan says whether the hangup was the dead man's switch's. Its cause alone is
// anybody's: it is the default of every sched_hangup (F29). Its moment alone may be a
// caller's. A call that gets that cause when its own time is up has outlived its plan.
func (c *call) byDeadMan() bool {
	return c.hungUp && c.outcome.HangupCause == deadManCause && !c.deadManDue.IsZero() && !c.outcome.Timeline.At("hangup").Before(c.deadManDue)
}

func outlivedPlan() *callEnd {
	return &callEnd{
		result: Failed, err: errors.New("the call outlived its plan and was hung up by its dead man's switch"),
		hint: "a step took far longer than the plan's times allow: which one, the timeline says; why, FreeSWITCH's log of this channel",
	}
}
