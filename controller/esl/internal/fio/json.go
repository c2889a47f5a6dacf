package esl

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// jsonEvent says whether the library takes the body of a text/event-json frame.
func jsonEvent(body []byte) bool {
	if ok, sure := flatEvent(body, nil); sure {
		return ok
	}
	return anyEvent(body)
}

// anyEvent judges any JSON: it must be an object of which no key is empty, whose
// _body is a string if it is there, and which encoding/json decodes.
func anyEvent(body []byte) bool {
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return false
	}
	if _, empty := fields[""]; empty {
		return false
	}
	switch fields["_body"].(type) {
	case string, nil:
		return true
	}
	return false
}

// flatEvent judges what FreeSWITCH writes, in one pass and without an
// allocation: {"name":"value","name":["value","value"]}, no blanks. It is not
// sure of anything else. Each member is shown to members, unless that is nil.
func flatEvent(body []byte, members *wantedMembers) (ok, sure bool) {
	s := flatScanner{body}
	if !s.take('{') {
		return false, false
	}
	for {
		begin := len(body) - len(s.rest)
		key, plain := s.text()
		if !plain || !s.take(':') {
			return false, false
		}
		array, valid := s.value()
		if !valid {
			return false, false
		}
		if len(key) == 0 || array && string(key) == bodyMember {
			return false, false
		}
		if members != nil {
			members.see(key, begin, len(body)-len(s.rest))
		}
		switch {
		case s.take(','):
		case s.take('}'):
			return len(s.rest) == 0, len(s.rest) == 0
		default:
			return false, false
		}
	}
}

// bodyMember is the member of an event that the library takes for its body.
const bodyMember = "_body"

// wantedMembers finds the members of an event that somebody wants.
type wantedMembers struct {
	names []wantedName
	spans [32][2]int // where they begin and end
	n     int
	many  bool // there are more than spans can hold
}

func (w *wantedMembers) see(key []byte, begin, end int) {
	switch {
	case !wants(w.names, key):
	case w.n == len(w.spans):
		w.many = true
	default:
		w.spans[w.n] = [2]int{begin, end}
		w.n++
	}
}

// wantedName is a name that is wanted, in ASCII; open stands for all that begin so.
type wantedName struct {
	name string
	open bool
}

// wants says whether a name is among names, in any case. One that folds in a way that
// ASCII does not is wanted, too.
func wants(names []wantedName, name []byte) bool {
	for _, n := range names {
		if len(name) == len(n.name) || n.open && len(name) > len(n.name) {
			if equalFold(name[:len(n.name)], n.name) {
				return true
			}
		}
	}
	for _, c := range name {
		if c >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// trim leaves of the event in f only these members, in their order. A header block
// that is shorter than FreeSWITCH's leaves no room for the new length; such an event
// stays whole.
func (w *wantedMembers) trim(f *frame) {
	size := len("{}") + max(w.n-1, 0) // the commas
	for _, span := range w.spans[:w.n] {
		size += span[1] - span[0]
	}
	var room [64]byte
	head := append(strconv.AppendInt(append(room[:0], "Content-Length: "...), int64(size), 10), "\nContent-Type: text/event-json\n\n"...)
	begin := len(f.data) - len(f.body) - len(head)
	if begin < 0 || w.many {
		return
	}
	out := append(append(f.data[begin:begin], head...), '{') // what is written never overtakes what is read
	for i, span := range w.spans[:w.n] {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, f.body[span[0]:span[1]]...)
	}
	f.data = append(out, '}')
	f.body = f.data[len(head):]
}

// flatScanner takes tokens from the front of rest.
type flatScanner struct{ rest []byte }

func (s *flatScanner) take(c byte) bool {
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// value takes a string or an array of strings.
func (s *flatScanner) value() (array, valid bool) {
	if !s.take('[') {
		return false, s.skipText()
	}
	if s.take(']') {
		return true, true
	}
	for {
		if !s.skipText() {
			return true, false
		}
		if s.take(']') {
			return true, true
		}
		if !s.take(',') {
			return true, false
		}
	}
}

// text takes a string without escapes and returns what is in it.
func (s *flatScanner) text() (text []byte, plain bool) {
	before := s.rest
	if !s.skipText() {
		return nil, false
	}
	text = before[1 : len(before)-len(s.rest)-1]
	for _, c := range text {
		if c == '\\' {
			return nil, false
		}
	}
	return text, true
}

// skipText takes a string.
func (s *flatScanner) skipText() bool {
	if !s.take('"') {
		return false
	}
	for i := 0; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return true
		case c < ' ':
			return false
		case c == '\\':
			n := escapeLength(s.rest[i+1:])
			if n == 0 {
				return false
			}
			i += n
		}
	}
	return false
}

// escapeLength returns the length of a valid escape behind its backslash, or 0.
func escapeLength(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch b[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1
	case 'u':
		if len(b) >= 5 && isHex(b[1]) && isHex(b[2]) && isHex(b[3]) && isHex(b[4]) {
			return 5
		}
	}
	return 0
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
