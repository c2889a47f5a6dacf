package dialplan

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

const defaultPort = 8084 // of a socket action's first host

// action checks one action.
func (c *checker) action(at Location, application, data string) {
	switch application {
	case "socket":
		c.socket(at, data)
	case "audio_stream", "uuid_audio_stream":
		c.unknown(at, application, "mod_audio_stream gives FreeSWITCH the API command uuid_audio_stream, no application")
	case "api", "bgapi":
		if strings.Contains(data, "uuid_audio_stream") {
			c.unknown(at, application, "API commands aren't applications")
		}
	case "lua":
		c.lua(at, data)
	default:
		if m := c.hook.FindStringSubmatch(data); m != nil {
			c.lua(at, m[1])
		}
	}
	if c.expands.MatchString(data) {
		c.streams = append(c.streams, at)
	}
}

func (c *checker) unknown(at Location, application, why string) {
	c.report(at, SeverityError,
		fmt.Sprintf("there is no application %q: FreeSWITCH hangs the call up (%s)", application, why),
		"remove it; tapdeck starts and stops the stream")
}

// lua reports a script whose work tapdeck does, by its name.
func (c *checker) lua(at Location, data string) {
	script, _, _ := strings.Cut(data, " ")
	if !strings.Contains(strings.ToLower(script), "stream") {
		return
	}
	c.report(at, SeverityNote, fmt.Sprintf("lua %s: its name says that it starts or stops a stream, as tapdeck does", script),
		"remove it if the call goes to tapdeck")
}

// socket records one socket action and reports what is wrong with its hosts.
func (c *checker) socket(at Location, data string) {
	s := Socket{Location: at, data: data}
	words := split(data)
	if len(words) == 0 {
		c.report(at, SeverityError, "socket without an address: FreeSWITCH goes on with the next action", `write data="HOST:8084 async full"`)
		return
	}
	for _, w := range words[1:] {
		s.Async = s.Async || strings.EqualFold(w, "async")
		s.Full = s.Full || strings.EqualFold(w, "full")
	}
	if strings.Contains(words[0], "${") {
		s.unknown = true
	} else {
		c.hosts(&s, words[0])
	}
	c.Sockets = append(c.Sockets, s)
}

// split cuts an argument at blanks as FreeSWITCH does, quotes and all.
func split(data string) []string {
	quoted := false
	words := strings.FieldsFunc(data, func(r rune) bool {
		if r == '\'' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
	for i, w := range words {
		words[i] = strings.ReplaceAll(w, "'", "")
	}
	return words
}

// hosts reads the list of hosts as FreeSWITCH does: the port follows the last
// colon, the path the first slash after it, and a port stays for the hosts after it.
func (c *checker) hosts(s *Socket, list string) {
	port := strconv.Itoa(defaultPort)
	for i, entry := range strings.Split(list, "|") {
		if entry == "" {
			c.report(s.Location, SeverityWarning, fmt.Sprintf("socket %q has an empty host, which FreeSWITCH logs as an error in every call", s.data), "remove the bar")
			continue
		}
		host, path := entry, ""
		if at := strings.LastIndexByte(entry, ':'); at >= 0 {
			host = entry[:at]
			port, path, _ = strings.Cut(entry[at+1:], "/")
		} else {
			host, path, _ = strings.Cut(entry, "/")
			if i > 0 {
				c.report(s.Location, SeverityWarning,
					fmt.Sprintf("socket %q: %s has no port and inherits %s from the host before it", s.data, host, port),
					fmt.Sprintf("write %s:%s", host, port))
			}
		}
		if len(s.Hosts) == 0 {
			s.Plan = path
		}
		c.host(s, host, port)
	}
}

// host records one host that FreeSWITCH tries, or reports why it can't.
func (c *checker) host(s *Socket, host, port string) {
	n, ok := parsePort(port)
	text, hint := "", ""
	switch {
	case strings.ContainsAny(host, "[]"):
		text, hint = "FreeSWITCH knows no brackets around an address", "write "+strings.Trim(host, "[]")+":"+port
	case strings.Contains(host, "/"):
		text, hint = "FreeSWITCH takes what follows the last colon for the port", "write a path without a colon"
	case strings.Contains(host, ":") && !address(host).IsValid():
		text, hint = fmt.Sprintf("%q is no address: FreeSWITCH takes what follows the last colon for the port", host), "write an IPv6 address with its port behind it, as in ::1:8084"
	case host == "":
		text, hint = "there is a port and no host", "write host:port"
	case !ok:
		text, hint = fmt.Sprintf("%q is no port", port), "write a port of 1 to 65535"
	default:
		s.Hosts = append(s.Hosts, net.JoinHostPort(host, n))
		return
	}
	s.bad = true
	c.report(s.Location, SeverityError, fmt.Sprintf("socket %q: %s", s.data, text), hint)
}
