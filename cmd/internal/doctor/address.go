package doctor

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"

	"tapdeck/cmd/internal/config"
)

// location is where the switch is, seen from this machine.
type location int

// A switch is on another machine, on this one, or at an address of this machine
// but under another name: in a container, or behind a tunnel.
const (
	otherMachine location = iota
	thisMachine
	unclear
)

// locate finds out where the switch is.
func (x *examination) locate(ctx context.Context) {
	if !x.owns(x.remote()) {
		return
	}
	name, ok := x.ask(ctx, "hostname")
	if !ok {
		return
	}
	x.location = thisMachine
	if own, _ := os.Hostname(); name != own {
		x.location = unclear
		x.report(Unknown, "FreeSWITCH's machine", "if so, esl.listen, sink.listen and sink.advertise must be addresses that lead from there to here; --call proves it",
			"it answers at this machine's address, calls itself %.120q, and this machine is %q: it may be in a container or behind a tunnel", name, own)
	}
}

// remote is the switch's address as far as we reach it.
func (x *examination) remote() netip.Addr {
	addr, _ := netip.ParseAddrPort(x.conn.RemoteAddr().String())
	return addr.Addr().Unmap()
}

// ownAddress says whether an address is one of this machine.
func ownAddress(addr netip.Addr) bool {
	interfaces, _ := net.InterfaceAddrs()
	return addr.IsLoopback() || slices.ContainsFunc(interfaces, func(a net.Addr) bool {
		own, err := netip.ParsePrefix(a.String())
		return err == nil && own.Addr().Unmap() == addr.WithZone("")
	})
}

// endpoint is an address of the daemon to which FreeSWITCH connects.
type endpoint struct {
	check, keys, text, host string // keys are of the configuration, text is the main one with its value
	allowKey                string
	allow                   []netip.Prefix
}

// callAddress checks whether the switch could reach the listener for calls.
func (x *examination) callAddress(context.Context) {
	c := x.Loaded.Config.ESL
	host, _, err := net.SplitHostPort(c.Listen)
	e := endpoint{"call address", "esl.listen", "esl.listen " + c.Listen, host, "esl.allow", c.Allow}
	if err == nil && x.location != unclear && !x.misleads(e) {
		x.judge(e)
	}
}

// sinkAddress checks whether sink.advertise leads to the sink.
func (x *examination) sinkAddress(ctx context.Context) {
	c := x.Loaded.Config.Sink
	u, err := url.Parse(c.Advertise)
	if err != nil || !x.anyStreams() {
		return // the configuration was checked
	}
	if u.Scheme == "wss" {
		defer x.report(Unknown, "TLS of mod_audio_stream", "--call proves it; if it fails, build the module with -DUSE_TLS=ON",
			"sink.advertise is wss://, and FreeSWITCH can't tell whether the module was built with TLS; its own default is without")
	}
	e := endpoint{"sink address", "sink.advertise and sink.listen", "sink.advertise " + c.Advertise, u.Hostname(), "sink.allow", c.Allow}
	if x.misleads(e) {
		return
	}
	dialer := net.Dialer{Timeout: x.timeouts.reach}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(e.host, cmp.Or(u.Port(), map[string]string{"ws": "80", "wss": "443"}[u.Scheme])))
	switch {
	case err == nil:
		_ = conn.Close()
		x.judge(e)
	case ctx.Err() != nil:
	case x.daemonAway:
		x.report(Unknown, e.check, "start it, and run doctor again", "%s can't be tried while tapdeck does not run", e.text)
	default:
		x.report(Fail, e.check, "does it name the address and port of sink.listen?", "%s can't be reached from here (%v)", e.text, reason(err))
	}
}

// misleads reports an endpoint that leads a switch on another machine to itself.
func (x *examination) misleads(e endpoint) bool {
	if x.location != otherMachine || !config.IsLoopback(e.host) {
		return false
	}
	x.report(Fail, e.check, "set "+e.keys+" to an address of this machine that FreeSWITCH reaches, and "+e.allowKey+" to FreeSWITCH's",
		"FreeSWITCH is on another machine, at %v, and would look for %s on itself", x.remote(), e.text)
	return true
}

// judge says how an endpoint is for the switch. From a container or a tunnel it may
// come from anywhere, so that no access list is held against it.
func (x *examination) judge(e endpoint) {
	status, from := Warn, x.remote()
	if x.location == thisMachine {
		to, _ := netip.ParseAddr(e.host)
		status, from = Fail, to.Unmap() // a machine that calls itself does so from the address it calls
	}
	known := x.location != unclear && from.IsValid() && !from.IsUnspecified()
	switch {
	case known && !slices.ContainsFunc(e.allow, func(p netip.Prefix) bool { return p.Contains(from) }):
		x.report(status, e.check, "add "+from.String()+" to "+e.allowKey,
			"%s does not hold FreeSWITCH's address %v: connections from there are closed", e.allowKey, from)
	case x.location == thisMachine:
		x.pass(e.check, "%s is on FreeSWITCH's own machine", e.text)
	default:
		x.report(Unknown, e.check, "--call proves it", "FreeSWITCH can't be asked to try %s from where it is", e.text)
	}
}
