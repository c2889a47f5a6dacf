package fio

import (
	"bytes"
	"strconv"
	"strings"

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

// Has says whether a name is among the names.
func (n Names) Has(name []byte) bool {
	for _, listed := range n {
		if size := len(listed.stem); len(name) == size || listed.open && len(name) > size {
			if frame.EqualFold(name[:size], listed.stem) {
				return true
			}
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

// trimEvent leaves of the event in f only these members, in their order. If its header
// block is shorter than FreeSWITCH's, there is no room for the new length, and the
// event stays whole.
func trimEvent(f *frame.Frame, members [][2]int) {
	size := len("{}") + max(len(members)-1, 0) // the commas
	for _, span := range members {
		size += span[1] - span[0]
	}
	var room [64]byte
	head := append(strconv.AppendInt(append(room[:0], "Content-Length: "...), int64(size), 10), "\nContent-Type: text/event-json\n\n"...)
	begin := len(f.Data) - len(f.Body) - len(head)
	if begin < 0 {
		return
	}
	out := append(append(f.Data[begin:begin], head...), '{') // what is written never overtakes what is read
	for i, span := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, f.Body[span[0]:span[1]]...)
	}
	f.Data = append(out, '}')
	f.Body = f.Data[len(head):]
}
