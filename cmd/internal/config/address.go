package config

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// address is where a listener is.
type address string

func (address) Form() string { return "host:port" }

func (a *address) UnmarshalText(text []byte) error {
	*a = address(text)
	host, port, err := net.SplitHostPort(string(text))
	if err != nil {
		return violated("must be host:port", addressHint(string(text)))
	}
	if host != "" {
		err = checkHost(host)
	}
	return cmp.Or(err, checkPort(port))
}

func addressHint(text string) string {
	_, isIP := netip.ParseAddr(text)
	switch {
	case checkPort(text) == nil:
		return "write 127.0.0.1:" + text
	case isIP == nil && strings.Contains(text, ":"):
		return "an IPv6 address stands in brackets: write [" + text + "]:8084"
	case text != "" && !strings.Contains(text, ":"):
		return "such as " + text + ":8084"
	}
	return ""
}

func checkPort(port string) error {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(n, 10) != port {
		return violated("the port must be a number from 0 (any free one) to 65535")
	}
	return nil
}

// checkHost takes an IP address or a name as DNS knows them.
func checkHost(host string) error {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	bad := violated("the host must be an IP address or a host name")
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

// IsLoopback tells whether only this machine can reach a listener at host: an IP
// address without brackets, or a name.
func IsLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return strings.EqualFold(host, "localhost")
	}
	return addr.Unmap().IsLoopback()
}

// socketURL is a WebSocket server's URL that a path is put behind, so that it
// must have none of its own.
type socketURL string

func (socketURL) Form() string { return "ws:// or wss:// and host[:port]" }

func (u *socketURL) UnmarshalText(text []byte) error {
	*u = socketURL(text)
	scheme, rest, ok := strings.Cut(string(text), "://")
	host := strings.TrimRight(rest, "/")
	switch {
	case !ok || (scheme != "ws" && scheme != "wss"):
		return violated("must be a URL that begins with ws:// or wss://", schemeHint(scheme, rest, ok))
	case host != rest && !strings.Contains(host, "/"):
		return violated("must end with the host or the port", "write "+scheme+"://"+host)
	case strings.ContainsAny(rest, "/?#"):
		return violated("must have no path or query behind the host: tapdeck puts its own there")
	case strings.Contains(rest, "@"):
		return violated("must have no user in it: the ticket in the path is what lets a stream in")
	}
	return checkAuthority(rest)
}

func schemeHint(scheme, rest string, ok bool) string {
	if !ok {
		return "write ws://" + scheme
	}
	switch strings.ToLower(scheme) {
	case "http", "ws":
		return "write ws://" + rest
	case "https", "wss":
		return "write wss://" + rest
	}
	return ""
}

func checkAuthority(rest string) error {
	host, port := rest, ""
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasSuffix(rest, "]") {
		host, port = rest[:i], rest[i+1:]
		if err := checkPort(port); err != nil || port == "0" {
			return violated("the port must be a number from 1 to 65535")
		}
	}
	inner, bracketed := strings.CutPrefix(host, "[")
	if bracketed {
		inner = strings.TrimSuffix(inner, "]")
	}
	addr, err := netip.ParseAddr(inner)
	switch {
	case err == nil && addr.IsUnspecified():
		return violated("must name an address that FreeSWITCH can connect to; " + inner + " is none")
	case err == nil && addr.Is6() != bracketed, bracketed && err != nil, err == nil && addr.Zone() != "":
		return violated("an IPv6 address stands in brackets and has no zone", "such as ws://[2001:db8::1]:8080")
	}
	return checkHost(inner)
}

func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return prefixOf(addr, addr.BitLen())
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err == nil && p.Masked() != p:
		return p, violated("the address has bits beyond its mask",
			fmt.Sprintf("write %s for the network or %s for the one address", p.Masked(), p.Addr()))
	case err == nil:
		return prefixOf(p.Addr(), p.Bits())
	case strings.Contains(text, ":") && strings.Count(text, ":") == 1:
		return p, violated("must be an IP address or a network such as 10.0.0.0/8, without a port")
	}
	return p, violated("must be an IP address or a network such as 10.0.0.0/8; names are not looked up")
}

func prefixOf(addr netip.Addr, bits int) (netip.Prefix, error) {
	switch {
	case addr.Zone() != "":
		return netip.Prefix{}, violated("must have no zone", "write "+addr.WithZone("").String())
	case addr.Is4In6():
		return netip.Prefix{}, violated("an IPv4 address is written as one", "write "+addr.Unmap().String())
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
