package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

func checkAddress(text string) error {
	host, port, err := net.SplitHostPort(text)
	switch {
	case err != nil:
		return violated("must be host:port", "such as 127.0.0.1:8084 or [::1]:8084")
	case !isPort(port):
		return violated("the port must be a number from 0 (any free one) to 65535")
	case host != "" && !isHost(host):
		return violated("the host must be an IP address or a host name")
	}
	return nil
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == text
}

// isHost accepts an IP address or a name as DNS knows them.
func isHost(host string) bool {
	const label = `\w([\w-]{0,61}\w)?`
	_, err := netip.ParseAddr(host)
	name := regexp.MustCompile(`^` + label + `(\.` + label + `)*\.?$`)
	return err == nil || len(host) <= 253 && name.MatchString(host) && strings.Trim(host, "0123456789.") != ""
}

// IsLoopback reports whether only this machine can reach a listener at host: an IP
// address without brackets, or a name.
func IsLoopback(host string) bool {
	addr, _ := netip.ParseAddr(host)
	return addr.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// checkPeerURL accepts the URL of a WebSocket server that tapdeck dials, and an empty one. Its hints say
// what a URL is like, and how a secret is given.
func checkPeerURL(text, suchAs, secret string) error {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return nil
	case err != nil || u.Scheme != "ws" && u.Scheme != "wss" || u.Opaque != "" || strings.ContainsAny(text, " \"<>\\^`{|}"):
		return violated("must be a WebSocket URL, ws:// or wss:// and host[:port][/path]", suchAs)
	case u.User != nil:
		return violated("must hold no user and no password, which would be shown", secret)
	case u.Fragment != "" || strings.HasSuffix(text, "#"):
		return violated("must hold no # part, which no server is ever sent", "remove it")
	case !isHost(u.Hostname()):
		return violated("must name a host: an IP address or a host name")
	case u.Port() == "0" || u.Port() == "" && strings.HasSuffix(u.Host, ":") || u.Port() != "" && !isPort(u.Port()):
		return violated("the port must be a number from 1 to 65535")
	}
	if addr, _ := netip.ParseAddr(u.Hostname()); addr.IsUnspecified() || addr.IsMulticast() {
		return violated("must name an address that can be connected to; " + addr.String() + " is none")
	}
	return nil
}

// checkSocketURL accepts a WebSocket server's URL that a path is put behind, so that it
// must have none of its own.
func checkSocketURL(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		u = &url.URL{}
	}
	host, port := u.Hostname(), u.Port()
	addr, _ := netip.ParseAddr(host)
	authority := strings.TrimSuffix(net.JoinHostPort(host, port), ":")
	switch {
	case text != "ws://"+authority && text != "wss://"+authority, !isHost(host):
		return violated("must be ws:// or wss:// and host[:port], with no user before and nothing behind, since tapdeck puts its own path there",
			"such as ws://127.0.0.1:8080")
	case port == "0" || port != "" && !isPort(port):
		return violated("the port must be a number from 1 to 65535")
	case addr.IsUnspecified():
		return violated("must name an address that FreeSWITCH can connect to; " + host + " is none")
	case !moduleTakes(host):
		return violated(refusedHost, "write an IPv4 address, or a name that stands for one, such as ws://127.0.0.1:8080")
	}
	return nil
}

const refusedHost = "mod_audio_stream refuses a URL whose host has an _ or is an IPv6 address, and connects over IPv4 only"

// moduleTakes reports whether mod_audio_stream takes a URL with this host, which is one by
// isHost (F36 of controller/switchsim/FACTS.md).
func moduleTakes(host string) bool { return !strings.ContainsAny(host, "_:") }

func parsePrefix(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	addr, single := netip.ParseAddr(text)
	if single == nil {
		p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	switch {
	case err != nil || addr.Zone() != "" || p.Addr().Is4In6():
		return p, violated("must be an IP address or a network such as 10.0.0.0/8, without a port or zone; names are not looked up")
	case p.Masked() != p:
		return p, violated("the address has bits beyond its mask", fmt.Sprintf("write %s for the network or %s for the one address", p.Masked(), p.Addr()))
	}
	return p, nil
}
