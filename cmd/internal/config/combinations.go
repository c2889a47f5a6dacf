package config

import (
	"cmp"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"tapdeck/controller/flow"
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
	if host, _ := hostAndPort(c.Admin.Listen); !IsLoopback(host) && c.Admin.Token == "" && !bad.concerns("admin.listen", "admin.token") {
		l.refuse(bad, "admin.listen", c.Admin.Listen, "an address that others can reach needs admin.token", "set admin.token, or listen on 127.0.0.1")
	}
	l.checkListeners(bad)
	l.checkPlayer(bad)
	l.checkAgents(bad)
	l.checkServices(bad)
}

// checkListeners refuses two listeners at one address.
func (l *Loaded) checkListeners(bad *problems) {
	keys := []string{"esl.listen", "sink.listen", "admin.listen"}
	address := map[string]string{keys[0]: l.Config.ESL.Listen, keys[1]: l.Config.Sink.Listen, keys[2]: l.Config.Admin.Listen}
	for i, key := range keys {
		for _, other := range keys[:i] {
			if !overlap(address[key], address[other]) || bad.concerns(key, other) {
				continue
			}
			if _, stated := l.origins[key]; !stated {
				key, other = other, key
			}
			l.refuse(bad, key, address[key], "takes the port of "+other+" ("+address[other]+")", "give each listener its own port")
			break
		}
	}
}

// overlap reports whether two listeners exclude each other: the same port,
// and the same host or one of them every host.
func overlap(a, b string) bool {
	local := strings.NewReplacer("localhost:", "127.0.0.1:")
	hostA, portA := hostAndPort(local.Replace(strings.ToLower(a)))
	hostB, portB := hostAndPort(local.Replace(strings.ToLower(b)))
	return portA == portB && portA != "0" && (hostA == hostB || hostA == "" || hostB == "")
}

// hostAndPort splits an address, with "" for every host.
func hostAndPort(address string) (host, port string) {
	host, port, _ = net.SplitHostPort(address)
	if addr, _ := netip.ParseAddr(host); addr.IsUnspecified() {
		host = ""
	}
	return host, port
}

func (l *Loaded) refuse(bad *problems, key, value, rule, hint string) {
	bad.add(&FieldError{Origin: l.origins[key], Field: key, Value: value, Rule: rule, Hint: hint})
}

// followListen has FreeSWITCH told where the sink listens, unless sink.advertise
// says something else.
func (l *Loaded) followListen() {
	s := &l.Config.Sink
	host, port := hostAndPort(s.Listen)
	if _, stated := l.origins["sink.advertise"]; stated {
		return
	}
	scheme := "ws://"
	if s.TLS.Certificate != "" {
		scheme = "wss://"
	}
	s.Advertise = scheme + net.JoinHostPort(cmp.Or(host, "127.0.0.1"), port)
}

// warnings are about combinations that work, but can hardly be meant.
func (l *Loaded) warnings() []error {
	var bad problems
	warn := func(key, value, rule, hint string) {
		bad.add(&FieldError{Field: key, Value: value, Rule: rule, Hint: hint, keyOnly: value == ""})
	}
	c := l.Config.Sink
	secure := strings.HasPrefix(c.Advertise, "wss://")
	switch {
	case secure && c.TLS.Certificate == "":
		warn("sink.advertise", c.Advertise, "wss without sink.tls needs a TLS proxy before sink.listen", "")
	case !secure && c.TLS.Certificate != "":
		warn("sink.advertise", c.Advertise, "ws, but sink.listen speaks TLS: FreeSWITCH could not connect", "write wss://")
	}
	if u, err := url.Parse(c.Advertise); err == nil && !moduleTakes(u.Hostname()) { // which follows sink.listen
		warn("sink.advertise", c.Advertise, refusedHost, "state sink.advertise with an address that leads to sink.listen")
	}
	for _, name := range l.PlanNames() {
		l.planWarnings(name, warn)
	}
	return bad.errors()
}

// planWarnings are those about one plan.
func (l *Loaded) planWarnings(name string, warn func(key, value, rule, hint string)) {
	p := l.Config.Plans[name]
	steps := p.steps()
	l.stepWarnings(name, steps, warn)
	l.agentWarnings(name, p, warn)
	l.serviceWarnings(name, p, warn)
	if !flow.WaitForDigits(steps) {
		l.noDigits(name, warn)
	}
	if !flow.Streams(steps) {
		l.noStream(name, warn)
		return
	}
	l.emptyStreams(name, p.Steps, warn)
	// mod_audio_stream's buffer is sent only if it is filled to the last byte, and its resampler has
	// room for one packet of 20 ms (F108 of controller/switchsim/FACTS.md).
	const otherPackets = "callers whose packets (ptime) are of 30, 40 or 60 ms bring no audio then, or a part of it"
	if s := p.Stream; s.Buffer > plainBuffer && s.Buffer%anyPacket != 0 {
		warn(planKey(name, "stream.buffer"), formatDuration(s.Buffer), otherPackets, "write 20ms, or 120ms, unless every caller sends packets of 20 ms")
	}
	if s := p.Stream; s.SampleRate != plainRate {
		warn(planKey(name, "stream.sample_rate"), strconv.Itoa(s.SampleRate), "narrow-band calls (8000 Hz) are resampled: "+otherPackets, "write 8000 unless every caller sends packets of 20 ms, or has a codec of this rate")
	}
}

