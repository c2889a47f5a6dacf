package esl

import "encoding/json"

// jsonEvent says whether the library takes the body of a text/event-json
// frame: an object of which no key is empty, whose _body is a string if it is
// there, and which encoding/json decodes.
func jsonEvent(body []byte) bool {
	if ok, sure := flatEvent(body); sure {
		return ok
	}
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
// sure of anything else.
func flatEvent(body []byte) (ok, sure bool) {
	s := flatScanner{body}
	if !s.take('{') {
		return false, false
	}
	for {
		key, plain := s.text()
		if !plain || !s.take(':') {
			return false, false
		}
		array, valid := s.value()
		if !valid {
			return false, false
		}
		if len(key) == 0 || array && string(key) == "_body" {
			return false, false
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
