package controller

import (
	"time"

	"go.uber.org/zap/zapcore"

	"tapdeck/controller/flow"
)

// Result is how a call ended: one word of a closed list, the same in the log,
// the metrics, the JSON record and the admin pages.
type Result string

// The ends of a call.
const (
	// Completed is a call whose plan was carried out to its end.
	Completed Result = "completed"
	// CallerHangup is a call that the caller's side ended before its plan did.
	CallerHangup Result = "caller_hangup"
	// SwitchHangup is a call that the switch ended before its plan did: an operator, a
	// scheduled hangup, or its shutdown.
	SwitchHangup Result = "switch_hangup"
	// Transferred is a call whose plan gave it to another extension.
	Transferred Result = "transferred"
	// StreamFailed is a call whose stream never connected, or dropped for good.
	StreamFailed Result = "stream_failed"
	// AgentFailed is a call whose bot could not be reached or heard, or was lost for good.
	AgentFailed Result = "agent_failed"
	// SwitchLost is a call whose event socket ended before the call did, or that something else
	// has taken over: a transfer, a bridge or a park that tapdeck did not ask for.
	SwitchLost Result = "switch_lost"
	// Refused is a call that tapdeck has no room for: over max_calls or max_streams, without a
	// disk, while draining, or behind an earlier call of its channel that does not end.
	Refused Result = "refused"
	// Misconfigured is a call whose dialplan line can't work.
	Misconfigured Result = "misconfigured"
	// Aborted is a call that a shutdown ended, or, in a recovered record, one whose end tapdeck
	// did not see: it crashed, or was killed.
	Aborted Result = "aborted"
	// Failed is a call that ended for a reason that is none of the others.
	Failed Result = "error"
)

// Results are all results, in the order in which they are documented.
func Results() []Result {
	return []Result{Completed, CallerHangup, SwitchHangup, Transferred, StreamFailed, AgentFailed, SwitchLost, Refused, Misconfigured, Aborted, Failed}
}

// level is the level of the log line with which a call ends.
func (o *Outcome) level() zapcore.Level {
	if o.Result == Transferred && o.Err != "" {
		return zapcore.WarnLevel
	}
	return o.Result.level()
}

func (r Result) level() zapcore.Level {
	switch r {
	case Completed, CallerHangup, SwitchHangup, Transferred: // to end a call is an operator's right
		return zapcore.InfoLevel
	case Misconfigured, Failed:
		return zapcore.ErrorLevel
	}
	return zapcore.WarnLevel
}

// Who hung a call up.
const (
	byCaller  = "caller"
	byTapdeck = "tapdeck"
	bySwitch  = "switch"
)

// Info says which call it is.
type Info struct {
	// UUID is the channel's id: a UUID in canonical lower-case form, another id as it is; see CallID.
	UUID string
	// Caller and Destination are the numbers as the dialplan saw them.
	Caller, Destination string
	// Plan is the name of the plan that the call follows.
	Plan string
	// Peer is the address of the switch's end of the event socket.
	Peer string
	// Started is when the connection was accepted.
	Started time.Time
	// Variables are those of Config.Variables that the channel had when it came; nil if none. A
	// value is valid UTF-8, of 1,024 bytes at most. The map is never changed.
	Variables map[string]string
}

// Timeline are the moments of a call in order: "connect", when the channel's data had come, those
// of the plan's steps by their names, when they began (but answer: when the call was answered),
// "stop", when the stream was stopped, and "hangup", when the channel was hung up.
type Timeline []Moment

// Moment is one moment of a call. Its name may come again.
type Moment struct {
	Name string
	At   time.Time
}

// At returns when a name came first, the zero time if it never did.
func (t Timeline) At(name string) time.Time {
	for _, m := range t {
		if m.Name == name {
			return m.At
		}
	}
	return time.Time{}
}

// Outcome is what the controller knows of a call that has ended.
type Outcome struct {
	// Result is the one word.
	Result Result
	// HangupCause is FreeSWITCH's name for it, such as NORMAL_CLEARING; empty if it is not known.
	HangupCause string
	// HungUpBy is "caller", "tapdeck" or "switch", or empty.
	HungUpBy string
	// Notes are what the plan's steps have noted.
	flow.Notes
	// Digits are what the caller has pressed, and DigitsDropped counts those beyond flow.MaxDigits.
	Digits        []flow.Digit
	DigitsDropped int
	// Ended is when the call was over.
	Ended time.Time
	// Timeline is when the steps were reached.
	Timeline Timeline
	// Variables are Info's with what the channel had of them in the end; nil if there are none, or
	// its end was not seen.
	Variables map[string]string
	// Agent is the call's conversation with a bot; nil if there was none.
	Agent *Conversation
	// Transcript is what was said; nil if nothing was to be transcribed.
	Transcript *Transcription
	// Restarts is how many times a dropped stream was started again.
	Restarts int
	// Err says why. It is empty for completed, caller_hangup and transferred, unless the
	// recording or its record could not be kept, or there was nothing to transfer the call to.
	Err string
	// Hint says what to do about Err.
	Hint string
	// Alarms are the controller's alarms of this call, such as "no_socket".
	Alarms []string
}
