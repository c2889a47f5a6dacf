package fio

import (
	"bytes"
	"encoding/json"
	"strings"
)

// anyEvent says whether the library survives any JSON: it must be an object of which no
// key is empty, whose _body is a string or missing, and which encoding/json decodes.
func anyEvent(body []byte) bool {
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return false
	}
	if _, empty := fields[""]; empty {
		return false
	}
	switch fields[bodyMember].(type) {
	case string, nil:
		return true
	}
	return false
}

// flatEvent says whether body is what FreeSWITCH writes, which the library survives:
// {"name":"value","name":["value","value"]}, no blanks, no \u. It does so in one pass and
// without an allocation. It appends to members where those begin and end that names lists.
func flatEvent(body []byte, names Names, members [][2]int) ([][2]int, bool) {
	s := flatScanner{body}
	for separator := byte('{'); s.scan(separator); separator = ',' {
		begin := len(body) - len(s.rest)
		key, plain := s.text()
		if !plain || len(key) == 0 || !s.scan(':') {
			return nil, false
		}
		array, valid := s.value()
		if !valid || array && string(key) == bodyMember {
			return nil, false
		}
		if names != nil && names.Has(key) {
			members = append(members, [2]int{begin, len(body) - len(s.rest)})
		}
	}
	return members, bytes.HasPrefix(body, []byte{'{'}) && s.scan('}') && len(s.rest) == 0
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
	for first := true; !s.scan(']'); first = false {
		if !first && !s.scan(',') || !s.skipText() {
			return true, false
		}
	}
	return true, true
}

// text scans a string without escapes and returns what is in it.
func (s *flatScanner) text() (text []byte, plain bool) {
	before := s.rest
	if !s.skipText() {
		return nil, false
	}
	text = before[1 : len(before)-len(s.rest)-1]
	return text, bytes.IndexByte(text, '\\') < 0
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
			i++
			if i == len(s.rest) || strings.IndexByte(`"\/bfnrt`, s.rest[i]) < 0 {
				return false
			}
		}
	}
	return false
}
