package switchsim

import (
	"context"
	"slices"
	"strings"
	"time"
)

// destination is where a call is transferred to.
type destination struct {
	number  string
	actions []Action
	back    bool // the extension that the call came by, from its beginning
	onward  bool // the next action of the extension that the call is in
	unknown bool // no such number, context or dialplan
}

// Transfer takes the call away from its controller, as uuid_transfer by
// somebody else does: what runs is broken off, the dialplan goes on with the next
// action, and the event socket stays open (F10, F89).
func (c *Call) Transfer() { c.transfer(&destination{number: c.spec.Destination, onward: true}) }

// TransferBack is uuid_transfer to the extension that the call is in: it begins again, with a
// second event socket beside the first (F9).
func (c *Call) TransferBack() {
	c.transfer(&destination{number: c.spec.Destination, actions: c.extension(), back: true})
}

// transfer ends what the channel's thread does, which then goes where it is told (F100: its state
// is CS_EXECUTE until then, but the state's number is another one from now on).
func (c *Call) transfer(to *destination) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next != nil || c.state.cause != "" {
		return
	}
	c.next, c.state.number = to, 2
	if c.spec.Faults.HungUpThere {
		c.state.number = 10
	}
	close(c.leaving)
}

// leavingNow returns what is closed when the call is transferred.
func (c *Call) leavingNow() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leaving
}

// isLeaving says that the call was transferred, and its thread is still in what it did before.
func (c *Call) isLeaving() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next != nil
}

// returns says that the call was transferred to the extension that it came by.
func (c *Call) returns() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next != nil && c.next.back
}

// find returns where uuid_transfer NUMBER [DIALPLAN [CONTEXT]] leads to (F120).
func (c *Call) find(words []string) *destination {
	number, context := words[0], ""
	if len(words) > 2 && !strings.EqualFold(words[2], "default") {
		context = " " + words[2]
	}
	to := &destination{number: number}
	actions, known := c.spec.Extensions[number+context]
	switch {
	case len(words) > 1 && !strings.EqualFold(words[1], "XML"):
		to.unknown = true
	case known:
		to.actions = actions
	case number == c.spec.Destination && context == "":
		to.actions, to.back = c.extension(), true
	case c.spec.Extensions == nil:
		to.onward = true
	default:
		to.unknown = true
	}
	return to
}

const transferUsage = "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"

// apiTransfer executes uuid_transfer, which answers +OK to whatever may not be there (F120).
func apiTransfer(c *Call, argument string) string {
	words := splitArguments(argument, ' ', 6)
	if len(words) == 0 || len(words) > 4 {
		return transferUsage
	}
	if strings.HasPrefix(words[0], "-") {
		words = words[1:]
	}
	if len(words) == 0 {
		return "-ERR\n"
	}
	c.transfer(c.find(words))
	return "+OK\n"
}

// appTransfer executes the application transfer NUMBER [DIALPLAN [CONTEXT]].
func (c *Call) appTransfer(data string) {
	if words := splitArguments(data, ' ', 4); len(words) > 0 {
		c.transfer(c.find(words))
	}
}

// extension is the dialplan's extension that the call came by.
func (c *Call) extension() []Action {
	socket := Action{Application: "socket", Data: socketData(c.spec.Address, c.spec.Arguments)}
	return slices.Concat(c.spec.Before, []Action{socket}, c.spec.Then)
}

// dialplan runs the call's extension, and those that it is transferred to, until the end of one.
func (c *Call) dialplan(ctx context.Context) {
	for list := c.extension(); len(list) > 0; {
		list = c.actions(ctx, list)
	}
	c.hangup(normalClearing, "dialplan")
}

// actions runs actions of the dialplan. It returns those of the extension that the call was
// transferred to, if any.
func (c *Call) actions(ctx context.Context, list []Action) []Action {
	for _, a := range list {
		if a.Application == "socket" {
			address, arguments, _ := strings.Cut(a.Data, " ")
			c.socket(ctx, address, arguments)
			c.noteNextAction()
		} else {
			c.execute(a.Application, a.Data, "", false)
		}
		to := c.route()
		if c.isHungUp() {
			return nil
		}
		if to != nil && !to.onward {
			return to.actions
		}
	}
	return nil
}

// noteNextAction notes that a controller has let go.
func (c *Call) noteNextAction() {
	if c.isHungUp() || c.returns() {
		return
	}
	c.mu.Lock()
	c.report.NextAction = true
	c.mu.Unlock()
}

// route is the channel's way to where it was transferred; nil is nowhere.
func (c *Call) route() *destination {
	if c.isHungUp() || !c.isLeaving() {
		return nil
	}
	c.setFrame(-1)
	c.emitState("CS_ROUTING", 2, "")
	c.mu.Lock()
	to, p := c.next, *c.state.profile
	p.destination = to.number
	c.next, c.leaving, c.state.profile = nil, make(chan struct{}), &p
	c.mu.Unlock()
	if to.unknown {
		c.hangup("NO_ROUTE_DESTINATION", "dialplan")
		return to
	}
	c.emitState("CS_EXECUTE", 4, "")
	if to.back {
		c.sleepReal(returnTime)
	}
	return to
}

// returnTime is how long after the end of its socket action a call that was transferred back comes
// again, in real time: 5 to 25 ms (F9).
const returnTime = 25 * time.Millisecond
