package switchsim

import (
	"slices"
	"strings"
	"time"
)

// Report is what happened in one call.
type Report struct {
	// UUID of the channel.
	UUID string
	// Began is when the dialplan reached the socket action.
	Began time.Time
	// Controller is the host:port that answered; "" when none did.
	Controller string
	// Connected is when the controller's TCP connection was there.
	Connected time.Time
	// FirstCommand is when the controller's first command had come.
	FirstCommand time.Time
	// Answered says whether the call was answered; AnsweredAt when.
	Answered   bool
	AnsweredAt time.Time
	// HangupCause is FreeSWITCH's word; HungUpBy is "caller", "controller",
	// "application", "dialplan" or "switch".
	HangupCause, HungUpBy string
	HungUp                time.Time
	// SIPStatus is the final answer to the INVITE of a call that was not answered: 486 for
	// USER_BUSY (F119), 487 if the caller gave up. 0 if it was answered, or is a loopback leg.
	SIPStatus int
	// Streams are the audio streams, in the order of their starts.
	Streams []StreamReport
	// Commands are the lines of the controller's commands; a sendmsg is shown
	// as "execute APPLICATION DATA" or "hangup CAUSE". CommandedAt is when each had come.
	Commands    []string
	CommandedAt []time.Time
	// Executed are the applications that ran.
	Executed []Executed
	// Played is what the switch played.
	Played []Played
	// EventsSent and BytesSent are what the controller was sent.
	EventsSent, BytesSent int64
	// NextAction says that the controller let go (or was never there) and the
	// dialplan went on.
	NextAction bool
	// Stranded says that an event socket ended in a way that leaves the channel with nobody
	// in control, until it is hung up (F8, F94, F95).
	Stranded bool
	// SocketClosed is when the event socket was over.
	SocketClosed time.Time
	// Lingered says that the socket lingered after the hangup.
	Lingered bool
	// Faults are the faults that took place, in order.
	Faults []string

	hearing hearing
}

// Asked says whether the controller has given a command of this API, whatever came of it.
func (r *Report) Asked(api string) bool {
	return slices.ContainsFunc(r.Commands, func(line string) bool { return strings.Contains(line, "api "+api+" ") })
}

// Executed is one application that ran.
type Executed struct {
	Application, Data, UUID string
	// Response is the Application-Response; "" while it runs.
	Response     string
	Began, Ended time.Time
}
