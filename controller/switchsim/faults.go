package switchsim

import "strings"

// Faults is how the switch misbehaves in one call. The zero value is a good
// switch.
type Faults struct {
	// NeverConnect: start answers +OK Success, but no WebSocket ever comes.
	NeverConnect bool
	// RefuseStart: start answers -ERR Operation Failed.
	RefuseStart bool
	// NoAPI: uuid_audio_stream is not there (-ERR … Command not found!).
	NoAPI bool
	// HangupIn is the application in which the caller hangs up.
	HangupIn string
	// DieIn is the application in which the switch dies: both sockets are reset.
	DieIn string
	// NeverComplete is the application that never ends; a hangup ends it.
	NeverComplete string
	// LoseJobs: no BACKGROUND_JOB event comes.
	LoseJobs bool
}

// faultState is what a call knows about its faults.
type faultState struct{ *Faults }

func (f *faultState) init(spec *Faults) { f.Faults = spec }

// streamFaults are the faults of one stream.
type streamFaults struct{ NeverConnect bool }

func (f *faultState) arm(s *stream) { s.faults.NeverConnect = f.NeverConnect }

func (c *Call) fault(what string) {
	c.mu.Lock()
	c.report.Faults = append(c.report.Faults, what)
	c.mu.Unlock()
}

// inStep is asked when an application has begun; false means that it does
// not go on.
func (c *Call) inStep(app string) bool {
	switch f := c.spec.Faults; app {
	case f.HangupIn:
		c.fault("caller hung up in " + app)
		c.Hangup()
	case f.DieIn:
		c.fault("died in " + app)
		c.die()
		return false
	case f.NeverComplete:
		c.fault("never completed " + app)
		<-c.hung
		return false
	}
	return true
}

// die resets both sockets at once, as a switch does that has crashed.
func (c *Call) die() {
	c.mu.Lock()
	l, streams := c.listener, c.streams
	c.mu.Unlock()
	for _, s := range streams {
		s.abort(true)
	}
	if l != nil {
		l.drop(true)
	}
	c.hangup("CRASH", "switch")
}

func (c *Call) dead() bool { return false }

func (c *Call) beforeCommand(*command, *listener) bool { return true }

func (c *Call) reply(_ *command, text string) { c.listener.reply(text) }

func (c *Call) loseJob(string) bool { return c.spec.Faults.LoseJobs }

func (c *Call) refuseStart() bool { return c.spec.Faults.RefuseStart }

// hidden tells whether an API command is not there.
func (s *Switch) hidden(c *Call, name string) bool {
	return c != nil && c.spec.Faults.NoAPI && strings.HasPrefix(name, "uuid_audio_stream")
}

// target is the URL that is really opened.
func (s *stream) target() string { return s.url }
