package dialplan

import (
	"regexp"
	"slices"
	"strings"
)

// hookPrefix begins the names of the variables that FreeSWITCH acts upon in the course of a call.
const hookPrefix = `(?:api|exec|execute|bridge_pre_execute)_`

var (
	// hookVariable matches the names that begin with hookPrefix.
	hookVariable = regexp.MustCompile(`^` + hookPrefix)
	// hangupHook matches those by which it calls an API command behind the end of a call.
	hangupHook = regexp.MustCompile(`(?i)^api_(hangup|reporting)_hook`)
	// answerHook matches those that act once, as the call is answered or first has audio.
	answerHook = regexp.MustCompile(`^(?:api|execute)_on_(?:answer|(pre_answer|media))`)
	// ownStream finds a call of the API for the channel that expands it, not for another leg.
	ownStream = regexp.MustCompile(`(?i)uuid_audio_stream\s+\$\{(?:uuid|unique[_-]id)\}`)
	// expansion is a variable in a value.
	expansion = regexp.MustCompile(`\$\{[^}({]+\}`)
)

// quiet are the applications, beside those that set variables, which neither answer a call nor
// begin its audio.
var quiet = []string{"log", "info", "hash", "db"}

// change is a place that gives such a variable another value.
type change struct {
	place
	name string
}

// course is what the actions so far do to a call.
type course struct {
	commands map[string]string // variables of the extension that hold a call of uuid_audio_stream
	changes  []change
	answers  []place // answer
	audio    []place // answer or pre_answer
	acts     []place // all that is not quiet
}

// follow keeps what an action does to the variables that act later.
func (c *checker) follow(application, data string) {
	list := assignments(application, data)
	for _, a := range list {
		delete(c.commands, a.name)
		if strings.Contains(a.value, "uuid_audio_stream") {
			c.commands[a.name] = a.value
		}
		if hookVariable.MatchString(a.name) && application != "push" && application != "unshift" {
			c.changes = append(c.changes, change{c.place, a.name})
		}
	}
	if len(list) == 0 && !slices.Contains(quiet, application) {
		c.acts = append(c.acts, c.place)
	}
	switch application {
	case "answer":
		c.answers = append(c.answers, c.place)
		c.audio = append(c.audio, c.place)
	case "pre_answer":
		c.audio = append(c.audio, c.place)
	}
}

// spelledOut returns the data of an action that sets variables with = and with the commands that
// other variables hold.
func (c *checker) spelledOut(application, data string) string {
	switch application {
	case "set", "push", "unshift":
		if !strings.Contains(data, "=") {
			data = strings.Replace(data, ",", "=", 1)
		}
	case "export", "bridge_export", "multiset":
	default:
		return data
	}
	return expansion.ReplaceAllStringFunc(data, func(s string) string {
		if command, ok := c.commands[strings.ToLower(s[2:len(s)-1])]; ok {
			return command
		}
		return s
	})
}

// hooks records the variables in an action's data that call uuid_audio_stream later.
func (c *checker) hooks(application, data string) {
	for _, m := range c.hook.FindAllStringSubmatch(data, -1) {
		u := use{place: c.place, severity: SeverityError, anywhere: true, what: m[2] + calling, why: second, hint: removeStream, hook: strings.ToLower(m[2])}
		u.leg = m[1] != "" || application == "bridge"
		u.own = !u.leg || ownStream.MatchString(data)
		switch {
		case hangupHook.MatchString(m[2]):
			u.severity, u.why = SeverityNote, ": the call is over by then, and so is tapdeck's stream"
		case c.noApplication.MatchString(strings.TrimPrefix(m[0], m[1])):
			u.own = !u.leg
			u.why = ": as an application, which it is not, and so FreeSWITCH hangs the call up"
		}
		c.uses = append(c.uses, u)
	}
}

// tooLate reports whether what u waits for has happened for sure before u is set.
func (c *checker) tooLate(u use) bool {
	m := answerHook.FindStringSubmatch(u.hook)
	if m == nil {
		return false
	}
	events := c.answers
	if m[1] != "" {
		events = c.audio
	}
	return slices.ContainsFunc(events, func(p place) bool { return p.order < u.order && p.beside(u.place) })
}

// withdrawn reports whether a call comes to each of the socket actions with another value of the
// variable, and nothing can have acted upon that of u.
func (c *checker) withdrawn(u use, sockets []place) bool {
	for _, s := range sockets {
		if u.hook == "" || !slices.ContainsFunc(c.changes, func(x change) bool { return x.name == u.hook && c.undoes(x.place, u.place, s) }) {
			return false
		}
	}
	return true
}

// undoes reports whether a call that comes by p and by s comes by x between them for sure, and by
// nothing that acts between p and x.
func (c *checker) undoes(x, p, s place) bool {
	return p.order < x.order && (x.beside(p) || x.beside(s)) && c.before(p, x) && c.before(x, s) &&
		!slices.ContainsFunc(c.acts, func(a place) bool { return p.order < a.order && a.order < x.order })
}
