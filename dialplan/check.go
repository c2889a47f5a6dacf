package dialplan

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Severity says how much a Finding matters.
type Severity string

const (
	SeverityError   Severity = "error"   // calls fail because of it
	SeverityWarning Severity = "warning" // it works by chance, or may disturb calls
	SeverityNote    Severity = "note"    // it is worth knowing
)

// Location is a line of a dialplan and what is around it.
type Location struct {
	// Line counts from 1; 0 is the file as a whole.
	Line int
	// Extension and Context are names; empty if the file doesn't name them.
	Extension, Context string
	// Number is the expression of the extension's condition on destination_number.
	Number string
}

// Finding is one thing that is wrong, or worth knowing, in a dialplan.
type Finding struct {
	Location
	Severity Severity
	// Text says what is there and what comes of it; Hint says what to do.
	Text, Hint string
}

// Socket is one socket action.
type Socket struct {
	Location
	// Hosts are the hosts that FreeSWITCH tries, in this order, as host:port.
	Hosts []string
	// Plan is the path of the first host; empty without one.
	Plan string
	// Async and Full are true if the action has these words.
	Async, Full bool
	// Right is true if the action hands calls to the expected controller, async and
	// full.
	Right bool

	place    place
	data     string
	expected bool // one of the hosts is the controller's
	unknown  bool // the hosts depend on the call
	bad      bool // a host is wrong, and a finding says so
	meant    bool // for the controller, as far as one can tell
}

// PlanUse is a place where a dialplan gives a call the plan of a channel variable, which goes
// before the path of a socket action.
type PlanUse struct {
	Location
	Plan string

	place place
}

// Result is what a Check found.
type Result struct {
	// Findings are in the order of the lines.
	Findings []Finding
	// Sockets are all socket actions, right or not.
	Sockets []Socket
	// Plans are the values that actions give tapdeck_plan, but for those of variables.
	Plans []PlanUse
	// Variables are the other tapdeck_ variables that actions set, but for values that
	// depend on the call.
	Variables []VariableUse
}

// Check reads a dialplan, a file or the answer of FreeSWITCH's xml_locate, and returns
// which socket actions reach the controller and what is wrong with the others. If it
// isn't XML, the error names the line.
//
// The controller's hosts are host:port, IPv6 in brackets. A host that is empty, 0.0.0.0
// or [::] stands for any. Without any, every socket action counts as one that should
// reach the controller.
func Check(r io.Reader, hosts []string) (Result, error) {
	c := &checker{controller: hosts, jumps: map[int][]jump{}, course: course{commands: map[string]string{}}}
	c.patterns.compile()
	if err := c.walk(r); err != nil {
		return Result{}, fmt.Errorf("parse dialplan: %w", err)
	}
	c.judge()
	return c.Result, nil
}

// checker collects what Check returns.
type checker struct {
	Result
	patterns
	course
	controller []string // its hosts
	at         Location // of what is looked at
	place      place    // of the action that is looked at
	order      int      // of the last action so far
	began      int      // the order at which the extension begins
	conditions []int    // that are open, of an extension and its conditions
	opened     int      // extensions and conditions so far
	field      string   // of the condition that was opened last
	profile    *profile // that is open
	uses       []use
	media      []mediaUse
	bridges    []place
	pastes     []paste
	profiles   []*profile
	jumps      map[int][]jump // by the extension in which they are
	contexts   [][2]string    // from which, and to which, calls are transferred
}

// report adds a finding about what is looked at.
func (c *checker) report(s Severity, hint, text string, args ...any) {
	c.Findings = append(c.Findings, Finding{Location: c.at, Severity: s, Text: fmt.Sprintf(text, args...), Hint: hint})
}

// judge checks what only the whole dialplan shows.
func (c *checker) judge() {
	reached := false
	for i := range c.Sockets {
		s := &c.Sockets[i]
		s.expected = c.reaches(s.Hosts)
		s.Right = s.expected && s.Async && s.Full
		reached = reached || s.expected
	}
	for i := range c.Sockets {
		s := &c.Sockets[i]
		s.meant = s.expected || s.unknown || s.bad || !reached
	}
	for _, s := range c.Sockets {
		c.at = s.Location
		c.judgeSocket(s, reached)
	}
	c.judgeUses()
	c.judgeMedia()
	c.judgeProfiles()
	c.judgeVariables()
	c.judgePasted()
	if c.at = (Location{}); len(c.Sockets) == 0 {
		c.report(SeverityError,
			"tapdeck dialplan prints the extension to paste; if this is a file that includes others, check the answer of fs_cli -x 'xml_locate dialplan' instead",
			"there is no socket action: no call reaches tapdeck")
	}
	slices.SortStableFunc(c.Findings, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
}

// judgeSocket checks one socket action; reached is true if any of them goes to the
// controller.
func (c *checker) judgeSocket(s Socket, reached bool) {
	elsewhere := !s.unknown && !s.expected
	if elsewhere && reached && !s.bad {
		c.report(SeverityNote, "nothing, if this is meant", "socket %q goes to another controller", s.data)
		return
	}
	address, _, _ := strings.Cut(s.data, " ")
	data := address + " async full"
	if s.bad || elsewhere {
		data = socketData(c.controller, s.Plan)
	}
	fix := fmt.Sprintf(`write <action application="socket" data="%s"/>`, html.EscapeString(data))
	switch {
	case s.unknown:
		c.report(SeverityNote, "make sure that it is the controller's host:port for every call",
			"socket %q: the address depends on the call and can't be checked", s.data)
	case elsewhere && !s.bad:
		c.report(SeverityError, fix, "socket %q goes to %s, and tapdeck listens on %s", s.data, strings.Join(s.Hosts, " and "), strings.Join(c.controller, " and "))
	}
	const noAsync, noFull = "FreeSWITCH reads no audio while tapdeck listens", "tapdeck isn't allowed to start the stream"
	switch {
	case !s.Async && !s.Full:
		c.report(SeverityError, fix, "socket %q lacks async and full: %s, and %s", s.data, noAsync, noFull)
	case !s.Async:
		c.report(SeverityError, fix, "socket %q lacks async: %s", s.data, noAsync)
	case !s.Full:
		c.report(SeverityError, fix, "socket %q lacks full: %s", s.data, noFull)
	}
}

// reaches reports whether one of a socket action's hosts is the controller's.
func (c *checker) reaches(hosts []string) bool {
	return slices.ContainsFunc(hosts, func(host string) bool {
		return len(c.controller) == 0 || slices.ContainsFunc(c.controller, func(want string) bool { return sameHost(host, want) })
	})
}

// sameHost compares a host of a socket action with one of the controller's.
func sameHost(host, want string) bool {
	h, hPort, _ := net.SplitHostPort(host)
	w, wPort, _ := net.SplitHostPort(want)
	hAddr, wAddr := address(h), address(w)
	switch {
	case hPort != plainPort(wPort):
		return false
	case w == "", wAddr.IsUnspecified(), strings.EqualFold(h, w), hAddr.IsValid() && hAddr == wAddr:
		return true
	}
	return strings.EqualFold(h, "localhost") && wAddr.IsLoopback() || strings.EqualFold(w, "localhost") && hAddr.IsLoopback()
}

// address returns the IP address that s is, or the zero Addr.
func address(s string) netip.Addr {
	a, _ := netip.ParseAddr(s)
	return a.Unmap()
}
