package switchsim

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"tapdeck/controller/switchsim/audio"
	"tapdeck/controller/switchsim/audiostream"
	"tapdeck/controller/switchsim/capture"
	"tapdeck/controller/switchsim/eventsocket"
)

// Call is one simulated call.
type Call struct {
	sw       *Switch
	spec     CallSpec
	uuid     string
	otherLeg string        // the other loopback leg's UUID; protected by the switch
	done     chan struct{} // the channel is destroyed and every goroutine has ended
	wg       sync.WaitGroup

	holds      sync.WaitGroup // API commands that hold the channel
	hungUp     chan struct{}  // closed at hangup
	answered   chan struct{}  // closed at the answer
	tornDown   chan struct{}  // closed when the call is torn down with its context
	wake       chan struct{}  // capacity 1: the queue has grown, or a socket is over
	breaks     chan struct{}  // capacity 1: uuid_break
	syncThread sync.Mutex     // sync mode: held while an application runs

	mu        sync.Mutex              // protects what follows
	outbounds []*outbound             // every event socket of the call; a slice is never changed
	listeners []*eventsocket.Listener // theirs, likewise
	current   *outbound               // that of the socket action that runs, or nil
	inPark    bool                    // the dialplan's own park runs
	inBand    bool                    // start_dtmf is on
	next      *destination            // where the call was transferred to
	leaving   chan struct{}           // closed when next is set
	state     state
	mediaAt   time.Time              // when media began; zero: not yet
	idleAudio bool                   // send_silence_when_idle was set by then (F47)
	acked     bool                   // the caller has acknowledged the answer
	at        int64                  // the frame that the channel's thread has come to without waiting; -1: that of now
	broken    bool                   // the channel's thread has ended something early in this frame
	held      int64                  // the frame that the thread decides of; -1: none
	consumed  int64                  // media frames that a stream has read
	mixed     int64                  // those that one with both directions has read
	named     []namedEvent           // events of the module that wait
	queue     []*eventsocket.Command // sendmsgs that wait for the channel
	stream    *audiostream.Stream    // the media bug of uuid_audio_stream
	streams   []*audiostream.Stream  // every stream that was ever started
	faults    faultState
	report    Report
	timers    []*time.Timer
	late      *eventsocket.Event // CHANNEL_HANGUP that comes after the completions

	played, said audio.Playlist // what the switch plays, and what Say has made the caller say
	syncs        *audio.Syncs   // what playbacks have taken of his audio; nil if they take nothing
}

const noLinger = -2

// byCaller is who hung up, in Report.HungUpBy.
const byCaller = "caller"

func newCall(s *Switch, spec CallSpec) *Call {
	c := &Call{
		sw: s, spec: spec, uuid: spec.UUID,
		done: make(chan struct{}), hungUp: make(chan struct{}), answered: make(chan struct{}),
		tornDown: make(chan struct{}), wake: make(chan struct{}, 1), breaks: make(chan struct{}, 1), leaving: make(chan struct{}),
		at: -1, held: -1,
	}
	p := &profile{
		uuid: spec.UUID, caller: spec.Caller, destination: spec.Destination, created: time.Now(),
		session: strconv.FormatInt(s.sessions.Add(1), 10), capture: capture.SIP(), noTelephoneEvent: spec.NoTelephoneEvent,
	}
	if spec.Loopback {
		p.capture = capture.Loopback()
	}
	c.state = state{
		profile: p, channelState: "CS_EXECUTE", number: 4, callState: "RINGING", answerState: "ringing",
		media: spec.Loopback, vars: &variables{},
	}
	if h := spec.Faults.Hold; h.For > 0 {
		c.spec.Leg.Holds = append(slices.Clip(spec.Leg.Holds), Hold{From: h.After, To: h.After + h.For})
	}
	if spec.Faults.AudioSync {
		c.syncs = &audio.Syncs{}
	}
	c.state.vars = initialVariables(&c.state, &spec)
	c.report = Report{UUID: spec.UUID, Began: p.created}
	return c
}

// UUID returns the channel's UUID.
func (c *Call) UUID() string { return c.uuid }

// Hangup is the caller hanging up now.
func (c *Call) Hangup() { c.hangup("NORMAL_CLEARING", byCaller) }

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
	r.Played, r.hearing = c.played.All(), c.hears()
	streams, controls := slices.Clone(c.streams), c.outbounds
	c.mu.Unlock()
	for _, s := range streams {
		r.Streams = append(r.Streams, s.Report())
	}
	for _, k := range controls {
		bytes, events := k.listener.Sent()
		r.BytesSent, r.EventsSent = r.BytesSent+bytes, r.EventsSent+events
	}
	return r
}

// run is the channel from the socket action to its destruction.
func (c *Call) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, c.teardown)
	c.emit("CHANNEL_CREATE")
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
	close(c.tornDown)
	c.hangup("NORMAL_UNSPECIFIED", "switch")
	c.abort(false)
}

// abort closes both sockets without a word; reset makes it an RST.
func (c *Call) abort(reset bool) {
	for _, k := range c.allOutbounds() {
		k.listener.Drop(reset)
	}
	c.abortStreams(reset)
}

func (c *Call) abortStreams(reset bool) {
	c.mu.Lock()
	streams := slices.Clone(c.streams)
	c.mu.Unlock()
	for _, s := range streams {
		s.Abort(reset)
	}
}

