package switchsim

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Call is one simulated call.
type Call struct {
	sw    *Switch
	spec  CallSpec
	uuid  string
	other string        // the other loopback leg's UUID; protected by the switch
	done  chan struct{} // the channel is destroyed and every goroutine has ended
	wg    sync.WaitGroup

	holds     sync.WaitGroup // API commands that hold the channel
	hung      chan struct{}  // closed at hangup
	wake      chan struct{}  // capacity 1: the queue has grown, or the socket is over
	brk       chan struct{}  // capacity 1: uuid_break
	gone      chan struct{}  // closed when the controller's socket is over
	up        chan struct{}  // closed when the call is answered
	taken     chan struct{}  // closed when the controller has said connect
	takenOnce sync.Once
	thread    sync.Mutex    // sync mode: held while an application runs
	torn      chan struct{} // closed when the call is torn down with its context

	transfer  sync.Once
	elsewhere chan struct{} // closed when the call is transferred

	mu        sync.Mutex // protects what follows
	listener  *listener  // nil while there is no controller
	state     state
	media     time.Time // when media began; zero: not yet
	fills     bool      // send_silence_when_idle was set by then
	played    []Played
	consumed  int64      // media frames that a stream has read
	running   int        // applications that run, in sync mode
	queue     []*command // sendmsgs that wait for the channel
	stream    *stream    // the media bug of uuid_audio_stream
	streams   []*stream  // every stream that was ever started
	linger    int        // seconds; -1 without end; noLinger
	faults    faultState
	report    Report
	killTimer *time.Timer // sched_hangup
	timers    []*time.Timer
	late      *event // CHANNEL_HANGUP that comes after the completions
}

const noLinger = -2

func newCall(s *Switch, spec CallSpec) *Call {
	c := &Call{
		sw: s, spec: spec, uuid: spec.UUID, linger: noLinger,
		done: make(chan struct{}), hung: make(chan struct{}),
		wake: make(chan struct{}, 1), brk: make(chan struct{}, 1), gone: make(chan struct{}),
		up: make(chan struct{}), taken: make(chan struct{}), torn: make(chan struct{}), elsewhere: make(chan struct{}),
	}
	p := &profile{
		uuid: spec.UUID, caller: spec.Caller, destination: spec.Destination, loopback: spec.Loopback,
		name: "sofia/simulated/" + spec.Caller + "@127.0.0.1:5080", created: time.Now(),
	}
	if spec.Loopback {
		p.name = "loopback/" + spec.Destination + "-b"
	}
	c.state = state{
		profile: p, channelState: "CS_EXECUTE", number: 4, callState: "RINGING", answerState: "ringing",
		media: spec.Loopback, vars: initialVariables(p, &spec, s.sessions.Add(1)),
	}
	c.report = Report{UUID: spec.UUID, Began: p.created}
	return c
}

// UUID returns the channel's UUID.
func (c *Call) UUID() string { return c.uuid }

// Hangup is the caller hanging up now.
func (c *Call) Hangup() { c.hangup("NORMAL_CLEARING", "caller") }

// Wait blocks until the channel is destroyed and every goroutine of the call
// has ended, and returns what happened.
func (c *Call) Wait() Report {
	<-c.done
	return c.Report()
}

// Done is closed when Wait would return.
func (c *Call) Done() <-chan struct{} { return c.done }

// Report returns what has happened so far.
func (c *Call) Report() Report {
	c.mu.Lock()
	r := c.report
	r.Commands = slices.Clone(r.Commands)
	r.CommandedAt = slices.Clone(r.CommandedAt)
	r.Executed = slices.Clone(r.Executed)
	r.Played = slices.Clone(c.played)
	streams, l := slices.Clone(c.streams), c.listener
	c.mu.Unlock()
	for _, s := range streams {
		r.Streams = append(r.Streams, s.result(r.Played))
	}
	if l != nil {
		r.BytesSent, r.EventsSent = l.bytes()
	}
	return r
}

// run is the channel from the socket action to its destruction.
func (c *Call) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, c.teardown)
	c.emit(&event{name: "CHANNEL_CREATE", calling: calling{"switch_channel.c", "switch_channel_set_caller_profile", 2650}})
	c.ring()
	c.dialplan(ctx)
	c.finish()
	stop()
	c.wg.Wait()
	c.stopTimers()
	c.note("destroyed", "")
	close(c.done)
}

// teardown ends at once whatever still waits: the sockets close without a word.
func (c *Call) teardown() {
	close(c.torn)
	c.hangup("NORMAL_UNSPECIFIED", "switch")
	c.mu.Lock()
	l, streams := c.listener, slices.Clone(c.streams)
	c.mu.Unlock()
	if l != nil {
		l.drop(false)
	}
	for _, s := range streams {
		s.abort(false)
	}
}

// ring arms the caller who gives up before an answer.
func (c *Call) ring() {
	if c.spec.RingHangup > 0 {
		c.after(c.spec.RingHangup, func() {
			if !c.isAnswered() {
				c.hangup("ORIGINATOR_CANCEL", "caller")
			}
		})
	}
}

// after runs f after a media duration, unless the call is over by then.
func (c *Call) after(media time.Duration, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timers = append(c.timers, time.AfterFunc(c.sw.real(media), f))
}

func (c *Call) stopTimers() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.timers {
		t.Stop()
	}
	if c.killTimer != nil {
		c.killTimer.Stop()
	}
}

