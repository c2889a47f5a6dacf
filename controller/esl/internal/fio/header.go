package fio

import (
	"iter"
	"strings"
)

// Header holds the headers of an event or a reply by their names as the library folds
// them: Unique-Id, Variable_sip_h_x-foo.
type Header map[string]any

// Get returns the value of a header, found in any case; "" if there is none, or if its
// value is no string (JSON events can hold arrays).
func (h Header) Get(name string) string {
	v, ok := h[fold(name)]
	if !ok {
		v = h.search(name)
	}
	s, _ := v.(string)
	return s
}

// Names yields the names that begin with prefix, in any case and in no order.
func (h Header) Names(prefix string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range h {
			if len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) && !yield(name) {
				return
			}
		}
	}
}

// search finds what the library's folding of names has left in another form;
// the smallest name wins, so that two calls agree.
func (h Header) search(name string) any {
	found := ""
	for k := range h {
		if len(k) == len(name) && strings.EqualFold(k, name) && (found == "" || k < found) {
			found = k
		}
	}
	return h[found]
}

// fold gives a name the form in which the library keeps it.
func fold(name string) string {
	if name == "" || name[0] == '_' {
		return name
	}
	lower := []byte(strings.ToLower(name))
	upper := true
	variable := strings.HasPrefix(string(lower), "variable_")
	for i, c := range lower {
		if upper && 'a' <= c && c <= 'z' {
			lower[i] = c - 'a' + 'A'
		}
		upper = !variable && (c == '-' || c == '_')
	}
	return string(lower)
}
