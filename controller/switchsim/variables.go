package switchsim

import (
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"tapdeck/controller/switchsim/capture"
)

// header is a header, or a channel variable.
type header = capture.Header

// variables are a channel's variables in the order in which they were set. A
// set of them is never changed, with makes the next one: events made before
// keep theirs, and the text of a set is made once.
type variables struct {
	list  []header
	plain atomic.Pointer[[]byte]
	json  atomic.Pointer[[]byte]
}

// write writes all variables, from the text made earlier if there is one.
func (v *variables) write(w *capture.Writer) {
	cache := &v.plain
	if w.JSON() {
		cache = &v.json
	}
	text := cache.Load()
	if text == nil {
		own := capture.NewWriter(w.JSON())
		for _, h := range v.list {
			own.Add("variable_"+h.Name, h.Value)
		}
		made := own.Text()
		text = &made
		cache.Store(text)
	}
	w.Raw(*text)
}

// get returns a variable; unset and empty are the same.
func (v *variables) get(name string) string {
	for i := range v.list {
		if v.list[i].Name == name {
			return v.list[i].Value
		}
	}
	return ""
}

// with returns the variables with changes: an empty value unsets, a variable
// that is set anew comes last (F24).
func (v *variables) with(changes ...header) *variables {
	next := &variables{list: make([]header, 0, len(v.list)+len(changes))}
	next.list = append(next.list, v.list...)
	for _, h := range changes {
		next.set(h)
	}
	return next
}

func (v *variables) set(h header) {
	v.list = slices.DeleteFunc(v.list, func(old header) bool { return old.Name == h.Name })
	if h.Value != "" {
		v.list = append(v.list, h)
	}
}

// initialVariables are those of the captured connect reply, and before the last
// three, which the socket action sets, those of the call.
func initialVariables(st *state, spec *CallSpec) *variables {
	captured := st.capture.Frame("connect").Sets(st.value)
	v := &variables{list: make([]header, 0, len(captured)+len(spec.Variables))}
	for _, h := range captured {
		if h.Name == "call_uuid" {
			for _, name := range slices.Sorted(maps.Keys(spec.Variables)) {
				v.set(header{Name: name, Value: spec.Variables[name]})
			}
			if spec.Faults.OddVariables {
				v.list = append(v.list, oddVariables()...)
			}
		}
		v.set(h)
	}
	v.set(header{Name: "current_application_data", Value: socketData(spec.Address, spec.Arguments)})
	v.set(header{Name: "current_application", Value: "socket"})
	return v
}

// socketData is a socket action's data as the dialplan has it.
func socketData(address, arguments string) string {
	return strings.TrimSpace(address + " " + arguments)
}

// oddVariables are what the fault of that name adds.
func oddVariables() []header {
	return []header{
		{Name: "sip_h_X-Foo(bar)", Value: "1"},
		{Name: "a/b", Value: "slash"},
		{Name: "x[0]", Value: "bracket"},
		{Name: "user@host", Value: "at"},
		{Name: "grüße", Value: "größer als ∞"},
		{Name: "list", Value: "ARRAY::one|:two|:three"},
		{Name: "with blank", Value: "blank"},
		{Name: "colon:name", Value: "colon"},
		{Name: "lines", Value: "first\r\nsecond\tthird"},
		{Name: "quote\"d", Value: `back\slash "quote"`},
	}
}
