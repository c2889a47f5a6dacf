package switchsim

import (
	"strings"
	"time"
)

// Faults is how the switch misbehaves in one call. The zero value is a good
// switch. A step is the name of an application, or the beginning of "name
// data" where one application runs more than once ("playback ivr/"). A
// command is a part of its line as Report.Commands shows it ("stop",
// "execute answer"), or "#3" for the third command of the call.
type Faults struct {
	// NeverConnect: start answers +OK Success, but no WebSocket ever comes.
	NeverConnect bool
	// RefuseStart: start answers -ERR Operation Failed.
	RefuseStart bool
	// NoAPI: uuid_audio_stream is not there (-ERR … Command not found!).
	NoAPI bool
	// TamperURL gives the URL that is really opened: a wrong path or ticket.
	TamperURL func(url string) string
	// SecondSocket opens another WebSocket for the same URL while the first
	// is live; StreamReport.Second is what came of it.
	SecondSocket bool
	// Drops break streams: the first stream of the call by the first Drop, the
	// second by the second, and so on.
	Drops []Drop
	// Audio is what is wrong with the frames.
	Audio AudioFaults

	// HangupIn is the step in which the caller hangs up, HangupAt the number
	// (from 1) of the command at which he does.
	HangupIn string
	HangupAt int
	// DieIn is the step in which the switch dies: both sockets are reset, and
	// nothing else ever comes. DieAt is the number of the command.
	DieIn string
	DieAt int
	// NeverComplete is the step that never ends; a hangup ends it.
	NeverComplete string
	// CompleteBeforeHangup: at a hangup CHANNEL_EXECUTE_COMPLETE of the
	// application that runs, and of socket, come before CHANNEL_HANGUP, as on a
	// real switch in one of ten hangups within a playback.
	CompleteBeforeHangup bool
	// LoseJobs: no BACKGROUND_JOB event comes.
	LoseJobs bool
	// HangOn is the command that is never answered, nor any after it; events
	// go on.
	HangOn string
	// ReplyDelay delays every reply, in real time.
	ReplyDelay time.Duration
	// EventsBefore is a command before whose reply EventCount events come.
	EventsBefore string
	EventCount   int
	// Inject are frames that nobody expects.
	Inject []Injection
	// OddVariables gives the channel variables with odd names and values:
	// characters that are no header's, UTF-8, arrays, an empty key.
	OddVariables bool
}

// Drop is the end of one stream in the network.
type Drop struct {
	// After is how much audio the stream has carried by then.
	After time.Duration
	// How it looks to the server.
	How DropHow
	// Unnoticed says that the module does not notice: no error event comes,
	// and the media bug stays until stop.
	Unnoticed bool
}

// DropHow is what the server sees of a Drop.
type DropHow int

// A stream drops with an orderly end of TCP, with a reset, or with nothing at
// all: no frame comes any more, and none goes through.
const (
	DropFIN DropHow = iota
	DropRST
	DropNothing
)

// AudioFaults are wrong frames. The zero value is right ones.
type AudioFaults struct {
	// None: the socket is open, and no audio comes.
	None bool
	// Silent: every sample is 0.
	Silent bool
	// Omit is the share (0 to 1) of messages that are left out, evenly spread.
	Omit float64
	// Odd splits samples between messages: odd byte counts, the same bytes.
	Odd bool
	// Fragments sends every message as three fragments.
	Fragments bool
	// Texts and Pings are how many text and Ping frames come with each message.
	Texts, Pings int
	// Huge is the size in bytes of one frame of zeros that comes first; it is
	// no part of the reported audio. 0 is none.
	Huge int
	// Unmasked leaves out the mask, which RFC 6455 forbids.
	Unmasked bool
}

// Injection is a frame that comes where nobody expects it.
type Injection struct {
	// On is the command at which it comes.
	On string
	// When it comes, seen from that command's reply.
	When Place
	// Raw is what is sent; one of the Frame constants, or anything. Unused
	// with Twice.
	Raw string
	// Times is how often; 0 is once, -1 always.
	Times int
}

// Place is where an Injection comes.
type Place int

// An Injection comes before the reply, after it, in its stead, or is the
// reply itself again.
const (
	Before Place = iota
	After
	Instead
	Twice
)

