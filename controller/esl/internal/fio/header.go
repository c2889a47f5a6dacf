package fio

import (
	"iter"
	"strings"
)

// Header holds the headers of an event or a reply by their names as the library folds
// them: Unique-Id, Variable_sip_h_x-foo.
type Header map[string]any

// Get returns the value of a header, found in any case; "" if there is none, or if its
// value is no string (JSON events can hold arrays). Of names that differ in their case
// only the smallest counts, so that two calls agree.
func (h Header) Get(name string) string {
	var found string
	var value any
	for k, v := range h {
		if len(k) == len(name) && strings.EqualFold(k, name) && (found == "" || k < found) {
			found, value = k, v
		}
	}
	s, _ := value.(string)
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
