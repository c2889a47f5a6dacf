package dialplan

import (
	"fmt"
	"net"
	"regexp"
	"strings"
)

// action checks one action, which counts within a condition of an extension only.
func (c *checker) action(application, data string) {
	if c.pasted("application name", application, "FreeSWITCH knows no such application and hangs the call up") {
		return
	}
	application = strings.ToLower(application) // FreeSWITCH makes no difference
	switch inside := c.inside(); {
	case !inside && application == "socket":
		c.report(SeverityError, "put it into an extension, as tapdeck dialplan prints one", "socket outside a condition of an extension: FreeSWITCH ignores it")
	case !inside:
	case application == "socket":
		c.socket(data)
	case c.unknown.MatchString(application + " " + data):
		command := "uuid_audio_stream"
		if strings.HasSuffix(application, "run") {
			command = application
		}
		c.report(SeverityError, removeStream, "there is no application %q: FreeSWITCH hangs the call up (%s is an API command)", application, command)
	default:
		c.other(application, data)
	}
}

// other records what an action that is not a socket has to do with tapdeck.
func (c *checker) other(application, data string) {
	spelled := c.spelledOut(application, data)
	c.stream(application, spelled)
	c.follow(application, spelled)
	switch application {
	case "bridge":
		c.bridged(data)
	case "transfer", "execute_extension":
		c.jumped(data)
	}
	for _, a := range assignments(application, data) {
		c.assigned(a)
	}
	if _, ok := firstPasted(data); ok {
		c.pastes = append(c.pastes, paste{c.place, application, data})
	}
}

// paths are those of a socket action's hosts.
var paths = regexp.MustCompile(`/[^|]*`)

// socket records one socket action and reports what is wrong with its hosts.
func (c *checker) socket(data string) {
	c.acts = append(c.acts, c.place)
	if c.pasted("socket's data", data, "FreeSWITCH takes it for a part of the word that it stands in") {
		data = strings.Map(plainBlank, data)
	}
	words := strings.FieldsFunc(strings.ReplaceAll(data, "'", ""), func(r rune) bool { return r == ' ' })
	if len(words) == 0 {
		c.report(SeverityError, `write data="HOST:8084 async full"`, "socket without an address: FreeSWITCH goes on with the next action")
		return
	}
	s := Socket{Location: c.at, place: c.place, data: data, unknown: varies.MatchString(paths.ReplaceAllString(words[0], ""))}
	for _, w := range words[1:] {
		s.Async = s.Async || strings.EqualFold(w, "async")
		s.Full = s.Full || strings.EqualFold(w, "full")
	}
	if !s.unknown {
		c.hosts(&s, words[0])
	}
	c.Sockets = append(c.Sockets, s)
}

// hosts reads the list of hosts as FreeSWITCH does: the port follows the last
// colon, the path the first slash after it, and a port stays for the hosts after it
// (F4 of controller/switchsim/FACTS.md).
func (c *checker) hosts(s *Socket, list string) {
	port := "8084" // FreeSWITCH's default
	for i, entry := range strings.Split(list, "|") {
		host, path, _ := strings.Cut(entry, "/")
		switch colon := strings.LastIndexByte(entry, ':'); {
		case entry == "":
			c.report(SeverityWarning, "remove the bar", "socket %q has an empty host, which FreeSWITCH logs as an error in every call", s.data)
			continue
		case colon >= 0:
			host = entry[:colon]
			port, path, _ = strings.Cut(entry[colon+1:], "/")
		case i > 0:
			c.report(SeverityWarning, "write "+host+":"+port, "socket %q: %s has no port and inherits %s from the host before it", s.data, host, port)
		}
		if len(s.Hosts) == 0 && !varies.MatchString(path) {
			s.Plan = path
		}
		c.host(s, host, port)
	}
}

// host records one host that FreeSWITCH tries, or reports why it can't.
func (c *checker) host(s *Socket, host, port string) {
	plain := plainPort(port)
	text, hint := "", ""
	switch {
	case strings.ContainsAny(host, "[]"):
		text, hint = "FreeSWITCH knows no brackets around an address", "write "+strings.Trim(host, "[]")+":"+port
	case strings.ContainsAny(host, "/:") && !address(host).IsValid():
		text = fmt.Sprintf("%q is no address: FreeSWITCH reads what follows the last colon as the port", host)
		hint = "write an IPv6 address with its port behind it, as in ::1:8084, and a path without a colon"
	case host == "", plain == "":
		text, hint = fmt.Sprintf("there is no host, or %q is no port", port), "write host:port, with a port of 1 to 65535"
	default:
		s.Hosts = append(s.Hosts, net.JoinHostPort(host, plain))
		return
	}
	s.bad = true
	c.report(SeverityError, hint, "socket %q: %s", s.data, text)
}