// dialplan runs the socket action, and the actions before and after it.
func (c *Call) dialplan(ctx context.Context) {
	if !c.actions(c.spec.Before) {
		close(c.gone)
		return
	}
	c.socket(ctx)
	if c.isHung() {
		return
	}
	c.mu.Lock()
	c.report.NextAction = true
	c.mu.Unlock()
	if c.actions(c.spec.Then) {
		c.hangup("NORMAL_CLEARING", "dialplan")
	}
}

// actions runs actions of the dialplan; false means that the call was hung up.
func (c *Call) actions(list []Action) bool {
	for _, a := range list {
		c.execute(a.Application, a.Data, "", false)
		if c.isHung() {
			return false
		}
	}
	return true
}

// finish is what comes after the hangup: the media bug is closed, which may
// take its second or never end, then the call is reported and destroyed.
func (c *Call) finish() {
	c.sendLate()
	c.emitState("CS_HANGUP", 10, "")
	c.mu.Lock()
	s := c.stream
	c.mu.Unlock()
	if s == nil {
		c.reported()
	}
	if c.spec.async() {
		c.sayGoodbye()
	}
	if s != nil {
		s.cleanup("", "hangup")
		c.reported()
	}
	<-c.gone // a lingering socket pins the channel
	c.holds.Wait()
	c.endLeaks()
	c.sw.removeCall(c)
	c.emit(&event{name: "CHANNEL_DESTROY", calling: calling{"switch_core_session.c", "switch_core_session_perform_destroy", 1535}})
}

// endLeaks closes the WebSockets that nobody owns any more. On a real switch
// they would stay.
func (c *Call) endLeaks() {
	c.mu.Lock()
	streams := slices.Clone(c.streams)
	c.mu.Unlock()
	for _, s := range streams {
		s.abort(false)
	}
}

// reported is the CS_REPORTING state.
func (c *Call) reported() {
	c.emitState("CS_REPORTING", 11, "HANGUP")
	c.mu.Lock()
	cause, byCaller := c.state.cause, c.report.HungUpBy == "caller"
	c.mu.Unlock()
	c.setVars(hangupVariables(c.snapshot(), byCaller, time.Now())...)
	c.emit(&event{
		name: "CHANNEL_HANGUP_COMPLETE", front: []header{{"Hangup-Cause", cause}},
		calling: calling{"switch_core_state_machine.c", "switch_core_session_reporting_state", 943},
	})
}

// hangup ends the call, once.
func (c *Call) hangup(cause, by string) {
	c.mu.Lock()
	if c.state.cause != "" {
		c.mu.Unlock()
		return
	}
	c.state.cause, c.state.answerState, c.state.number = cause, "hangup", 10
	c.report.HangupCause, c.report.HungUpBy, c.report.HungUp = cause, by, time.Now()
	e := c.channelEvent(&event{name: "CHANNEL_HANGUP", calling: calling{"switch_channel.c", "switch_channel_perform_hangup", 3445}})
	c.state.hungup = time.Now()
	if l := c.listener; l != nil && !c.spec.async() && c.linger == noLinger {
		l.mute() // in sync mode not even this event comes
	}
	late := c.spec.Faults.CompleteBeforeHangup
	if late {
		c.late = e
	}
	c.mu.Unlock()
	if !late {
		c.send(e)
	}
	close(c.hung)
	c.note("hangup", cause)
}

// sendLate sends the CHANNEL_HANGUP that was held back.
func (c *Call) sendLate() {
	c.mu.Lock()
	e := c.late
	c.mu.Unlock()
	if e != nil {
		c.send(e)
	}
}

func (c *Call) isHung() bool {
	select {
	case <-c.hung:
		return true
	default:
		return false
	}
}

func (c *Call) isAnswered() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.state.answered.IsZero()
}

// snapshot returns a copy of the channel's state.
func (c *Call) snapshot() *state {
	c.mu.Lock()
	defer c.mu.Unlock()
	st := c.state
	return &st
}

func (c *Call) getVar(name string) string { return c.snapshot().vars.get(name) }

func (c *Call) setVars(changes ...header) {
	c.mu.Lock()
	c.state.vars = c.state.vars.with(changes...)
	c.mu.Unlock()
}

// emit sends an event of this channel to whoever has subscribed to it.
func (c *Call) emit(e *event) {
	c.mu.Lock()
	e = c.channelEvent(e)
	c.mu.Unlock()
	c.send(e)
}

// channelEvent gives the event the channel's present state. It needs c.mu.
func (c *Call) channelEvent(e *event) *event {
	st := c.state
	e.channel, e.uuid = &st, c.uuid
	return e
}

func (c *Call) send(e *event) {
	c.mu.Lock()
	l := c.listener
	c.mu.Unlock()
	if l != nil {
		l.deliver(e)
	}
	c.sw.broadcast(e, l)
}

func (c *Call) emitState(name string, number int, callState string) {
	c.mu.Lock()
	c.state.channelState, c.state.number = name, number
	if callState != "" {
		c.state.callState = callState
	}
	c.mu.Unlock()
	c.emit(&event{name: "CHANNEL_STATE", bare: true, calling: calling{"switch_channel.c", "switch_channel_perform_set_running_state", 2408}})
}

// note tells Progress.
func (c *Call) note(step, detail string) {
	if c.spec.Progress != nil {
		c.spec.Progress(Event{Time: time.Now(), UUID: c.uuid, Step: step, Detail: detail})
	}
}
