package dialplan

import (
	"cmp"
	"slices"
	"strings"
)

// profile is one of mod_sofia, which a whole configuration has beside its dialplan.
type profile struct {
	name, context string
	params        []param
}

type param struct {
	line        int
	name, value string
}

// param keeps a parameter of the profile that is open.
func (c *checker) param(line int, name, value string) {
	if c.profile == nil {
		return
	}
	if strings.EqualFold(name, "context") {
		c.profile.context = value
	}
	c.profile.params = append(c.profile.params, param{line, name, value})
}

// judgeProfiles reports the parameters of profiles whose calls may come to tapdeck.
func (c *checker) judgeProfiles() {
	for _, p := range c.profiles {
		reached, bridged := c.reachedFrom(cmp.Or(p.context, "default"))
		if !reached {
			continue
		}
		for _, param := range p.params {
			if isTrue(param.value) {
				c.at = Location{Line: param.line}
				c.judgeParam(p.name, param.name, bridged)
			}
		}
	}
}

// judgeParam reports a parameter that a profile sets; bridged is true if a bridge comes before a
// socket action.
func (c *checker) judgeParam(profile, name string, bridged bool) {
	effects := map[string]mediaEffect{
		"inbound-proxy-media": proxied, "inbound-bypass-media": bypassed, "inbound-no-media": bypassed,
		"inbound-use-callid-as-uuid": {
			SeverityWarning,
			"a caller chooses the id of its call, the SIP Call-ID: with %41 or the like in it, or more than 256 bytes, it is taken for another call's, and tapdeck refuses one with a blank, ' or \\, or with ^^ in front",
			"remove it, or let only callers in whose Call-IDs are known; sip_call_id has the Call-ID without it",
		},
	}
	lower := strings.ToLower(name) // as mod_sofia compares
	switch effect, known := effects[lower]; {
	case !known:
	case bridged || lower == "inbound-use-callid-as-uuid":
		c.report(effect.severity, effect.hint, "profile %s, %s: %s", profile, name, effect.text)
	default:
		c.report(SeverityNote, unbridgedHint, "profile %s, %s: %s", profile, name, unbridged)
	}
}

// reachedFrom reports whether calls of a context can come to tapdeck, there or after a transfer,
// and whether after a bridge.
func (c *checker) reachedFrom(context string) (reached, bridged bool) {
	for _, s := range c.Sockets {
		if !s.meant || s.Context != "" && s.Context != context && !slices.Contains(c.contexts, [2]string{context, s.Context}) {
			continue
		}
		reached = true
		bridged = bridged || slices.ContainsFunc(c.bridges, func(b place) bool { return c.before(b, s.place) })
	}
	return reached, bridged
}