// stepWarnings are those about the single steps of a plan, or the values that stand for them.
func (l *Loaded) stepWarnings(name string, steps []flow.Step, warn func(key, value, rule, hint string)) {
	p, most, at := l.Config.Plans[name], l.Config.Sink.MaxDuration, flow.Position{}
	for i, step := range steps {
		key := p.stepKey(name, i, step)
		if long := step.Length().Known; at.Streaming && long > most {
			warn(key, formatDuration(long), "longer than sink.max_duration ("+formatDuration(most)+"): the recording ends before the call", "")
		}
		if p.Steps != nil {
			l.schema.stepType(step.Name()).warnBelow(reflect.ValueOf(step).Elem(), key, warn)
		}
		_ = step.Follow(&at)
	}
	if p.Steps == nil {
		l.schema.root.planFields().warnBelow(reflect.ValueOf(p), join(plansKey, name), warn)
	}
}

// warnBelow warns of durations that are too long to have an effect.
func (f *field) warnBelow(v reflect.Value, key string, warn func(key, value, rule, hint string)) {
	for _, c := range f.fields {
		other := f.child(c.below)
		if other == nil || c.in(v).IsZero() {
			continue
		}
		if value, most := c.in(v), other.in(v); value.Int() >= most.Int() {
			warn(join(key, c.key), format(value), "not shorter than "+other.key+" ("+format(most)+"): it never ends the listening", "")
		}
	}
}

// noStream warns of what a plan states about its stream if it has none: the step may be forgotten.
func (l *Loaded) noStream(name string, warn func(key, value, rule, hint string)) {
	for _, v := range l.values(name) {
		path := strings.TrimPrefix(v.Key, planKey(name, ""))
		isStream := strings.HasPrefix(path, "stream.") || path == "on_stream_failure"
		if isStream && !v.Origin.Inherited && v.Origin != (Origin{}) {
			warn(v.Key, v.Value, "no step streams anything: nothing is recorded", "write the step stream where the recording begins, or remove this key")
			return
		}
	}
}

// emptyStreams warns of streams that end before anything takes time. In the flat form a call's
// variables can give it time.
func (l *Loaded) emptyStreams(name string, steps Steps, warn func(key, value, rule, hint string)) {
	at, start := flow.Position{}, 0
	check := func(end int, before string) {
		if flow.LengthOf(steps[start+1:end]) == (flow.Length{}) {
			key := l.Config.Plans[name].stepKey(name, start, steps[start])
			warn(key, "", "nothing takes time before "+before+": the recording would be empty", "write a step that takes time after it, such as listen, or remove it")
		}
	}
	for i, step := range steps {
		was := at.Streaming
		_ = step.Follow(&at)
		switch {
		case was && at.Over != "":
			check(i, at.Over)
		case was && !at.Streaming:
			check(i, l.schema.stepType(step.Name()).text(step))
		case !was:
			start = i
		}
	}
	if at.Streaming && at.Over == "" {
		check(len(steps), "the plan's end")
	}
}

// noDigits warns of what a plan says about digits if it waits for none.
func (l *Loaded) noDigits(name string, warn func(key, value, rule, hint string)) {
	stated := func(path string) bool { return !l.origin(planKey(name, path)).Inherited }
	p := l.Config.Plans[name]
	const rule, hint = "the plan waits for no digits", "say where they count by stop_on or finish_on, or remove it"
	if p.Typeahead && stated("typeahead") {
		warn(planKey(name, "typeahead"), "true", rule, hint)
	}
	if p.DTMF != "" && stated("dtmf") {
		warn(planKey(name, "dtmf"), p.DTMF, rule, hint)
	}
}

// The buffer and rate, in Hz, with which mod_audio_stream passes on every packet of a narrow-band
// call as it comes.
const (
	plainBuffer = 20 * time.Millisecond
	plainRate   = 8000
	anyPacket   = 120 * time.Millisecond // which packets of 20, 30, 40 and 60 ms all fill
)
