package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tapdeck/controller/flow"
)

// Transfer implements flow.Channel. The channel is left as it came: another extension may be a
// socket action again, and the dead man's switch would hang the call up there.
func (c *call) Transfer(ctx context.Context, to string) error {
	if err := c.interruption(ctx); err != nil {
		return err
	}
	c.giveBack(ctx)
	c.transferring = to
	answer, err := c.api(ctx, "uuid_transfer "+c.channel+" "+to)
	if err == nil && isRefusal(answer) {
		return &callEnd{result: Failed, err: fmt.Errorf("transfer to %s: the switch answered %.200q", to, answer), hint: "compare the step transfer with what uuid_transfer takes in fs_cli"}
	}
	if err == nil {
		err = c.wait(ctx, c.ctl.cfg.CommandTimeout, func() bool { return false })
	}
	if errors.Is(err, flow.ErrTimeout) {
		return &callEnd{result: Failed, err: fmt.Errorf("transfer to %s: the call was still here after %v", to, c.ctl.cfg.CommandTimeout), hint: "FreeSWITCH's log of this channel says why it was not transferred"}
	}
	return err
}

// giveBack leaves the channel as it came: without the dead man's switch, which would end it
// later, and with the keys that the dialplan has named. Both are awaited: the next action may be
// a socket again, whose own must not go.
func (c *call) giveBack(ctx context.Context) {
	if c.ownTerminators {
		c.ownTerminators = false
		job, _ := c.bgapi(ctx, strings.TrimSpace("uuid_setvar "+c.channel+" playback_terminators "+c.terminators)) // without a value: unset
		c.awaitJob(ctx, job)
	}
	c.awaitJob(ctx, c.disarmDeadMan(ctx))
}

// transferEnd is the end of a call that another extension, or something else, has now.
func (c *call) transferEnd() *callEnd {
	const look = "look for who gave the command in FreeSWITCH's log"
	switch {
	case c.transferring != "":
		return &callEnd{result: Transferred}
	case c.returned:
		return &callEnd{result: SwitchLost, err: errors.New("the call was transferred, and came back to tapdeck"), hint: "what is recorded ends there, and the next call of this channel begins; if this is not meant, " + look}
	}
	return &callEnd{result: SwitchLost, err: errors.New("the call was transferred, bridged or parked by something else"), hint: "what is recorded ends there; if this is not meant, " + look}
}
