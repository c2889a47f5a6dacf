package fio

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"tapdeck/controller/esl/internal/frame"
)

// bodyMember is the member of a JSON event that the library makes the event's body.
const bodyMember = "_body"

// Names are names of headers, in any case; nil stands for every name.
type Names []listedName

// listedName is in ASCII; open stands for all names that begin so.
type listedName struct {
	stem string
	open bool
}

// NewNames returns the names of list, of which those that end in * are open, and the
// names that the protocol itself needs. An empty list stands for every name.
func NewNames(list []string) Names {
	if len(list) == 0 {
		return nil
	}
	names := Names{}
	for _, name := range append([]string{"Event-Name", "Event-Subclass", bodyMember, "Content-Type", "Content-Length", "Reply-Text", "Job-UUID"}, list...) {
		stem, open := strings.CutSuffix(name, "*")
		names = append(names, listedName{stem, open})
	}
	return names
}

// Has says whether a name is among the names. One that folds in a way that ASCII does
// not always is.
func (n Names) Has(name []byte) bool {
	for _, listed := range n {
		if size := len(listed.stem); len(name) == size || listed.open && len(name) > size {
			if frame.EqualFold(name[:size], listed.stem) {
				return true
			}
		}
	}
	for _, c := range name {
		if c >= utf8.RuneSelf {
			return true
		}
	}
	return n == nil
}

// trimReply removes the header lines that names does not list.
func trimReply(f *frame.Frame, names Names) {
	n := 0
	for line := range bytes.Lines(f.Data[:len(f.Data)-len(f.Body)]) {
		name, _, isHeader := bytes.Cut(line, []byte(":"))
		if !isHeader || names.Has(name) { // without a colon: the blank line
			n += copy(f.Data[n:], line)
		}
	}
	f.Data = f.Data[:n+copy(f.Data[n:], f.Body)]
	f.Body = f.Data[n:]
}

// listedMembers finds the members of an event that names lists.
type listedMembers struct {
	names Names
	spans [32][2]int // where they begin and end
	n     int
	many  bool // there are more than spans can hold
}

func (m *listedMembers) note(key []byte, begin, end int) {
	switch {
	case m.names == nil || !m.names.Has(key):
	case m.n == len(m.spans):
		m.many = true
	default:
		m.spans[m.n] = [2]int{begin, end}
		m.n++
	}
}

// trim leaves of the event in f only these members, in their order. If its header
// block is shorter than FreeSWITCH's, there is no room for the new length, and the
// event stays whole.
func (m *listedMembers) trim(f *frame.Frame) {
	size := len("{}") + max(m.n-1, 0) // the commas
	for _, span := range m.spans[:m.n] {
		size += span[1] - span[0]
	}
	var room [64]byte
	head := append(strconv.AppendInt(append(room[:0], "Content-Length: "...), int64(size), 10), "\nContent-Type: text/event-json\n\n"...)
	begin := len(f.Data) - len(f.Body) - len(head)
	if begin < 0 || m.many {
		return
	}
	out := append(append(f.Data[begin:begin], head...), '{') // what is written never overtakes what is read
	for i, span := range m.spans[:m.n] {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, f.Body[span[0]:span[1]]...)
	}
	f.Data = append(out, '}')
	f.Body = f.Data[len(head):]
}