// Frames that a controller may not expect.
const (
	FrameLogData       = "Content-Type: log/data\nContent-Length: 14\nLog-Level: 7\nText-Channel: 0\n\nsimulated log\n"
	FrameEventXML      = "Content-Length: 18\nContent-Type: text/event-xml\n\n<event>\n</event>\n\n"
	FrameRudeRejection = "Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
	FrameUnknown       = "Content-Type: application/x-simulated\nContent-Length: 4\n\nwhat"
	FrameNoType        = "X-Simulated: true\n\n"
	FrameNoReplyText   = "Content-Type: command/reply\n\n"
	FrameEmptyReply    = "Content-Type: command/reply\nReply-Text: \n\n"
	FrameShortReply    = "Content-Type: command/reply\nReply-Text: -E\n\n"
	FrameError         = "Content-Type: command/reply\nReply-Text: -ERR simulated\n\n"
	FrameEmptyAPI      = "Content-Type: api/response\nContent-Length: 0\n\n"
	FrameNegative      = "Content-Type: api/response\nContent-Length: -5\n\n"
	FrameBadHeader     = "Content-Type: command/reply\nX(Simulated)/[0]@: 1\nReply-Text: +OK\n\n"
)

// oddVariables are what OddVariables adds.
func oddVariables() []header {
	return []header{
		{"sip_h_X-Foo(bar)", "1"},
		{"a/b", "slash"},
		{"x[0]", "bracket"},
		{"user@host", "at"},
		{"grüße", "größer als ∞"},
		{"list", "ARRAY::one|:two|:three"},
		{"with blank", "blank"},
		{"colon:name", "colon"},
		{"lines", "first\r\nsecond\tthird"},
		{"quote\"d", `back\slash "quote"`},
	}
}

// faultState counts for the faults of one call. The call's mutex protects it.
type faultState struct {
	commands int   // how many have come
	drops    int   // how many drops streams have taken
	injected []int // how often each injection came
	hanging  bool  // HangOn has come
}

func (c *Call) fault(what string) {
	c.mu.Lock()
	c.report.Faults = append(c.report.Faults, what)
	c.mu.Unlock()
}

// matchesStep tells whether an application is the step of a fault.
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
		<-c.hung
		return false
	}
	return true
}

// die resets both sockets at once, as a switch does that has crashed.
func (c *Call) die() {
	c.mu.Lock()
	l, streams := c.listener, append([]*stream(nil), c.streams...)
	c.mu.Unlock()
	if l != nil {
		l.drop(true)
	}
	for _, s := range streams {
		s.abort(true)
	}
	c.hangup("CRASH", "switch")
}

// beforeCommand lets the faults of a command take place; false means that it
// is not executed.
func (c *Call) beforeCommand(cmd *command) bool {
	f := &c.spec.Faults
	c.mu.Lock()
	c.faults.commands++
	n := c.faults.commands
	if f.HangOn != "" && c.isCommand(cmd, f.HangOn, n) {
		c.faults.hanging = true
		c.report.Faults = append(c.report.Faults, "never answered "+cmd.label())
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

// isCommand tells whether a command, the nth, is meant.
func (c *Call) isCommand(cmd *command, want string, n int) bool {
	if want == "" {
		return false
	}
	return want == "#"+itoa(n) || strings.Contains(cmd.label(), want)
}

// reply sends the answer to a command, with what the faults put around it.
func (c *Call) reply(cmd *command, text string) {
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
		before += c.listener.flood(f.EventCount)
	}
	c.listener.reply(before + text + after)
}

// injections gives what comes before and after the reply, and may change it.
func (c *Call) injections(cmd *command, text *string) (before, after string) {
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
		c.report.Faults = append(c.report.Faults, "injected at "+cmd.label())
		switch in.When {
		case Before:
			before += in.Raw
		case After:
			after += in.Raw
		case Instead:
			*text = in.Raw
		case Twice:
			after += *text
		}
	}
	return before, after
}

// flood renders n events that nobody asked for, in the socket's format.
func (l *listener) flood(n int) string {
	l.mu.Lock()
	f := l.format
	l.count += int64(n)
	l.mu.Unlock()
	var b strings.Builder
	for range n {
		b.Write(l.sw.wire(&event{name: "HEARTBEAT", extra: []header{{"Event-Info", "System Ready"}}}, f))
	}
	return b.String()
}

// pause waits a real duration, or until the call is torn down.
func (c *Call) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.torn:
	}
}

// refuseStart, loseJob and hidden are the faults of the API.
func (c *Call) refuseStart() bool { return c.spec.Faults.RefuseStart }
func (c *Call) loseJob() bool     { return c.spec.Faults.LoseJobs }

func (s *Switch) hidden(c *Call, name string) bool {
	if name != "uuid_audio_stream" {
		return false
	}
	f := s.theFacts()
	return !f.hasStreamAPI() || c != nil && c.spec.Faults.NoAPI
}
