package switchsim

import (
	"strconv"
	"strings"
	"time"
)

// header is one line of an event.
type header struct{ name, value string }

// event is one event of a channel or of the switch, before it is written in
// the format that a listener has asked for.
type event struct {
	name     string
	subclass string
	calling  calling
	front    []header // before the channel's headers
	channel  *state   // the channel's state when it happened; nil: no channel
	bare     bool     // no variables, as CHANNEL_STATE and DTMF
	extra    []header // after the variables
	body     string
	uuid     string // Unique-ID, for myevents
	owner    string // Job-Owner-UUID, for myevents
}

// calling is where in FreeSWITCH's code an event is made; it says so.
type calling struct {
	file, function string
	line           int
}

// format is how a listener has its events.
type format int

const (
	formatPlain format = iota
	formatJSON
)

func (f format) String() string {
	if f == formatJSON {
		return "json"
	}
	return "plain"
}

// writer builds the lines of one event.
type writer struct {
	buf  []byte
	json bool
}

// add appends one header.
func (w *writer) add(name, value string) {
	if !w.json {
		w.buf = append(w.buf, name...)
		w.buf = append(w.buf, ": "...)
		w.buf = appendEncoded(w.buf, value)
		w.buf = append(w.buf, '\n')
		return
	}
	w.buf = appendString(w.buf, name)
	w.buf = append(w.buf, ':')
	w.buf = appendValue(w.buf, value)
	w.buf = append(w.buf, ',')
}

func (w *writer) addAll(hh []header) {
	for _, h := range hh {
		w.add(h.name, h.value)
	}
}

// wire returns the event as it is sent: the outer headers, then the event.
func (s *Switch) wire(e *event, f format) []byte {
	w := &writer{buf: make([]byte, 0, 8<<10), json: f == formatJSON}
	const room = 64 // for the outer headers, whose length is known at the end
	w.buf = w.buf[:room]
	if w.json {
		w.buf = append(w.buf, '{')
	}
	s.lines(w, e)
	w.end(e.body, e.name == "BACKGROUND_JOB")
	outer := "Content-Length: " + strconv.Itoa(len(w.buf)-room) + "\nContent-Type: text/event-" + f.String() + "\n\n"
	return append(w.buf[:room-len(outer)], outer...)[room-len(outer) : len(w.buf)]
}

// end closes the event with its body. A job's answer is a body even when it is
// empty, which only JSON can show.
func (w *writer) end(body string, job bool) {
	has := body != "" || job && w.json
	if has {
		w.add("Content-Length", strconv.Itoa(len(body)))
	}
	if !w.json {
		w.buf = append(w.buf, '\n')
		w.buf = append(w.buf, body...)
		return
	}
	if has {
		w.add("_body", body)
	}
	w.buf[len(w.buf)-1] = '}'
}

// lines writes the headers of an event in FreeSWITCH's order.
func (s *Switch) lines(w *writer, e *event) {
	if e.subclass != "" {
		w.add("Event-Subclass", e.subclass)
	}
	s.eventLines(w, e.name, e.calling)
	w.addAll(e.front)
	if e.channel != nil {
		e.channel.lines(w, e.bare)
	}
	w.addAll(e.extra)
}

// eventLines writes what every event begins with.
func (s *Switch) eventLines(w *writer, name string, from calling) {
	now := time.Now()
	w.add("Event-Name", name)
	w.add("Core-UUID", s.core)
	w.add("FreeSWITCH-Hostname", "simulated")
	w.add("FreeSWITCH-Switchname", "switchsim")
	w.add("FreeSWITCH-IPv4", "127.0.0.1")
	w.add("FreeSWITCH-IPv6", "::1")
	w.add("Event-Date-Local", now.Format("2006-01-02 15:04:05"))
	w.add("Event-Date-GMT", now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	w.add("Event-Date-Timestamp", micros(now))
	if from != (calling{}) {
		w.add("Event-Calling-File", from.file)
		w.add("Event-Calling-Function", from.function)
		w.add("Event-Calling-Line-Number", strconv.Itoa(from.line))
	}
	w.add("Event-Sequence", strconv.FormatInt(s.sequence.Add(1), 10))
}

// micros is a time as FreeSWITCH writes it; a zero time is 0.
func micros(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return strconv.FormatInt(t.UnixMicro(), 10)
}

// unsafeInURL are the characters below 0x7f that FreeSWITCH encodes besides
// the control characters.
const unsafeInURL = " #%&+:;<=>?@[\\]^`{|}\""

// appendEncoded appends the value as plain events and the connect reply have it.
func appendEncoded(buf []byte, value string) []byte {
	const hexDigits = "0123456789ABCDEF"
	for i := range len(value) {
		b := value[i]
		if b > ' ' && b < 0x7f && strings.IndexByte(unsafeInURL, b) < 0 {
			buf = append(buf, b)
			continue
		}
		buf = append(buf, '%', hexDigits[b>>4], hexDigits[b&15])
	}
	return buf
}

// appendValue appends a JSON string, or an array for an array variable.
func appendValue(buf []byte, value string) []byte {
	list, isArray := strings.CutPrefix(value, "ARRAY::")
	if !isArray {
		return appendString(buf, value)
	}
	buf = append(buf, '[')
	for i, v := range strings.Split(list, "|:") {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = appendString(buf, v)
	}
	return append(buf, ']')
}

// appendString appends a JSON string: bytes beyond ASCII go out as they are.
func appendString(buf []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	buf = append(buf, '"')
	for i := range len(s) {
		switch b := s[i]; {
		case b == '"' || b == '\\':
			buf = append(buf, '\\', b)
		case b == '\n':
			buf = append(buf, '\\', 'n')
		case b == '\r':
			buf = append(buf, '\\', 'r')
		case b == '\t':
			buf = append(buf, '\\', 't')
		case b < 0x20:
			buf = append(buf, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
		default:
			buf = append(buf, b)
		}
	}
	return append(buf, '"')
}
