// Package capture holds what the event socket of a real FreeSWITCH sent in one
// SIP call and in one call of a loopback leg, and renders the simulated switch's
// events from it: which headers there are, in which order, and which of their
// values differ from call to call.
//
// The captures are text, embedded and parsed once. A section begins with
// "## NAME" and holds a frame's header lines as they were on the wire, with these
// exceptions. Names and addresses are replaced. ${NAME} is a value that differs
// from call to call. "?NAME " begins a line that is left out while NAME has no
// value. Three lines stand for what most frames have: @event for the section
// event, @channel for the section channel, and @variables for the variables of the
// frame before, without those that follow, which were set between the two, and
// without those of @unset. @body is a body, with its Content-Length.
//
// The package starts no goroutine and knows nothing of sockets.
package capture

import (
	"embed"
	"net/url"
	"strings"
	"sync"
)

//go:embed sip.txt loopback.txt composed.txt
var files embed.FS

// Header is a header of an event, or a channel variable, decoded.
type Header struct{ Name, Value string }

// Values gives the value of ${name} in one frame; "" if there is none.
type Values func(name string) string

// Frame is one frame of the event socket.
type Frame struct {
	// Name is the section's.
	Name string
	// Set are the variables that were set since the frame before, without
	// "variable_"; their values may have ${NAME}.
	Set []Header
	// Channel, Variables and Body say that the frame has the channel's headers,
	// its variables, and a body.
	Channel, Variables, Body bool

	head, tail lines
	text       string
}

// Capture is one call.
type Capture struct {
	// Frames in the order in which they were sent.
	Frames  []*Frame
	channel lines
	byName  map[string]*Frame
}

// SIP returns the captured SIP call.
func SIP() *Capture { return both().sip }

// Loopback returns the captured call of a loopback leg.
func Loopback() *Capture { return both().loopback }

type pair struct{ sip, loopback *Capture }

var both = sync.OnceValue(func() pair {
	composed := sections("composed.txt")
	return pair{
		sip:      parse(append(sections("sip.txt"), composed...)),
		loopback: parse(append(onLoopback(sections("sip.txt")), composed...)),
	}
})

// Frame returns the frame of that name, which must be there.
func (c *Capture) Frame(name string) *Frame {
	f := c.byName[name]
	if f == nil {
		panic("capture has no frame " + name)
	}
	return f
}

// Text returns the frame as it was on the wire, with values that are not encoded.
func (f *Frame) Text(v Values) string { return Expand(f.text, v) }

// Sets returns the variables that the frame set, with their values.
func (f *Frame) Sets(v Values) []Header {
	set := make([]Header, len(f.Set))
	for i, h := range f.Set {
		set[i] = Header{h.Name, Expand(h.Value, v)}
	}
	return set
}

// Expand replaces every ${NAME} in text.
func Expand(text string, v Values) string {
	before, rest, found := strings.Cut(text, "${")
	if !found {
		return text
	}
	name, after, _ := strings.Cut(rest, "}")
	return before + v(name) + Expand(after, v)
}

// section is one section of a file.
type section struct {
	name  string
	lines []string
}

func sections(file string) []section {
	text, err := files.ReadFile(file)
	if err != nil {
		panic(err) // it is embedded
	}
	_, rest, _ := strings.Cut(string(text), "\n## ")
	var all []section
	for part := range strings.SplitSeq(rest, "\n## ") {
		name, body, _ := strings.Cut(part, "\n")
		all = append(all, section{name, strings.Split(strings.TrimRight(body, "\n"), "\n")})
	}
	return all
}

// onLoopback are the sections of a SIP call with those of loopback.txt in their
// place. The variables that SIP set in the others were not set there.
func onLoopback(sip []section) []section {
	own := map[string]section{}
	for _, s := range sections("loopback.txt") {
		own[s.name] = s
	}
	for i, s := range sip {
		if replaced, ok := own[s.name]; ok {
			sip[i] = replaced
			continue
		}
		if isApplication := strings.HasPrefix(s.name, "CHANNEL_EXECUTE"); isApplication {
			continue
		}
		sip[i].lines = nil
		for _, line := range s.lines {
			if !strings.HasPrefix(line, variable) {
				sip[i].lines = append(sip[i].lines, line)
			}
		}
	}
	return sip
}

// variable is how a channel variable's header begins.
const variable = "variable_"

func parse(all []section) *Capture {
	c := &Capture{byName: map[string]*Frame{}}
	var event []string
	for _, s := range all {
		switch s.name {
		case "event":
			event = s.lines
		case "channel":
			c.channel = compile(s.lines)
		default:
			f := parseFrame(s, event)
			c.Frames, c.byName[s.name] = append(c.Frames, f), f
		}
	}
	return c
}

func parseFrame(s section, event []string) *Frame {
	f := &Frame{Name: s.name, text: strings.Join(s.lines, "\n") + "\n"}
	if !strings.Contains(f.text, "\n\n") {
		f.text += "\n" // the end of a frame without a body
	}
	var head, tail []string
	part := &head
	for _, line := range s.lines {
		name, value, _ := strings.Cut(line, ": ")
		variableName, isVariable := strings.CutPrefix(name, variable)
		switch {
		case line == "@event":
			*part = append(*part, event...)
		case line == "@channel":
			f.Channel, part = true, &tail
		case line == "@variables":
			f.Variables = true
		case line == "@body":
			f.Body = true
		case strings.HasPrefix(line, "@unset "): // the switch does so by itself
		case isVariable:
			f.Set = append(f.Set, Header{variableName, decode(value)})
		default:
			*part = append(*part, line)
		}
	}
	f.head, f.tail = compile(head), compile(tail)
	return f
}

// decode undoes the URL encoding, which leaves ${NAME} alone.
func decode(value string) string {
	decoded, err := url.PathUnescape(value)
	if err != nil {
		panic(err) // it is embedded
	}
	return decoded
}
