package dialplan

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Expect is what Check compares a dialplan with.
type Expect struct {
	// Hosts are the addresses of the controller, host:port, IPv6 in brackets. A
	// host that is empty, 0.0.0.0 or [::] stands for any. Without any, every socket
	// action counts as one that should reach the controller.
	Hosts []string
}

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

	data     string
	expected bool // one of the hosts is the controller's
	unknown  bool // the hosts come from a variable
	bad      bool // a host is wrong, and a finding says so
}

// Result is what a Check found.
type Result struct {
	// Findings are in the order of the lines.
	Findings []Finding
	// Sockets are all socket actions, right or not.
	Sockets []Socket
}

// Check reads a dialplan, a file or the answer of FreeSWITCH's xml_locate, and returns
// which socket actions reach the controller and what is wrong with the others. If it
// isn't XML, the error names the line.
func Check(r io.Reader, want Expect) (Result, error) {
	c := newChecker()
	if err := walk(r, c); err != nil {
		return Result{}, fmt.Errorf("parse dialplan: %w", err)
	}
	c.judge(want)
	return c.Result, nil
}

// checker collects what Check returns.
type checker struct {
	Result
	// streams are uses of uuid_audio_stream inside ${…}: they disturb a call only in
	// an extension that also has a socket action.
	streams []Location
	include bool // the file includes others

	expands *regexp.Regexp // what calls uuid_audio_stream inside ${…}
	hook    *regexp.Regexp // a variable that runs a script, such as api_on_answer
}

func newChecker() *checker {
	return &checker{
		expands: regexp.MustCompile(`\$\{[a-z_]*\s*\(?\s*uuid_audio_stream\b`),
		hook:    regexp.MustCompile(`^[a-z_]+=['"]?(?:lua|luarun)[ :]+(\S+)`),
	}
}

func (c *checker) report(at Location, s Severity, text, hint string) {
	c.Findings = append(c.Findings, Finding{Location: at, Severity: s, Text: text, Hint: hint})
}

// judge checks what only the whole dialplan shows.
func (c *checker) judge(want Expect) {
	for i := range c.Sockets {
		s := &c.Sockets[i]
		s.expected = s.reaches(want)
		s.Right = s.expected && s.Async && s.Full
	}
	reached := slices.ContainsFunc(c.Sockets, func(s Socket) bool { return s.expected })
	for _, s := range c.Sockets {
		c.judgeSocket(s, want, reached)
	}
	for _, at := range c.streams {
		c.judgeStream(at)
	}
	if len(c.Sockets) == 0 {
		c.noSocket()
	}
	slices.SortStableFunc(c.Findings, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
}

func (c *checker) noSocket() {
	hint := "tapdeck dialplan prints the extension to paste"
	if c.include {
		hint = "this file includes others that were not looked at: check the answer of fs_cli -x 'xml_locate dialplan'; " + hint
	}
	c.report(Location{}, SeverityError, "there is no socket action: no call reaches tapdeck", hint)
}

// judgeSocket checks one socket action; reached is true if any of them goes to the
// controller.
func (c *checker) judgeSocket(s Socket, want Expect, reached bool) {
	if !s.unknown && !s.expected && reached {
		c.report(s.Location, SeverityNote, fmt.Sprintf("socket %q goes to another controller", s.data), "nothing, if this is meant")
		return
	}
	address, _, _ := strings.Cut(s.data, " ")
	data := address + " async full"
	if s.bad || !s.unknown && !s.expected {
		data = socketData(want.Hosts, s.Plan)
	}
	fix := fmt.Sprintf(`write <action application="socket" data="%s"/>`, escape(data))
	switch {
	case s.unknown:
		c.report(s.Location, SeverityNote, fmt.Sprintf("socket %q: the address comes from a variable and can't be checked", s.data),
			"make sure that it is the controller's host:port for every call")
	case !s.expected && !s.bad:
		c.report(s.Location, SeverityError, fmt.Sprintf("socket %q goes to %s, and tapdeck listens on %s",
			s.data, strings.Join(s.Hosts, " and "), strings.Join(want.Hosts, " and ")), fix)
	}
	c.judgeMode(s, fix)
}

// judgeMode checks the words behind the address; fix is the hint.
func (c *checker) judgeMode(s Socket, fix string) {
	var missing, effect []string
	if !s.Async {
		missing = append(missing, "async")
		effect = append(effect, "FreeSWITCH reads no audio while tapdeck listens")
	}
	if !s.Full {
		missing = append(missing, "full")
		effect = append(effect, "tapdeck isn't allowed to start the stream")
	}
	if len(missing) == 0 {
		return
	}
	c.report(s.Location, SeverityError,
		fmt.Sprintf("socket %q lacks %s: %s", s.data, strings.Join(missing, " and "), strings.Join(effect, ", and ")), fix)
}

// judgeStream checks one use of uuid_audio_stream inside ${…}.
func (c *checker) judgeStream(at Location) {
	severity := SeverityWarning
	for _, s := range c.Sockets {
		if s.Extension == at.Extension && s.Context == at.Context {
			severity = SeverityError
		}
	}
	c.report(at, severity,
		"uuid_audio_stream is called while the dialplan expands ${…}: its answer goes into a variable that nobody looks at, and while its stream is there tapdeck can't start its own",
		"remove it; tapdeck starts and stops the stream")
}

// reaches reports whether one of the hosts is the controller's.
func (s *Socket) reaches(want Expect) bool {
	if len(want.Hosts) == 0 && len(s.Hosts) > 0 {
		return true
	}
	return slices.ContainsFunc(s.Hosts, func(host string) bool {
		return slices.ContainsFunc(want.Hosts, func(want string) bool { return sameHost(host, want) })
	})
}

// sameHost compares a host of a socket action with one that is expected.
func sameHost(host, want string) bool {
	h, hPort, _ := net.SplitHostPort(host)
	w, wPort, _ := net.SplitHostPort(want)
	hPort, hOK := parsePort(hPort)
	wPort, wOK := parsePort(wPort)
	if !hOK || !wOK || hPort != wPort {
		return false
	}
	hAddr, wAddr := address(h), address(w)
	switch {
	case w == "", wAddr.IsUnspecified(), strings.EqualFold(h, w):
		return true
	case hAddr.IsValid() && wAddr.IsValid():
		return hAddr == wAddr
	}
	return strings.EqualFold(h, "localhost") && wAddr.IsLoopback() || strings.EqualFold(w, "localhost") && hAddr.IsLoopback()
}

// address returns the IP address that s is, or the zero Addr.
func address(s string) netip.Addr {
	a, _ := netip.ParseAddr(s)
	return a.Unmap()
}
