// Package dialplan owns the XML dialplan's side of tapdeck: it renders the extension
// that hands calls over with the socket action, and checks an existing dialplan, or a whole
// configuration of FreeSWITCH: its socket actions, and what fights with tapdeck beside them. That
// is a second stream on the same channel (uuid_audio_stream by a variable such as api_on_answer or
// execute_on_media, a script, an expansion, a digit), audio that FreeSWITCH may not read
// (proxy_media, bypass_media), a profile's inbound-use-callid-as-uuid, and blanks and quotes that
// came from web pages. What the tapdeck_ variables and plans are worth is for the configuration to
// say: Check lists them.
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
}

// maxHosts is how many hosts FreeSWITCH accepts in one socket action: F4 of
// controller/switchsim/FACTS.md.
const maxHosts = 50

// validate reports every value that FreeSWITCH would refuse or misread, joined.
func (e Extension) validate() error {
	// What neither XML nor a line of FreeSWITCH can hold; U+FFFD is what no UTF-8 is read as.
	const text, textRule = "^[^\\p{Cc}\uFFFD-\uFFFF]*$", "must be UTF-8 without control characters"
	errs := []error{
		match("name", e.Name, ".", "must not be empty"),
		match("name", e.Name, text, textRule),
		match("number", e.Number, `^[0-9A-Za-z*#+._-]{1,64}$`, "must be 1 to 64 digits, letters or any of * # + . _ -"),
		match("context", e.Context, `^[0-9A-Za-z._-]{1,64}$`, "must be 1 to 64 letters, digits or any of . _ -"),
		match("plan", e.Plan, `^[0-9A-Za-z._-]{0,64}$`, "must be up to 64 letters, digits or any of . _ -"),
	}
	if len(e.Hosts) == 0 {
		errs = append(errs, fieldError("host", "", "there must be at least one"))
	}
	for i, h := range e.Hosts {
		_, err := socketHost(h)
		if i == maxHosts {
			err = fieldError("host", h, fmt.Sprintf("FreeSWITCH accepts at most %d hosts", maxHosts))
		}
		errs = append(errs, err)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Variables)) {
		errs = append(errs,
			match("variable", name, `^[0-9A-Za-z._-]{1,128}$`, "must be 1 to 128 letters, digits or any of . _ -"),
			match("variable "+name, e.Variables[name], text, textRule))
	}
	return errors.Join(errs...)
}

// socketHost returns a host as the socket action wants it: FreeSWITCH reads what
// follows the last colon as the port, and knows no brackets.
func socketHost(hostport string) (string, error) {
	host, port, err := net.SplitHostPort(hostport)
	addr, errAddr := netip.ParseAddr(host)
	rule := ""
	switch port = plainPort(port); {
	case err != nil:
		rule = "must be host:port, IPv6 as [address]:port; FreeSWITCH gives a host without a port the port of the host before it"
	case port == "":
		rule = "port must be 1 to 65535"
	case addr.Zone() != "", errAddr != nil && match("host", host, `^[0-9A-Za-z._-]{1,253}$`, "") != nil:
		rule = "must be a name of letters, digits, dots and dashes, or an address, which FreeSWITCH wants without a zone"
	case addr.IsUnspecified():
		rule = "is no address to connect to; write the one that FreeSWITCH reaches"
	default:
		return host + ":" + port, nil
	}
	return "", fieldError("host", hostport, rule)
}

// plainPort returns a port without leading zeros, for FreeSWITCH reads 08084 as 8084;
// empty if it is none.
func plainPort(port string) string {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

func match(field, value, pattern, rule string) error {
	if regexp.MustCompile(pattern).MatchString(value) {
		return nil
	}
	return fieldError(field, value, rule)
}

func fieldError(field, value, rule string) error {
	return fmt.Errorf("%s %q: %s", field, value, rule)
}
