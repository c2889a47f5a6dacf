package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.uber.org/zap"

	"tapdeck/controller/flow"
)

// A channel can have several calls: it was transferred to the extension that it was in, or its
// dialplan has several socket actions. The next one comes some 25 ms after the end of the one
// before (F9), which still stops its stream and keeps its recording. Each waits for its turn.

// begin adds a call to the running ones, behind those of the same channel.
func (c *Controller) begin(k *call) {
	c.metrics.active.Inc()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running[k] = struct{}{}
	earlier := c.channels[k.info.UUID]
	k.isFirst = len(earlier) == 0
	if !k.isFirst {
		if last := earlier[len(earlier)-1]; last.core == k.core { // else it is another switch's
			tell(last.cameBack)
			if k.terminators == last.terminating { // the earlier call's own, which it is going to take away
				k.terminators, k.terminating = last.terminators, last.terminators
			}
		}
	}
	c.channels[k.info.UUID] = append(earlier, k)
}

// tell puts the one value that counts into a call's channel, unless it is there: calls that came
// in between may have ended, so that it is told again.
func tell(of chan<- struct{}) {
	select {
	case of <- struct{}{}:
	default:
	}
}

// letGo gives a call's slot and turn away, once: nothing of it concerns the switch any more. The next one of
// its channel has both, so that it is not refused because of this one.
func (c *Controller) letGo(k *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.letGo {
		return
	}
	k.letGo = true
	c.metrics.active.Dec()
	rest := slices.DeleteFunc(c.channels[k.info.UUID], func(other *call) bool { return other == k })
	switch {
	case len(rest) == 0:
		delete(c.channels, k.info.UUID)
	default:
		c.channels[k.info.UUID] = rest
		tell(rest[0].turn)
	}
	switch {
	case !k.admitted:
	case len(rest) > 0 && !rest[0].admitted:
		rest[0].admitted = true
	default:
		c.admitted--
	}
}

// awaitTurn waits until the earlier calls of the channel have ended.
func (c *call) awaitTurn(ctx context.Context) error {
	if c.isFirst {
		return nil
	}
	c.log.Info("call came back, waiting for the end of its earlier recording")
	begun := c.beginStep("await_turn")
	err := c.wait(ctx, c.ctl.cfg.TurnTimeout, func() bool { return c.isFirst })
	if errors.Is(err, flow.ErrTimeout) {
		return &callEnd{
			result: Refused, err: fmt.Errorf("an earlier call of this channel has not ended within %v", c.ctl.cfg.TurnTimeout),
			hint: nextAction + "; its own lines say what holds it up: a slow disk, or another switch's call with the same id",
		}
	}
	if err == nil {
		c.log.Debug("earlier recording ended", zap.String("step", "await_turn"), since(begun))
	}
	return err
}
