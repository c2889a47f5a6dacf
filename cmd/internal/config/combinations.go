package config

import (
	"net"
	"net/netip"
	"strings"
)

// checkTogether refuses values that are good each for itself, but not together.
// Of values that are already found bad it says nothing.
func (l *Loaded) checkTogether(bad *problems) {
	c := l.Config
	if tls := c.Sink.TLS; (tls.Certificate == "") != (tls.Key == "") && !bad.concerns("sink.tls.certificate", "sink.tls.key") {
		key, value := "sink.tls.certificate", tls.Certificate
		if value == "" {
			key, value = "sink.tls.key", tls.Key
		}
		l.refuse(bad, key, value, "TLS needs both certificate and key", "set both, or none")
	}
	host, _, err := net.SplitHostPort(c.Admin.Listen)
	if err == nil && !IsLoopback(host) && c.Admin.Token == "" && !bad.concerns("admin.listen", "admin.token") {
		l.refuse(bad, "admin.listen", c.Admin.Listen, "an address that others can reach needs admin.token", "set admin.token, or listen on 127.0.0.1")
	}
	l.checkListeners(bad)
}

// checkListeners refuses two listeners at one address.
func (l *Loaded) checkListeners(bad *problems) {
	type listener struct{ key, address string }
	list := []listener{
		{"esl.listen", l.Config.ESL.Listen},
		{"sink.listen", l.Config.Sink.Listen},
		{"admin.listen", l.Config.Admin.Listen},
	}
	for i, at := range list {
		for _, other := range list[:i] {
			if !overlap(at.address, other.address) || bad.concerns(at.key, other.key) {
				continue
			}
			if _, stated := l.origins[at.key]; !stated {
				at, other = other, at
			}
			l.refuse(bad, at.key, at.address, "takes the port of "+other.key+" ("+other.address+")", "give each listener its own port")
			break
		}
	}
}

// overlap tells whether two listeners can't be there at once: the same port,
// and the same host or one of them every host.
func overlap(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	localhost := IsLoopback(hostA) && IsLoopback(hostB) && (isName(hostA) || isName(hostB))
	return localhost || strings.EqualFold(hostA, hostB) || everyHost(hostA) || everyHost(hostB)
}

func everyHost(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "" || (err == nil && addr.IsUnspecified())
}

func isName(host string) bool {
	_, err := netip.ParseAddr(host)
	return err != nil
}

func (l *Loaded) refuse(bad *problems, key, value, rule, hint string) {
	bad.add(&FieldError{Origin: l.origins[key], Field: key, Value: value, Rule: rule, Hint: hint})
}

// followListen has FreeSWITCH told where the sink listens, unless sink.advertise
// says something else.
func (l *Loaded) followListen() {
	s := &l.Config.Sink
	host, port, err := net.SplitHostPort(s.Listen)
	if _, stated := l.origins["sink.advertise"]; stated || err != nil {
		return
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "ws://"
	if s.TLS.Certificate != "" {
		scheme = "wss://"
	}
	s.Advertise = scheme + net.JoinHostPort(host, port)
}

// warn notes combinations that work, but can hardly be meant.
func (l *Loaded) warn() {
	c := l.Config.Sink
	secure := strings.HasPrefix(c.Advertise, "wss://")
	switch {
	case secure && c.TLS.Certificate == "":
		l.note("sink.advertise", c.Advertise, "wss without sink.tls needs a TLS proxy before sink.listen", "")
	case !secure && c.TLS.Certificate != "":
		l.note("sink.advertise", c.Advertise, "ws, but sink.listen speaks TLS: FreeSWITCH could not connect", "write wss://")
	}
	if strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(c.Advertise, "wss://"), "ws://"), "[") {
		l.note("sink.advertise", c.Advertise, "mod_audio_stream connects over IPv4 only", "")
	}
	for _, name := range l.PlanNames() {
		p := l.Config.Plans[name]
		if p.Listen > c.MaxDuration {
			l.note(planKey(name, "listen"), formatDuration(p.Listen), "longer than sink.max_duration ("+formatDuration(c.MaxDuration)+"): the recording ends before the call", "")
		}
		if p.Silence > 0 && p.Silence >= p.Listen {
			l.note(planKey(name, "silence"), formatDuration(p.Silence), "not shorter than listen ("+formatDuration(p.Listen)+"): it never ends a call", "")
		}
	}
}

func (l *Loaded) note(key, value, rule, hint string) {
	l.Warnings = append(l.Warnings, Warning{Field: key, Value: shorten(value), Rule: rule, Hint: hint})
}
