package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// listenRule is for the address of a listener.
func listenRule() rule {
	parse := func(text string) (any, *fault) {
		host, port, f := splitAddress(text)
		if f == nil && host != "" {
			f = checkHost(host)
		}
		if f == nil {
			f = checkPort(port)
		}
		return text, f
	}
	return rule{bounds: "host:port", tags: []string{tagText}, parse: parse}
}

func splitAddress(text string) (host, port string, f *fault) {
	host, port, err := net.SplitHostPort(text)
	if err == nil {
		return host, port, nil
	}
	f = &fault{rule: "must be host:port"}
	switch _, isIP := netip.ParseAddr(text); {
	case checkPort(text) == nil:
		f.hint = "write 127.0.0.1:" + text
	case isIP == nil && strings.Contains(text, ":"):
		f.hint = "an IPv6 address stands in brackets: write [" + text + "]:8084"
	case text != "" && !strings.Contains(text, ":"):
		f.hint = "such as " + text + ":8084"
	}
	return "", "", f
}

func checkPort(port string) *fault {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(n, 10) != port {
		return &fault{rule: "the port must be a number from 0 (any free one) to 65535"}
	}
	return nil
}

// checkHost takes an IP address or a name as DNS knows them.
func checkHost(host string) *fault {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	bad := &fault{rule: "the host must be an IP address or a host name"}
	if len(host) > 253 || strings.Trim(host, "0123456789.") == "" {
		return bad
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."), ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notHostLetter) ||
			strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return bad
		}
	}
	return nil
}

func notHostLetter(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// isLoopback tells whether only this machine can reach a listener at host.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return strings.EqualFold(host, "localhost")
	}
	return addr.Unmap().IsLoopback()
}

// advertiseRule is for the URL that FreeSWITCH is told; the ticket's path is
// put behind it, so that it must have none of its own.
func advertiseRule() rule {
	parse := func(text string) (any, *fault) { return text, checkAdvertise(text) }
	return rule{bounds: "ws:// or wss:// and host[:port]", tags: []string{tagText}, parse: parse}
}

func checkAdvertise(text string) *fault {
	_, rest, ok := strings.Cut(text, "://")
	scheme := strings.TrimSuffix(text, "://"+rest)
	switch {
	case !ok || (scheme != "ws" && scheme != "wss"):
		return schemeFault(text, scheme, rest, ok)
	case strings.TrimRight(rest, "/") != rest && !strings.Contains(strings.TrimRight(rest, "/"), "/"):
		return &fault{rule: "must end with the host or the port", hint: "write " + scheme + "://" + strings.TrimRight(rest, "/")}
	case strings.ContainsAny(rest, "/?#"):
		return &fault{rule: "must have no path or query behind the host: tapdeck puts its own there"}
	case strings.Contains(rest, "@"):
		return &fault{rule: "must have no user in it: the ticket in the path is what lets a stream in"}
	}
	return checkAuthority(rest)
}

func schemeFault(text, scheme, rest string, ok bool) *fault {
	f := &fault{rule: "must be a URL that begins with ws:// or wss://"}
	switch strings.ToLower(scheme) {
	case "http", "ws":
		f.hint = "write ws://" + rest
	case "https", "wss":
		f.hint = "write wss://" + rest
	}
	if !ok {
		f.hint = "write ws://" + text
	}
	return f
}

func checkAuthority(rest string) *fault {
	host, port := rest, ""
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasSuffix(rest, "]") {
		host, port = rest[:i], rest[i+1:]
		if f := checkPort(port); f != nil || port == "0" {
			return &fault{rule: "the port must be a number from 1 to 65535"}
		}
	}
	inner, bracketed := strings.CutPrefix(host, "[")
	if bracketed {
		inner = strings.TrimSuffix(inner, "]")
	}
	addr, err := netip.ParseAddr(inner)
	switch {
	case err == nil && addr.IsUnspecified():
		return &fault{rule: "must name an address that FreeSWITCH can connect to; " + inner + " is none"}
	case err == nil && addr.Is6() != bracketed, bracketed && err != nil, err == nil && addr.Zone() != "":
		return &fault{rule: "an IPv6 address stands in brackets and has no zone", hint: "such as ws://[2001:db8::1]:8080"}
	}
	return checkHost(inner)
}

// allowRule is for a list of addresses and networks.
func allowRule() rule {
	parse := func(text string) (any, *fault) {
		p, f := parsePrefix(text)
		return p, f
	}
	return rule{bounds: "IP addresses and networks (CIDR)", list: true, tags: []string{tagText}, parse: parse}
}

func parsePrefix(text string) (netip.Prefix, *fault) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return prefixOf(addr, addr.BitLen())
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err == nil && p.Masked() != p:
		return p, &fault{
			rule: "the address has bits beyond its mask",
			hint: fmt.Sprintf("write %s for the network or %s for the one address", p.Masked(), p.Addr()),
		}
	case err == nil:
		return prefixOf(p.Addr(), p.Bits())
	case strings.Contains(text, ":") && strings.Count(text, ":") == 1:
		return p, &fault{rule: "must be an IP address or a network such as 10.0.0.0/8, without a port"}
	}
	return p, &fault{rule: "must be an IP address or a network such as 10.0.0.0/8; names are not looked up"}
}

func prefixOf(addr netip.Addr, bits int) (netip.Prefix, *fault) {
	switch {
	case addr.Zone() != "":
		return netip.Prefix{}, &fault{rule: "must have no zone", hint: "write " + addr.WithZone("").String()}
	case addr.Is4In6():
		return netip.Prefix{}, &fault{rule: "an IPv4 address is written as one", hint: "write " + addr.Unmap().String()}
	}
	return netip.PrefixFrom(addr, bits), nil
}

// formatPrefix writes a single address without its mask.
func formatPrefix(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}
