package switchsim

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"tapdeck/controller/switchsim/audio"
	"tapdeck/controller/switchsim/capture"
	"tapdeck/controller/switchsim/eventsocket"
)

// profile is what the switch knows of who calls whom; it never changes.
type profile struct {
	uuid, caller, destination, session string

	capture          *capture.Capture
	created          time.Time
	noTelephoneEvent bool
}

// state is a channel as its events show it: the parts that change. Events
// hold copies, the variables are shared with the channel and never written to.
type state struct {
	*profile
	channelState string // CS_EXECUTE …
	number       int
	callState    string // RINGING, EARLY, ACTIVE, HANGUP
	answerState  string // ringing, early, answered, hangup
	cause        string // hangup cause, once hung up
	hungUpBy     string // as Report has it
	media        bool   // codecs are known
	rate         int    // of the codec, in Hz
	early        time.Time
	answered     time.Time
	hungup       time.Time
	vars         *variables
}

// value is what ${name} in a captured frame stands for.
func (st *state) value(name string) string {
	switch name {
	case "uuid":
		return st.uuid
	case "short":
		return st.uuid[:min(8, len(st.uuid))]
	case "other":
		return otherLeg(st.uuid)
	case "caller":
		return st.caller
	case "destination":
		return st.destination
	case "session":
		return st.session
	case "state":
		return st.channelState
	case "state-number":
		return strconv.Itoa(st.number)
	case "call-state":
		return st.callState
	case "answer-state":
		return st.answerState
	case "cause":
		return st.cause
	}
	return st.derived(name)
}

// derived is a value that is made of others.
func (st *state) derived(name string) string {
	switch name {
	case "media":
		if st.media {
			return "true"
		}
		return ""
	case "channel-name":
		return st.vars.get("channel_name")
	case "application":
		return st.vars.get("current_application")
	case "data":
		return st.vars.get("current_application_data")
	case "bye":
		return st.disposition()
	case "q850":
		return strconv.Itoa(q850(st.cause))
	case "packets":
		return strconv.FormatInt(st.packets(), 10)
	case "bytes":
		return strconv.FormatInt(172*st.packets(), 10)
	}
	if value, known := st.negotiated(name); known {
		return value
	}
	return st.inTime(name)
}

// disposition is how the SIP dialog ended (F119).
func (st *state) disposition() string {
	switch {
	case st.answered.IsZero() && st.hungUpBy == byCaller:
		return "recv_cancel"
	case st.answered.IsZero():
		return "send_refuse"
	case st.hungUpBy == byCaller:
		return "recv_bye"
	}
	return "send_bye"
}

// refusal is the final answer to an INVITE that was not accepted, or 0.
func (st *state) refusal(loopback bool) int {
	switch {
	case loopback || !st.answered.IsZero():
		return 0
	case st.hungUpBy == byCaller:
		return sipStatus("ORIGINATOR_CANCEL")
	}
	return sipStatus(st.cause)
}

// negotiated is a value that the caller's offer decides: a codec of 8000 Hz is PCMU, any other
// L16; telephone-event is there or not (F115).
func (st *state) negotiated(name string) (value string, known bool) {
	event := func(yes, no string) (string, bool) {
		if st.noTelephoneEvent {
			return no, true
		}
		return yes, true
	}
	switch name {
	case "rate":
		return strconv.Itoa(st.rate), true
	case "codec":
		if st.rate == 8000 {
			return "PCMU", true
		}
		return "L16", true
	case "bit-rate":
		if st.rate == 8000 {
			return "64000", true
		}
		return strconv.Itoa(16 * st.rate), true
	case "dtmf-type":
		return event("rfc2833", "info")
	case "telephone-event":
		return event("101", "")
	case "sdp-payload":
		return event(" 101", "")
	case "sdp-attributes":
		return event("a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n", "")
	}
	return "", false
}

// packets is how many RTP packets a faultless call had by its hangup.
func (st *state) packets() int64 {
	if st.early.IsZero() {
		return 0
	}
	return audio.Frames(st.hungup.Sub(st.early))
}

