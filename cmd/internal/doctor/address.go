package doctor

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
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
	addr := x.remote()
	if !x.machine.owns(addr) {
		x.location = otherMachine
		return
	}
	name, ok := x.ask(ctx, "hostname")
	if !ok {
		return
	}
	x.location = thisMachine
	if name != x.machine.name {
		x.location = unclear
		x.report(finding(Unknown, "place of FreeSWITCH", fmt.Sprintf("it answers at this machine's address, calls itself %s, and this machine is %s: it may be in a container or behind a tunnel", quote(name), quote(x.machine.name)),
			"if so, esl.listen, sink.listen and sink.advertise must be addresses that lead from there to here; --call proves it"))
	}
}

// remote is the switch's address as far as we reach it.
func (x *examination) remote() netip.Addr {
	tcp, ok := x.conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}

// ownAddress says whether an address is one of this machine.
func ownAddress(addr netip.Addr) bool {
	interfaces, _ := net.InterfaceAddrs()
	return addr.IsLoopback() || slices.ContainsFunc(interfaces, func(a net.Addr) bool {
		own, err := netip.ParsePrefix(a.String())
		return err == nil && own.Addr().Unmap() == addr.WithZone("")
	})
}

// callAddress looks whether the switch could reach the listener for calls.
func (x *examination) callAddress(context.Context) {
	const check = "call address"
	c := x.Loaded.Config.ESL
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return
	}
	if x.location == otherMachine && config.IsLoopback(host) {
		x.report(finding(Fail, check, fmt.Sprintf("FreeSWITCH is on another machine, at %v, and esl.listen %s takes connections of this one only", x.remote(), c.Listen),
			"set esl.listen to an address of this machine that FreeSWITCH reaches, and esl.allow to FreeSWITCH's"))
		return
	}
	switch {
	case x.location == unclear, !x.admitted(check, "esl.allow", c.Allow, host):
	case x.location == thisMachine:
		x.report(pass(check, "esl.listen %s is on FreeSWITCH's own machine", c.Listen))
	default:
		x.report(finding(Unknown, check, fmt.Sprintf("FreeSWITCH is on another machine and can't be asked to try esl.listen %s", c.Listen), "--call proves it"))
	}
}

// admitted reports an access list that would refuse the switch when it comes to
// host. From a container or a tunnel it may come from anywhere.
func (x *examination) admitted(check, key string, allow []netip.Prefix, host string) bool {
	status, from := Warn, x.remote()
	switch x.location {
	case unclear:
		return true
	case thisMachine:
		status = Fail
		to, err := netip.ParseAddr(host)
		if err != nil || to.IsUnspecified() {
			return true
		}
		from = to.Unmap() // a machine that calls itself does so from the address it calls
	}
	if slices.ContainsFunc(allow, func(p netip.Prefix) bool { return p.Contains(from) }) {
		return true
	}
	x.report(finding(status, check, fmt.Sprintf("%s does not hold FreeSWITCH's address %v: connections from there are closed", key, from), fmt.Sprintf("add %v to %s", from, key)))
	return false
}

// sinkAddress looks whether sink.advertise leads to the sink.
func (x *examination) sinkAddress(ctx context.Context) {
	const check = "sink address"
	c := x.Loaded.Config.Sink
	u, err := url.Parse(c.Advertise)
	if err != nil {
		return // the configuration was checked
	}
	if u.Scheme == "wss" {
		defer x.report(finding(Unknown, "TLS of mod_audio_stream", "sink.advertise is wss://, and FreeSWITCH can't tell whether the module was built with TLS; its own default is without",
			"--call proves it; if it fails, build the module with -DUSE_TLS=ON"))
	}
	if x.location == otherMachine && config.IsLoopback(u.Hostname()) {
		x.report(finding(Fail, check, fmt.Sprintf("FreeSWITCH is on another machine, at %v, and would look for sink.advertise %s on itself", x.remote(), c.Advertise),
			"set sink.advertise and sink.listen to an address of this machine that FreeSWITCH reaches, and sink.allow to FreeSWITCH's"))
		return
	}
	port := cmp.Or(u.Port(), map[string]string{"ws": "80", "wss": "443"}[u.Scheme])
	dialer := net.Dialer{Timeout: x.timeouts.reach}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err == nil {
		_ = conn.Close()
	}
	switch {
	case ctx.Err() != nil:
	case err != nil && x.daemonAway:
		x.report(finding(Unknown, check, fmt.Sprintf("sink.advertise %s can't be tried while tapdeck does not run", c.Advertise), "start it, and run doctor again"))
	case err != nil:
		x.report(finding(Fail, check, fmt.Sprintf("sink.advertise %s can't be reached from here (%v)", c.Advertise, reason(err)), "does it name the address and port of sink.listen?"))
	case !x.admitted(check, "sink.allow", c.Allow, u.Hostname()):
	case x.location == thisMachine:
		x.report(pass(check, "%s takes connections, on FreeSWITCH's own machine", c.Advertise))
	default:
		x.report(finding(Unknown, check, c.Advertise+" takes connections from this machine; FreeSWITCH can't be asked to try it", "--call proves it"))
	}
}
