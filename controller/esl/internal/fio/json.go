package fio

import "encoding/json"

// anyEvent says whether the library survives any JSON: it must be an object of which no key is empty, whose
// _body is a string or missing, and which encoding/json decodes.
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
// sure of anything else. Each member is noted in members.
func flatEvent(body []byte, members *listedMembers) (ok, sure bool) {
	s := flatScanner{body}
	if !s.scan('{') {
		return false, false
	}
	for {
		begin := len(body) - len(s.rest)
		key, plain := s.text()
		if !plain || !s.scan(':') {
			return false, false
		}
		array, valid := s.value()
		if !valid {
			return false, false
		}
		if len(key) == 0 || array && string(key) == bodyMember {
			return false, false
		}
		members.note(key, begin, len(body)-len(s.rest))
		switch {
		case s.scan(','):
		case s.scan('}'):
			return len(s.rest) == 0, len(s.rest) == 0
		default:
			return false, false
		}
	}
}

// flatScanner scans tokens at the front of rest.
type flatScanner struct{ rest []byte }

func (s *flatScanner) scan(c byte) bool {
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// value scans a string or an array of strings.
func (s *flatScanner) value() (array, valid bool) {
	if !s.scan('[') {
		return false, s.skipText()
	}
	if s.scan(']') {
		return true, true
	}
	for {
		if !s.skipText() {
			return true, false
		}
		if s.scan(']') {
			return true, true
		}
		if !s.scan(',') {
			return true, false
		}
	}
}

// text scans a string without escapes and returns what is in it.
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

// skipText scans a string.
func (s *flatScanner) skipText() bool {
	if !s.scan('"') {
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
