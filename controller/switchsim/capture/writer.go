package capture

import (
	"strconv"
	"strings"
)

// Writer builds the text of one event, in either format of the event socket.
type Writer struct {
	buf  []byte
	json bool
}

// NewWriter returns a Writer of JSON, or of plain events.
func NewWriter(json bool) *Writer {
	w := &Writer{json: json}
	return w
}

// JSON says which format it is.
func (w *Writer) JSON() bool { return w.json }

// Text returns what has been written.
func (w *Writer) Text() []byte { return w.buf }

// Raw appends text that was written before, in the same format.
func (w *Writer) Raw(text []byte) { w.buf = append(w.buf, text...) }

// Add appends one header.
func (w *Writer) Add(name, value string) {
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

// Frame appends the headers of a frame of c. variables are the channel's, as they
// are now; of a frame without a channel nil.
func (w *Writer) Frame(c *Capture, f *Frame, v Values, variables func(*Writer)) {
	f.head.write(w, v)
	if f.Channel {
		c.channel.write(w, v)
	}
	if f.Channel && (f.Variables || len(f.Set) > 0) {
		variables(w)
	}
	f.tail.write(w, v)
}

// room is for the outer headers of an event, whose length is known at the end.
const room = 64

// Event returns an event as it is sent, outer headers included; write writes its
// headers. A job's answer is a body even when it is empty, which only JSON can show.
func Event(json bool, write func(*Writer), body string, isJob bool) []byte {
	w := &Writer{buf: make([]byte, room, 8<<10), json: json}
	format := "plain"
	if json {
		format = "json"
		w.buf = append(w.buf, '{')
	}
	write(w)
	w.end(body, isJob)
	outer := "Content-Length: " + strconv.Itoa(len(w.buf)-room) + "\nContent-Type: text/event-" + format + "\n\n"
	begin := room - len(outer)
	copy(w.buf[begin:], outer)
	return w.buf[begin:]
}

// end closes the event with its body.
func (w *Writer) end(body string, isJob bool) {
	has := body != "" || isJob && w.json
	if has {
		w.Add("Content-Length", strconv.Itoa(len(body)))
	}
	if !w.json {
		w.buf = append(w.buf, '\n')
		w.buf = append(w.buf, body...)
		return
	}
	if has {
		w.Add("_body", body)
	}
	w.buf[len(w.buf)-1] = '}'
}

// unsafeInURL are the characters below 0x7f that FreeSWITCH encodes besides
// the control characters.
const unsafeInURL = " #%&+:;<=>?@[\\]^`{|}\""

const (
	upperHex = "0123456789ABCDEF"
	lowerHex = "0123456789abcdef"
)

// appendEncoded appends the value as plain events and the connect reply have it.
func appendEncoded(buf []byte, value string) []byte {
	for i := range len(value) {
		b := value[i]
		if b > ' ' && b < 0x7f && (strings.IndexByte(unsafeInURL, b) < 0 || looksEncoded(value[i:])) {
			buf = append(buf, b)
			continue
		}
		buf = append(buf, '%', upperHex[b>>4], upperHex[b&15])
	}
	return buf
}

// looksEncoded says that text begins with a % that the switch takes for an encoded character, and
// leaves alone (F123).
func looksEncoded(text string) bool {
	return len(text) > 2 && text[0] == '%' && strings.IndexByte(upperHex, text[1]) >= 0 && strings.IndexByte(upperHex, text[2]) >= 0
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

func appendString(buf []byte, s string) []byte {
	return append(appendEscaped(append(buf, '"'), s), '"')
}

// appendEscaped appends what is between the quotes of a JSON string: bytes beyond
// ASCII go out as they are.
func appendEscaped(buf []byte, s string) []byte {
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
			buf = append(buf, '\\', 'u', '0', '0', lowerHex[b>>4], lowerHex[b&15])
		default:
			buf = append(buf, b)
		}
	}
	return buf
}
