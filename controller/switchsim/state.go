package switchsim

import (
	"strconv"
	"time"
)

// profile is what the switch knows of who calls whom; it never changes.
type profile struct {
	uuid, caller, destination string
	name                      string // the channel's name
	loopback                  bool
	created                   time.Time
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
	media        bool   // codecs are known
	early        time.Time
	answered     time.Time
	hungup       time.Time
	vars         *variables
}

// lines writes the channel's part of an event.
func (st *state) lines(w *writer, bare bool) {
	st.channelLines(w)
	st.profileLines(w, "Caller")
	if !bare {
		st.vars.lines(w)
	}
}

func (st *state) channelLines(w *writer) {
	w.add("Channel-State", st.channelState)
	w.add("Channel-Call-State", st.callState)
	w.add("Channel-State-Number", strconv.Itoa(st.number))
	w.add("Channel-Name", st.name)
	w.add("Unique-ID", st.uuid)
	w.add("Call-Direction", "inbound")
	w.add("Presence-Call-Direction", "inbound")
	w.add("Channel-HIT-Dialplan", "true")
	w.add("Channel-Call-UUID", st.uuid)
	w.add("Answer-State", st.answerState)
	if st.cause != "" {
		w.add("Hangup-Cause", st.cause)
	}
	if !st.media {
		return
	}
	codec, bits := "PCMU", "64000"
	if st.loopback {
		codec, bits = "L16", "128000"
	}
	for _, way := range [...]string{"Read", "Write"} {
		w.add("Channel-"+way+"-Codec-Name", codec)
		w.add("Channel-"+way+"-Codec-Rate", "8000")
		w.add("Channel-"+way+"-Codec-Bit-Rate", bits)
	}
}

// profileLines writes the caller profile under a prefix: "Caller" in every
// event, "Channel" at the head of the connect reply.
func (st *state) profileLines(w *writer, prefix string) {
	for _, h := range st.who() {
		w.add(prefix+"-"+h.name, h.value)
	}
	for _, h := range [...]header{
		{"Profile-Index", "1"},
		{"Profile-Created-Time", micros(st.created)},
		{"Channel-Created-Time", micros(st.created)},
		{"Channel-Answered-Time", micros(st.answered)},
		{"Channel-Progress-Time", "0"},
		{"Channel-Progress-Media-Time", micros(st.early)},
		{"Channel-Hangup-Time", micros(st.hungup)},
		{"Channel-Transfer-Time", "0"},
		{"Channel-Resurrect-Time", "0"},
		{"Channel-Bridged-Time", "0"},
		{"Channel-Last-Hold", "0"},
		{"Channel-Hold-Accum", "0"},
		{"Screen-Bit", "true"},
		{"Privacy-Hide-Name", "false"},
		{"Privacy-Hide-Number", "false"},
	} {
		w.add(prefix+"-"+h.name, h.value)
	}
}

// who writes the parties: a SIP call and a loopback leg differ.
func (st *state) who() []header {
	if st.loopback {
		return []header{
			{"Direction", "inbound"},
			{"Logical-Direction", "inbound"},
			{"Dialplan", "xml"},
			{"Caller-ID-Number", st.caller},
			{"Orig-Caller-ID-Number", st.caller},
			{"Callee-ID-Name", "Outbound Call"},
			{"Callee-ID-Number", "default"},
			{"ANI", st.caller},
			{"Destination-Number", st.destination},
			{"Unique-ID", st.uuid},
			{"Source", "mod_loopback"},
			{"Context", "default"},
			{"Channel-Name", st.name},
		}
	}
	return []header{
		{"Direction", "inbound"},
		{"Logical-Direction", "inbound"},
		{"Username", st.caller},
		{"Dialplan", "XML"},
		{"Caller-ID-Name", "simulated"},
		{"Caller-ID-Number", st.caller},
		{"Orig-Caller-ID-Name", "simulated"},
		{"Orig-Caller-ID-Number", st.caller},
		{"Network-Addr", "127.0.0.1"},
		{"ANI", st.caller},
		{"Destination-Number", st.destination},
		{"Unique-ID", st.uuid},
		{"Source", "mod_sofia"},
		{"Context", "default"},
		{"Channel-Name", st.name},
	}
}

// connectReply is the answer to connect: an event's lines without the outer
// headers, the profile twice, and the mode of the socket last.
func (s *Switch) connectReply(st *state, async, full bool) []byte {
	w := &writer{buf: make([]byte, 0, 6<<10)}
	s.eventLines(w, "CHANNEL_DATA", calling{"mod_event_socket.c", "parse_command", 2021})
	st.profileLines(w, "Channel")
	st.lines(w, false)
	w.add("Content-Type", "command/reply")
	w.add("Reply-Text", "+OK\n")
	mode, control := "static", "single-channel"
	if async {
		mode = "async"
	}
	if full {
		control = "full"
	}
	w.add("Socket-Mode", mode)
	w.add("Control", control)
	return append(w.buf, '\n')
}
