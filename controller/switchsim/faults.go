package switchsim

import (
	"strconv"
	"strings"
	"time"

	"tapdeck/controller/switchsim/eventsocket"
	"tapdeck/controller/switchsim/fault"
)

// faultState counts for the faults of one call. The call's mutex protects it.
type faultState struct {
	commands int   // how many have come
	drops    int   // how many streams have had their Drop
	others   int   // how many of OtherStreams were stopped
	injected []int // how often each injection came
	hanging  bool  // HangOn has come
	files    int   // how many files of this machine were to be played
	stalled  bool  // Stall has come
}

func (c *Call) fault(what string) {
	c.mu.Lock()
	c.report.Faults = append(c.report.Faults, what)
	c.mu.Unlock()
}

// matchesStep says whether an application is the step of a fault.
func matchesStep(step, app, data string) bool {
	if step == "" {
		return false
	}
	return step == app || strings.Contains(step, " ") && strings.HasPrefix(app+" "+data, step)
}

// inStep is asked when an application has begun; false means that it does
// not go on.
func (c *Call) inStep(app, data string) bool {
	f := &c.spec.Faults
	if matchesStep(f.HangupIn, app, data) {
		c.fault("caller hung up in " + app)
		c.Hangup()
	}
	if matchesStep(f.DieIn, app, data) {
		c.fault("died in " + app)
		c.die()
		return false
	}
	if matchesStep(f.NeverComplete, app, data) {
		c.fault("never completed " + app)
		<-c.hungUp
		return false
	}
	return true
}

// die resets both sockets at once, as a switch does that has crashed.
func (c *Call) die() {
	c.abort(true)
	c.hangup("CRASH", "switch")
}

// beforeCommand lets the faults of a command take place; false means that it
// is not executed.
func (c *Call) beforeCommand(cmd *eventsocket.Command) bool {
	f := &c.spec.Faults
	c.mu.Lock()
	c.faults.commands++
	n := c.faults.commands
	if f.HangOn != "" && c.isCommand(cmd, f.HangOn, n) {
		c.faults.hanging = true
		c.report.Faults = append(c.report.Faults, "never answered "+cmd.Label())
	}
	hanging := c.faults.hanging
	c.mu.Unlock()
	if n == f.HangupAt {
		c.fault("caller hung up at command " + itoa(n))
		c.Hangup()
	}
	if n == f.DieAt {
		c.fault("died at command " + itoa(n))
		c.die()
		return false
	}
	return !hanging
}

// isCommand says whether a command, the nth, is meant.
func (c *Call) isCommand(cmd *eventsocket.Command, want string, n int) bool {
	if want == "" {
		return false
	}
	return want == "#"+itoa(n) || strings.Contains(cmd.Label(), want)
}

// reply sends the answer to a command, with what the faults put around it.
func (c *outbound) reply(cmd *eventsocket.Command, text string) {
	f := &c.spec.Faults
	if f.ReplyDelay > 0 {
		c.pause(f.ReplyDelay)
	}
	before, after := c.injections(cmd, &text)
	c.mu.Lock()
	n := c.faults.commands
	c.mu.Unlock()
	if f.EventCount > 0 && c.isCommand(cmd, f.EventsBefore, n) {
		c.fault(itoa(f.EventCount) + " events before a reply")
		before += c.listener.Render(c.sw.event("HEARTBEAT", "", ofNone(), nil), f.EventCount)
	}
	c.listener.Reply(before + text + after)
}

// injections gives what comes before and after the reply, and may change it.
func (c *outbound) injections(cmd *eventsocket.Command, text *string) (before, after string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.faults.injected == nil {
		c.faults.injected = make([]int, len(c.spec.Faults.Inject))
	}
	for i, in := range c.spec.Faults.Inject {
		spent := in.Times >= 0 && c.faults.injected[i] >= max(in.Times, 1)
		if spent || !c.isCommand(cmd, in.On, c.faults.commands) {
			continue
		}
		c.faults.injected[i]++
		c.report.Faults = append(c.report.Faults, "injected at "+cmd.Label())
		switch in.When {
		case fault.Before:
			before += in.Raw
		case fault.After:
			after += in.Raw
		case fault.Instead:
			*text = in.Raw
		}
	}
	return before, after
}

// pause waits a real duration, or until the call is torn down.
func (c *Call) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.tornDown:
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
