package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html"
	"strings"

	"tapdeck/controller/flow"
)

var errDraining = errors.New("tapdeck is being stopped and accepts no new calls")

// admit decides, before the call is answered, whether it can be carried out.
func (c *call) admit(ctx context.Context) error {
	channel := c.conn.Channel()
	if mode, control := channel.Get("Socket-Mode"), channel.Get("Control"); mode != "async" || control != "full" {
		address, _, _ := strings.Cut(channel.Get("variable_current_application_data"), " ")
		return &callEnd{
			result: Misconfigured,
			err:    fmt.Errorf("the dialplan's socket action gives Socket-Mode %q and Control %q; tapdeck needs async and full", mode, control),
			hint:   `write <action application="socket" data="` + html.EscapeString(cmp.Or(address, "HOST:8084")) + ` async full"/> in the dialplan`,
		}
	}
	if refusal := c.ctl.admit(ctx, c); refusal != nil {
		return refusal
	}
	return c.expectStream()
}

// expectStream prepares the recording, if the plan streams, or says why the call ends without one.
func (c *call) expectStream() error {
	if !flow.Streams(c.plan.Steps) {
		return nil
	}
	rec, err := c.ctl.recorder.Expect(c.info, c.plan.Stream)
	var refusal *RefusalError
	switch {
	case err == nil:
		c.rec, c.recordingChanged = rec, rec.Changed()
	case errors.As(err, &refusal): // whatever the plan says: what is full accepts no call
		return &callEnd{result: Refused, err: err, hint: strings.TrimSuffix(nextAction+"; "+refusal.Hint, "; ")}
	case c.plan.OnStreamFailure == FailureContinue:
		c.stream.fail(err, "the sink accepts no new stream; the plan says to go on without")
	default:
		return &callEnd{result: Failed, err: err, hint: "the sink could not accept the call's stream; " + nextAction}
	}
	return nil
}

// admit gives a call one of max_calls' slots, or says why it can't. Concurrent
// calls never get more slots than there are.
func (c *Controller) admit(ctx context.Context, k *call) *callEnd {
	c.mu.Lock()
	defer c.mu.Unlock()
	limit := c.maxCalls.Load()
	switch {
	case c.draining.Load() || ctx.Err() != nil:
		return &callEnd{result: Refused, err: errDraining, hint: nextAction}
	case k.admitted: // it has the slot of its channel's earlier call
		return nil
	case int64(c.admitted) >= limit:
		return &callEnd{
			result: Refused, err: fmt.Errorf("%d calls run already, as many as max_calls allows", limit),
			hint: nextAction + "; esl.max_calls sets the limit",
		}
	}
	c.admitted++
	k.admitted = true
	return nil
}