// ring arms the caller who gives up before an answer.
func (c *Call) ring() {
	if c.spec.RingHangup > 0 {
		c.after(c.spec.RingHangup, func() {
			if !c.isAnswered() {
				c.hangup("ORIGINATOR_CANCEL", byCaller)
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
}

// finish is what comes after the hangup: the media bug is closed, which may
// take its second or never end (F41, F42), then the call is reported and destroyed.
func (c *Call) finish() {
	early := c.spec.Faults.NoticeFirst
	if early {
		c.noticeControllers()
	}
	c.sendLate()
	c.setFrame(-1)
	c.emitState("CS_HANGUP", 10, "")
	c.mu.Lock()
	s := c.stream
	c.mu.Unlock()
	if s == nil {
		c.reported()
	}
	if !early {
		c.noticeControllers()
	}
	if s != nil {
		s.Close("", "hangup")
		c.reported()
	}
	for _, k := range c.allOutbounds() {
		<-k.over // a lingering socket pins the channel (F33)
	}
	c.holds.Wait()
	c.sw.schedule.removeGroup(c.uuid) // a channel's end deletes its group (F99)
	c.abortStreams(false)             // those that a real switch would leave open (F37)
	c.sw.removeCall(c)
	c.emit("CHANNEL_DESTROY")
}

// noticeControllers tells every controller of the call that its channel is gone.
func (c *Call) noticeControllers() {
	for _, k := range c.allOutbounds() {
		if k.async {
			k.noticeHangup()
		}
	}
}

// reported is the CS_REPORTING state.
func (c *Call) reported() {
	c.emitState("CS_REPORTING", 11, "HANGUP")
	c.mu.Lock()
	c.setAsCaptured("CHANNEL_HANGUP_COMPLETE")
	c.mu.Unlock()
	c.emit("CHANNEL_HANGUP_COMPLETE")
}

// hangup ends the call, once.
func (c *Call) hangup(cause, by string) {
	c.mu.Lock()
	if c.state.cause != "" {
		c.mu.Unlock()
		return
	}
	c.state.cause, c.state.hungUpBy, c.state.answerState, c.state.number = cause, by, "hangup", 10
	c.report.HangupCause, c.report.HungUpBy, c.report.HungUp = cause, by, time.Now()
	c.report.SIPStatus = c.state.refusal(c.spec.Loopback)
	c.setAsCaptured("CHANNEL_HANGUP")
	e := c.event("CHANNEL_HANGUP", "")
	c.state.hungup = time.Now()
	for _, k := range c.outbounds {
		if !k.async && k.linger == noLinger {
			k.listener.Mute() // in sync mode not even this event comes (F6)
		}
	}
	late := c.spec.Faults.CompleteBeforeHangup || c.spec.Faults.NoticeFirst
	if late {
		c.late = e
	}
	c.mu.Unlock()
	if !late {
		c.send(e)
	}
	c.mu.Lock()
	c.setAsCaptured("CHANNEL_UNPARK")
	c.held = -1
	c.mu.Unlock()
	close(c.hungUp)
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

func (c *Call) isHungUp() bool {
	select {
	case <-c.hungUp:
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
	return c.present()
}

// Variable returns a channel variable as it is now; "" is unset.
func (c *Call) Variable(name string) string { return c.snapshot().vars.get(name) }

func (c *Call) setVar(name, value string) { c.setVars(header{Name: name, Value: value}) }

func (c *Call) setVars(changes ...header) {
	c.mu.Lock()
	c.state.vars = c.state.vars.with(changes...)
	c.mu.Unlock()
}

// setAsCaptured sets the variables that were set before a captured frame. It needs
// c.mu.
func (c *Call) setAsCaptured(frame string, own ...header) {
	value := func(name string) string {
		for _, h := range own {
			if h.Name == name {
				return h.Value
			}
		}
		return c.state.value(name)
	}
	c.state.rate = c.rate()
	c.state.vars = c.state.vars.with(c.state.capture.Frame(frame).Sets(value)...)
}

// emit sends an event of this channel to whoever has subscribed to it.
func (c *Call) emit(frame string, own ...header) {
	c.mu.Lock()
	e := c.event(frame, "", own...)
	c.mu.Unlock()
	c.send(e)
}

// event makes an event with the channel's present state. It needs c.mu.
func (c *Call) event(frame, body string, own ...header) *eventsocket.Event {
	return c.sw.event(frame, body, c.present(), own)
}

// present returns a copy of the channel's present state. It needs c.mu.
func (c *Call) present() *state {
	c.state.rate = c.rate()
	st := c.state
	return &st
}

// rate is that of the codec now, in Hz. It needs c.mu.
func (c *Call) rate() int { return c.spec.Leg.Rate(c.position(time.Now())) }

func (c *Call) send(e *eventsocket.Event) {
	c.mu.Lock()
	own := c.listeners
	c.mu.Unlock()
	for _, l := range own {
		l.Deliver(e)
	}
	c.sw.bus.Broadcast(e, own...)
}

func (c *Call) emitState(name string, number int, callState string) {
	c.mu.Lock()
	c.state.channelState, c.state.number = name, number
	if callState != "" {
		c.state.callState = callState
	}
	c.mu.Unlock()
	c.emit("CHANNEL_STATE")
}

// note tells Progress.
func (c *Call) note(step, detail string) {
	if c.spec.Progress != nil {
		c.spec.Progress(Event{Time: time.Now(), UUID: c.uuid, Step: step, Detail: detail})
	}
}
