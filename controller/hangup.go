package controller

import "go.uber.org/zap"

// HangUp has the running call with this ID, see CallID, hung up at once, whatever step it is in: it
// ends as completed, hung up by tapdeck. Of several calls of a channel it is the latest. false says
// that none runs, or that only its last words are awaited. A call that is ending already goes on with that.
func (c *Controller) HangUp(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := c.channels[CallID(id)]
	if len(calls) == 0 {
		return false
	}
	tell(calls[len(calls)-1].hangUp)
	return true
}

// toHangUp notes that HangUp was asked for this call.
func (c *call) toHangUp() {
	c.toldToHangUp = true
	c.log.Info("told to hang up", zap.String("step", c.step))
}
