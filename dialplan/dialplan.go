// Package dialplan owns the XML dialplan's side of tapdeck: it renders the extension
// that hands calls over with the socket action, and checks the socket actions of an
// existing dialplan.
//
// The package starts no goroutines and touches neither files nor the network.
package dialplan

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Extension is one extension that hands its calls to tapdeck.
type Extension struct {
	// Name is the extension's name in FreeSWITCH's log.
	Name string
	// Number is what is dialled: digits, letters and any of * # + . _ -, taken
	// literally.
	Number string
	// Context is the dialplan context that the extension is for.
	Context string
	// Hosts are the controllers, each host:port, in the order in which FreeSWITCH
	// tries them for every call. An IPv6 address stands in brackets.
	Hosts []string
	// Plan is the plan that every host is asked for; empty leaves the choice to
	// the controller.
	Plan string
	// Variables are channel variables that are set before the call is handed over,
	// such as tapdeck_listen. FreeSWITCH expands ${…} in their values.
	Variables map[string]string
	// Fallback are the actions for a call that no controller accepts, or that one
	// gives back. Empty stands for DefaultFallback.
	Fallback []Action
}

// Action is one action of a dialplan.
type Action struct {
	Application string
	Data        string
}

// DefaultExtension returns an extension for a controller on the same machine.
func DefaultExtension() Extension {
	return Extension{
		Name:    "tapdeck",
		Number:  "9999",
		Context: "default",
		Hosts:   []string{"127.0.0.1:8084"},
	}
}

// DefaultFallback returns the actions for a call that nobody accepts: a warning in
// FreeSWITCH's log, and a hangup that tells the caller's side to try again later
// (SIP 503), so that a carrier can take another route.
func DefaultFallback() []Action {
	return []Action{
		{"log", "WARNING tapdeck did not take call ${uuid} to ${destination_number}, or gave it back"},
		{"hangup", "NORMAL_TEMPORARY_FAILURE"},
	}
}

// maxHosts is how many hosts FreeSWITCH accepts in one socket action.
const maxHosts = 50

// Patterns of values that go into the dialplan unquoted.
const (
	namePattern        = `.`
	numberPattern      = `^[0-9A-Za-z*#+._-]{1,64}$`
	contextPattern     = `^[0-9A-Za-z._-]{1,64}$`
	planPattern        = `^[0-9A-Za-z._-]{0,64}$`
	applicationPattern = `^[a-z0-9_]{1,64}$`
	variablePattern    = `^[0-9A-Za-z._-]{1,128}$`
	hostnamePattern    = `^[0-9A-Za-z._-]{1,253}$`
)

// Validate reports every value that FreeSWITCH would refuse or misread, joined: each
// error names field, value and rule.
func (e Extension) Validate() error {
	errs := []error{
		match("name", e.Name, namePattern, "must not be empty"),
		checkText("name", e.Name),
		match("number", e.Number, numberPattern, "must be 1 to 64 digits, letters or any of * # + . _ -"),
		match("context", e.Context, contextPattern, "must be 1 to 64 letters, digits or any of . _ -"),
		match("plan", e.Plan, planPattern, "must be up to 64 letters, digits or any of . _ -"),
		e.validateHosts(),
	}
	for _, name := range slices.Sorted(maps.Keys(e.Variables)) {
		errs = append(errs,
			match("variable", name, variablePattern, "must be 1 to 128 letters, digits or any of . _ -"),
			checkText("variable "+name, e.Variables[name]))
	}
	for _, a := range e.Fallback {
		errs = append(errs,
			match("fallback application", a.Application, applicationPattern, "must be the name of an application: a-z, 0-9 and _"),
			checkText("fallback "+a.Application, a.Data))
	}
	return errors.Join(errs...)
}

func (e Extension) validateHosts() error {
	if len(e.Hosts) == 0 {
		return fieldError("host", "", "there must be at least one")
	}
	if len(e.Hosts) > maxHosts {
		return fieldError("host", e.Hosts[maxHosts], fmt.Sprintf("FreeSWITCH takes no more than %d hosts", maxHosts))
	}
	var errs []error
	for _, h := range e.Hosts {
		_, err := socketHost(h)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// socketHost returns a host as the socket action wants it: FreeSWITCH reads what
// follows the last colon as the port, and knows no brackets.
func socketHost(hostport string) (string, error) {
	host, port, err := net.SplitHostPort(hostport)
	n, ok := parsePort(port)
	addr, errAddr := netip.ParseAddr(host)
	rule := ""
	switch {
	case err != nil:
		rule = "must be host:port, IPv6 as [address]:port; FreeSWITCH gives a host without a port the port of the host before it"
	case !ok:
		rule = "port must be 1 to 65535"
	case addr.Zone() != "":
		rule = "FreeSWITCH can't connect to an address with a zone; use another address of that host"
	case errAddr != nil && match("host", host, hostnamePattern, "") != nil:
		rule = "must be an address or a name of letters, digits, dots and dashes"
	case addr.IsUnspecified():
		rule = "is no address to connect to; write the one that FreeSWITCH reaches"
	default:
		return host + ":" + n, nil
	}
	return "", fieldError("host", hostport, rule)
}

// parsePort returns a port without leading zeros: FreeSWITCH reads 08084 as 8084.
func parsePort(port string) (plain string, ok bool) {
	n, err := strconv.ParseUint(port, 10, 16)
	return strconv.FormatUint(n, 10), err == nil && n > 0
}

func match(field, value, pattern, rule string) error {
	if regexp.MustCompile(pattern).MatchString(value) {
		return nil
	}
	return fieldError(field, value, rule)
}

// checkText refuses what neither XML nor a line of FreeSWITCH can hold.
func checkText(field, value string) error {
	bad := func(r rune) bool { return unicode.IsControl(r) || r == '\uFFFE' || r == '\uFFFF' }
	if utf8.ValidString(value) && !strings.ContainsFunc(value, bad) {
		return nil
	}
	return fieldError(field, value, "must be UTF-8 without control characters")
}

func fieldError(field, value, rule string) error {
	return fmt.Errorf("%s %q: %s", field, value, rule)
}
