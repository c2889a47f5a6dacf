package dialplan

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// place is where an action stands: what decides whether a call that comes by it comes by
// another action, too.
type place struct {
	Location
	order     int      // of the action in the file; those of an extension that are inline come first
	extension int      // in which it is
	goesOn    bool     // after the extension FreeSWITCH looks for another: continue="true"
	dialled   *dialled // what the extension asks of the number
	condition int      // under which it stands
	anti      bool     // it is an anti-action
}

// meets reports whether a call can come by both places.
func (p place) meets(q place) bool {
	if p.extension == q.extension {
		return p.condition != q.condition || p.anti == q.anti
	}
	if q.order < p.order {
		p, q = q, p
	}
	return p.goesOn && p.Context == q.Context && p.dialled.shares(q.dialled)
}

// beside reports whether a call that comes by p comes by q for sure.
func (p place) beside(q place) bool {
	return p.extension == q.extension && p.condition == q.condition && p.anti == q.anti
}

// dialled is the expression of a condition on destination_number; nil matches every number.
type dialled struct {
	expression string
	only       string         // the number that it matches, if that is clear
	re         *regexp.Regexp // nil if it is none of Go's
}

func newDialled(expression string) *dialled {
	d := &dialled{expression: expression}
	d.re, _ = regexp.Compile(expression)
	inner := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(expression, "^"), "$"), `\`, "")
	if expression == "^"+regexp.QuoteMeta(inner)+"$" {
		d.only = inner
	}
	return d
}

// matches reports whether the expression matches a number.
func (d *dialled) matches(number string) bool {
	switch {
	case d == nil:
		return true
	case d.only != "":
		return d.only == number
	}
	return d.re != nil && d.re.MatchString(number)
}

// shares reports whether a number is known that both expressions match.
func (d *dialled) shares(later *dialled) bool {
	return d == nil || later == nil || d.expression == later.expression || later.only != "" && d.matches(later.only)
}

// jump is a transfer to another number, or the same, of a context.
type jump struct {
	place
	number, context string
}

// target reads what transfer and execute_extension have in common: a number, a dialplan and a
// context.
var target = regexp.MustCompile(`(?i)^([^\s-]\S*)(?:\s+XML(?:\s+(\S+))?)?$`)

// jumped records where the action that is looked at sends the call.
func (c *checker) jumped(data string) {
	m := target.FindStringSubmatch(data)
	if m == nil {
		return
	}
	context := cmp.Or(m[2], c.at.Context)
	c.contexts = append(c.contexts, [2]string{c.at.Context, context})
	if !varies.MatchString(m[1]) {
		c.jumps[c.place.extension] = append(c.jumps[c.place.extension], jump{c.place, m[1], context})
	}
}

// leadsTo reports whether the call that jumps comes by a place.
func (j jump) leadsTo(p place) bool {
	return (p.Context == "" || p.Context == j.context) && p.dialled.matches(j.number)
}

// before reports whether a call comes by p and then by q.
func (c *checker) before(p, q place) bool {
	jumps := func(jumps []jump) bool {
		return slices.ContainsFunc(jumps, func(j jump) bool { return p.order < j.order && j.leadsTo(q) && p.meets(j.place) })
	}
	switch {
	case p.order < q.order && p.meets(q), jumps(c.jumps[p.extension]):
		return true
	case !p.goesOn:
		return false
	}
	for _, list := range c.jumps {
		if jumps(list) {
			return true
		}
	}
	return false
}

// comesTo reports whether a call that comes by p comes to tapdeck by a socket action.
func (c *checker) comesTo(p place) bool {
	return slices.ContainsFunc(c.Sockets, func(s Socket) bool {
		return s.meant && (p.meets(s.place) || c.before(p, s.place))
	})
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