// inTime is a value like "created us" or "answered..hungup ms": a moment of the
// call, or the time between two, in a unit. A moment that has not come is 0.
func (st *state) inTime(name string) string {
	what, unit, isTime := strings.Cut(name, " ")
	if !isTime {
		return ""
	}
	from, to, isSpan := strings.Cut(what, "..")
	if !isSpan {
		return formatTime(st.moment(from), unit)
	}
	begin, end := st.moment(from), st.moment(to)
	if begin.IsZero() || end.IsZero() {
		return "0"
	}
	d := end.Sub(begin)
	switch unit {
	case "s":
		return strconv.FormatInt(int64(d.Seconds()), 10)
	case "ms":
		return strconv.FormatInt(d.Milliseconds(), 10)
	}
	return strconv.FormatInt(d.Microseconds(), 10)
}

func (st *state) moment(name string) time.Time {
	switch name {
	case "created":
		return st.created
	case "media":
		return st.early
	case "answered":
		return st.answered
	case "hungup":
		return st.hungup
	}
	return time.Time{}
}

// formatTime writes a time as FreeSWITCH does; a stamp of none is "".
func formatTime(t time.Time, unit string) string {
	switch {
	case unit == "stamp" && t.IsZero():
		return ""
	case t.IsZero():
		return "0"
	case unit == "stamp" || unit == "local":
		return t.Format("2006-01-02 15:04:05")
	case unit == "gmt":
		return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
	case unit == "s":
		return strconv.FormatInt(t.Unix(), 10)
	}
	return strconv.FormatInt(t.UnixMicro(), 10)
}

// otherLeg is the other leg's UUID: any one that is not this.
func otherLeg(id string) string {
	if strings.HasPrefix(id, "0") {
		return "1" + id[1:]
	}
	return "0" + id[1:]
}

// write writes a frame's headers. own are the values that only this frame has.
func (s *Switch) write(w *capture.Writer, f *capture.Frame, st *state, own []header) {
	now := time.Now()
	value := func(name string) string {
		for i := range own {
			if own[i].Name == name {
				return own[i].Value
			}
		}
		if unit, isNow := strings.CutPrefix(name, "now "); isNow {
			return formatTime(now, unit)
		}
		switch name {
		case "core":
			return s.core
		case "sequence":
			return strconv.FormatInt(s.sequence.Add(1), 10)
		}
		return st.value(name)
	}
	w.Frame(st.capture, f, value, st.vars.write)
}

// event makes an event of a channel, or of none, from the captured frame of that
// name.
func (s *Switch) event(frame, body string, st *state, own []header) *eventsocket.Event {
	f := st.capture.Frame(frame)
	name, _, _ := strings.Cut(frame, " ")
	return &eventsocket.Event{
		Name: name, UUID: st.uuid, Body: body,
		Headers: func(w *capture.Writer) { s.write(w, f, st, own) },
	}
}

// ofNone is the state of no channel.
var ofNone = sync.OnceValue(func() *state {
	return &state{profile: &profile{capture: capture.SIP()}, vars: &variables{}}
})

// jobEvent is the answer to bgapi (F15).
func (s *Switch) jobEvent(id, owner, line, body string) *eventsocket.Event {
	command, argument, _ := strings.Cut(line, " ")
	e := s.event("BACKGROUND_JOB", body, ofNone(), []header{
		{Name: "job", Value: id}, {Name: "owner", Value: owner}, {Name: "command", Value: command}, {Name: "argument", Value: argument},
	})
	e.Owner = owner
	return e
}

// connectReply is the answer to connect (F1).
func (s *Switch) connectReply(st *state, async, full bool) string {
	mode, control := "static", "single-channel"
	if async {
		mode = "async"
	}
	if full {
		control = "full"
	}
	w := capture.NewWriter(false)
	s.write(w, st.capture.Frame("connect"), st, []header{{Name: "mode", Value: mode}, {Name: "control", Value: control}})
	return string(w.Text()) + "\n"
}
