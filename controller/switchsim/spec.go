package switchsim

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

var (
	errNoAddress  = errors.New("address is empty")
	errPacketTime = errors.New("packet time must be 20, 30, 40 or 60 ms")
	errRate       = errors.New("rate must be 8000 or 16000")
)

// CallSpec describes one call. Only Address is needed.
type CallSpec struct {
	// Address is what the socket action is given: host:port[/path], or a
	// fail-over list "a|b" (F4).
	Address string
	// Arguments is the rest of the socket action: "async full" when empty.
	// "none" stands for no arguments at all.
	Arguments string
	// UUID of the channel; made up when empty.
	UUID string
	// Caller is the calling number, Destination the dialled one; "1001" and
	// "9999" when empty.
	Caller, Destination string
	// Variables are further channel variables. A value "ARRAY::a|:b" is an
	// array, and is one in a JSON event.
	Variables map[string]string
	// Voice is what the caller says, from the answer on. nil is a caller who
	// sends no RTP: constant -1.
	Voice *Voice
	// HangupAfter is when the caller hangs up, in media time after the
	// answer; 0 is never.
	HangupAfter time.Duration
	// RingHangup is when the caller gives up if the call is not answered by
	// then, in media time after the call began; 0 is never.
	RingHangup time.Duration
	// DTMF are the digits that the caller presses.
	DTMF []Digit
	// NoTelephoneEvent is a caller whose SDP offers no telephone-event (F115).
	NoTelephoneEvent bool
	// Leg is what the caller's leg does to the frames of its streams: holds, changes of
	// the codec, packets of more than 20 ms.
	Leg Leg
	// Before are the dialplan's actions before socket.
	Before []Action
	// Then are the dialplan's actions after socket. When they have run, the
	// call is hung up.
	Then []Action
	// Extensions are what the call may be transferred to: by number, or by "NUMBER CONTEXT" in
	// another context than default. Any other number ends the call, but for Destination, which begins
	// this extension again (F9, F120). If there are none, any other number goes on with Then.
	Extensions map[string][]Action
	// Loopback gives the channel the shape of a loopback leg (no SIP
	// variables) as `originate loopback/…` does.
	Loopback bool
	// Faults is how the switch misbehaves in this call.
	Faults Faults
	// Progress is told the steps of the call as they happen, by the call's
	// own goroutines: it must not block. May be nil.
	Progress func(Event)
}

// Event is one step of a call.
type Event struct {
	// Time is when it happened.
	Time time.Time
	// UUID is the channel's.
	UUID string
	// Step is what happened: "connected", "answered", "execute", "playing",
	// "complete", "stream start", "stream connected", "stream end", "hangup", "destroyed".
	Step string
	// Detail is the application and its data, what is played, the URL, or the cause.
	Detail string
}

// complete fills in what is left out and checks the rest.
func (spec *CallSpec) complete() error {
	if strings.TrimSpace(spec.Address) == "" {
		return errNoAddress
	}
	if spec.Arguments == "" {
		spec.Arguments = "async full"
	}
	if spec.Arguments == "none" {
		spec.Arguments = ""
	}
	if spec.UUID == "" {
		spec.UUID = uuid.NewString()
	}
	if spec.Caller == "" {
		spec.Caller = "1001"
	}
	if spec.Destination == "" {
		spec.Destination = "9999"
	}
	switch spec.Leg.PacketTime {
	case 0, 20 * time.Millisecond, 30 * time.Millisecond, 40 * time.Millisecond, 60 * time.Millisecond:
	default:
		return fmt.Errorf("packet time %v: %w", spec.Leg.PacketTime, errPacketTime)
	}
	if spec.Voice != nil && spec.Voice.Rate != 8000 && spec.Voice.Rate != 16000 {
		return fmt.Errorf("voice rate %d Hz: %w", spec.Voice.Rate, errRate)
	}
	return nil
}

func hasWord(s, word string) bool {
	for _, w := range strings.Fields(s) {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}
