package dialplan

import (
	"regexp"
	"strings"
)

// place is where an action stands: what decides whether a call that comes by it comes by
// another action, too.
type place struct {
	Location
	order     int  // of the action in the file
	extension int  // in which it is
	goesOn    bool // after the extension FreeSWITCH looks for another: continue="true"
	condition int  // under which it stands
	anti      bool // it is an anti-action
}

// meets reports whether a call can come by both places.
func (p place) meets(q place) bool {
	if p.extension == q.extension {
		return p.condition != q.condition || p.anti == q.anti
	}
	if q.order < p.order {
		p, q = q, p
	}
	return p.goesOn && p.Context == q.Context && sameNumber(p.Number, q.Number)
}

// sameNumber reports whether a number is known that both expressions match: the expression of
// an extension that goes on, and that of a later one. No expression matches every number.
func sameNumber(goesOn, later string) bool {
	if goesOn == "" || goesOn == later {
		return true
	}
	inner := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(later, "^"), "$"), `\`, "")
	number := regexp.QuoteMeta(inner)
	if later != "^"+number+"$" {
		return false
	}
	re, err := regexp.Compile(goesOn)
	return err == nil && re.MatchString(inner)
}

// comesTo reports whether a call that comes by p comes to tapdeck by a socket action.
func (c *checker) comesTo(p place) bool {
	for _, s := range c.Sockets {
		if s.meant && p.meets(s.place) {
			return true
		}
	}
	return false
}

// isTrue reads a boolean as FreeSWITCH does.
func isTrue(s string) bool {
	switch strings.ToLower(s) {
	case "yes", "on", "true", "t", "enabled", "active", "allow":
		return true
	}
	digits := strings.TrimLeft(s, "-+")
	return strings.Trim(digits, "0123456789.") == "" && strings.Trim(digits, "0.") != ""
}
