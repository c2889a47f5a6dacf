package dialplan

import (
	"regexp"
	"strings"
)

var (
	// hangupHook matches the variables by which FreeSWITCH calls an API command behind the end of a call.
	hangupHook = regexp.MustCompile(`(?i)^api_(hangup|reporting)_hook`)
	// ownStream finds a call of the API for the channel that expands it, not for another leg.
	ownStream = regexp.MustCompile(`(?i)uuid_audio_stream\s+\$\{(?:uuid|unique[_-]id)\}`)
)

// hooks records the variables in an action's data that call uuid_audio_stream later.
func (c *checker) hooks(application, data string) {
	for _, m := range c.hook.FindAllStringSubmatch(data, -1) {
		u := use{place: c.place, severity: SeverityError, anywhere: true, what: m[2] + calling, why: second, hint: removeStream}
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
