package dialplan

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strings"
)

// Expect is what Check compares a dialplan with.
type Expect struct {
	// Hosts are the addresses of the controller, host:port, IPv6 in brackets. A
	// host that is empty, 0.0.0.0 or [::] stands for any. None at all takes every
	// socket action for one that should reach it.
	Hosts []string
}

// Severity says how much a Finding matters.
type Severity string

// The severities.
const (
	// SeverityError is for calls that fail because of it.
	SeverityError Severity = "error"
	// SeverityWarning is for what works by chance, or may disturb calls.
	SeverityWarning Severity = "warning"
	// SeverityNote is for what is worth knowing.
	SeverityNote Severity = "note"
)

// Place is where in a dialplan something stands.
type Place struct {
	// Line counts from 1; 0 is the file as a whole.
	Line int
	// Extension and Context are names; empty where the file doesn't say.
	Extension, Context string
	// Number is the expression of the extension's condition on destination_number.
	Number string
}

// Finding is one thing that is wrong, or worth knowing, in a dialplan.
type Finding struct {
	Place
	Severity Severity
	// Text says what is there and what comes of it; Hint says what to do.
	Text, Hint string
}

// Socket is one socket action.
type Socket struct {
	Place
	// Hosts are the hosts that FreeSWITCH tries, in this order, as host:port.
	Hosts []string
	// Plan is the path of the first host; empty without one.
	Plan string
	// Async and Full say which of these words the action has.
	Async, Full bool
	// Right says that calls come to the controller that was expected, async and
	// full.
	Right bool

	data     string
	expected bool // one of the hosts is the controller's
	unknown  bool // the hosts come from a variable
	bad      bool // a host can't be understood, which has been said
}

// Result is what a Check found.
type Result struct {
	// Findings are in the order of the lines.
	Findings []Finding
	// Sockets are all socket actions, right or not.
	Sockets []Socket
}

// Check reads a dialplan, a file or the answer of FreeSWITCH's xml_locate, and says
// which socket actions reach the controller and what is wrong with the others. What
// isn't XML is an error that names the line.
func Check(r io.Reader, want Expect) (Result, error) {
	c := newChecker()
	if err := walk(r, c); err != nil {
		return Result{}, fmt.Errorf("parse dialplan: %w", err)
	}
	c.judge(want)
	return Result{Findings: c.findings, Sockets: c.sockets}, nil
}

// checker collects what Check returns.
type checker struct {
	sockets  []Socket
	findings []Finding
	// streams are uses of uuid_audio_stream inside ${…}: they disturb a call of
	// ours only in an extension that also has a socket action.
	streams []Place
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

func (c *checker) find(p Place, s Severity, text, hint string) {
	c.findings = append(c.findings, Finding{Place: p, Severity: s, Text: text, Hint: hint})
}

// judge looks at everything together.
func (c *checker) judge(want Expect) {
	reached := false
	for i := range c.sockets {
		s := &c.sockets[i]
		s.expected = s.reaches(want)
		s.Right = s.expected && s.Async && s.Full
		reached = reached || s.expected
	}
	for _, s := range c.sockets {
		c.judgeSocket(s, want, reached)
	}
	for _, p := range c.streams {
		c.judgeStream(p)
	}
	if len(c.sockets) == 0 {
		c.noSocket()
	}
	sortFindings(c.findings)
}

func (c *checker) noSocket() {
	hint := "tapdeck dialplan prints the extension to paste"
	if c.include {
		hint = "this file includes others that were not looked at: check the answer of fs_cli -x 'xml_locate dialplan'; " + hint
	}
	c.find(Place{}, SeverityError, "there is no socket action: no call reaches tapdeck", hint)
}

// judgeSocket looks at one socket action; reached says that there is one whose
// address is the controller's.
func (c *checker) judgeSocket(s Socket, want Expect, reached bool) {
	address, _, _ := strings.Cut(s.data, " ")
	line := fmt.Sprintf(`<action application="socket" data="%s async full"/>`, escape(address))
	if s.bad {
		line = socketLine(want.Hosts, s.Plan)
	}
	switch {
	case s.unknown:
		c.find(s.Place, SeverityNote, fmt.Sprintf("socket %q: the address comes from a variable and can't be checked", s.data),
			"make sure that it is the controller's host:port for every call")
	case !s.expected && reached:
		c.find(s.Place, SeverityNote, fmt.Sprintf("socket %q goes to another controller", s.data), "nothing, if this is meant")
		return
	case !s.expected && !s.bad:
		line = socketLine(want.Hosts, s.Plan)
		c.find(s.Place, SeverityError, fmt.Sprintf("socket %q goes to %s, and tapdeck listens on %s",
			s.data, strings.Join(s.Hosts, " and "), strings.Join(want.Hosts, " and ")),
			"write "+line)
	}
	c.judgeMode(s, line)
}

// judgeMode looks at the words behind the address; line is the action that is right.
func (c *checker) judgeMode(s Socket, line string) {
	var missing []string
	var effect []string
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
	c.find(s.Place, SeverityError,
		fmt.Sprintf("socket %q lacks %s: %s", s.data, strings.Join(missing, " and "), strings.Join(effect, ", and ")),
		"write "+line)
}

// judgeStream looks at one use of uuid_audio_stream inside ${…}.
func (c *checker) judgeStream(p Place) {
	severity := SeverityWarning
	for _, s := range c.sockets {
		if s.Extension == p.Extension && s.Context == p.Context {
			severity = SeverityError
		}
	}
	c.find(p, severity,
		"uuid_audio_stream is called while the dialplan expands ${…}: its answer goes into a variable that nobody looks at, and while its stream is there tapdeck can't start its own",
		"remove it; tapdeck starts and stops the stream")
}

// socketLine returns the action that would reach the hosts.
func socketLine(hosts []string, plan string) string {
	var out []string
	for _, h := range hosts {
		host, err := socketHost(h)
		if err != nil { // any address: the reader knows which
			_, port, _ := net.SplitHostPort(h)
			host = "HOST:" + port
		}
		if plan != "" {
			host += "/" + plan
		}
		out = append(out, host)
	}
	return fmt.Sprintf(`<action application="socket" data="%s async full"/>`, escape(strings.Join(out, "|")))
}

// reaches says that one of the hosts is the controller's.
func (s *Socket) reaches(want Expect) bool {
	if len(want.Hosts) == 0 && len(s.Hosts) > 0 {
		return true
	}
	for _, h := range s.Hosts {
		for _, w := range want.Hosts {
			if sameHost(h, w) {
				return true
			}
		}
	}
	return false
}

// sameHost compares a host of a socket action with one that is expected.
func sameHost(host, want string) bool {
	h, hPort, err := net.SplitHostPort(host)
	w, wPort, wantErr := net.SplitHostPort(want)
	if err != nil || wantErr != nil || !samePort(hPort, wPort) {
		return false
	}
	hAddr, wAddr := address(h), address(w)
	if w == "" || wAddr.IsUnspecified() || strings.EqualFold(h, w) {
		return true
	}
	if hAddr.IsValid() && wAddr.IsValid() {
		return hAddr == wAddr
	}
	return strings.EqualFold(h, "localhost") && wAddr.IsLoopback() || strings.EqualFold(w, "localhost") && hAddr.IsLoopback()
}

func samePort(a, b string) bool {
	plainA, okA := parsePort(a)
	plainB, okB := parsePort(b)
	return okA && okB && plainA == plainB
}

// address returns the IP address that s is, or the zero Addr.
func address(s string) netip.Addr {
	a, _ := netip.ParseAddr(s)
	return a.Unmap()
}
