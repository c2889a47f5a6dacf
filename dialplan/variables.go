package dialplan

import (
	"regexp"
	"slices"
	"strings"
)

// variablePrefix begins the names of the channel variables that tapdeck reads.
const (
	variablePrefix = "tapdeck_"
	planVariable   = variablePrefix + "plan"
)

// VariableUse is a place where a dialplan gives a call a channel variable that tapdeck reads.
type VariableUse struct {
	Location
	// Name is in lower case, since FreeSWITCH makes no difference; it begins with tapdeck_.
	Name, Value string
	// Plan is the plan that these calls ask for: by tapdeck_plan, else by the path of the
	// socket action; empty if they name none.
	Plan string

	place place
}

// varies finds what depends on the call: a variable, or what a condition's expression has
// caught.
var varies = regexp.MustCompile(`\$[{0-9]`)

// assignment is a channel variable that an action gives the call itself.
type assignment struct{ name, value string }

// assignments lists what an action sets, in its order. What an export gives to the other leg
// alone is none.
func assignments(application, data string) (list []assignment) {
	parts := []string{data}
	switch application {
	case "set", "push", "unshift", "export", "bridge_export", "unset":
	case "multiset", "multiunset":
		parts = separate(data)
	default:
		return nil
	}
	for _, part := range parts {
		i := strings.IndexByte(part, '=')
		if i < 0 && !strings.HasSuffix(application, "export") {
			i = strings.IndexByte(part, ',')
		}
		name, value := part, ""
		if i >= 0 {
			name, value = part[:i], part[i+1:]
		}
		list = append(list, assignment{strings.ToLower(name), value})
	}
	return list
}

// separate cuts the data of multiset as FreeSWITCH does: at blanks, or at the character after
// ^^, but not within single quotes, which it removes. A backslash keeps the character after it.
func separate(data string) (parts []string) {
	delimiter := byte(' ')
	if rest, other := strings.CutPrefix(data, "^^"); other && rest != "" {
		delimiter, data = rest[0], rest[1:]
	}
	var part strings.Builder
	quoted := false
	end := func() {
		if s := strings.Trim(part.String(), " "); s != "" {
			parts = append(parts, s)
		}
		part.Reset()
	}
	for i := 0; i < len(data); i++ {
		switch b := data[i]; {
		case b == '\\' && i+1 < len(data):
			i++
			part.WriteByte(data[i])
		case b == '\'' && (quoted || strings.IndexByte(data[i+1:], '\'') >= 0):
			quoted = !quoted
		case b == delimiter && !quoted:
			end()
		default:
			part.WriteByte(b)
		}
	}
	end()
	return parts
}

// assigned records one channel variable that the action which is looked at sets.
func (c *checker) assigned(a assignment) {
	if _, ok := mediaVariables[a.name]; ok {
		c.media = append(c.media, mediaUse{c.place, a})
	}
	switch value := a.value; {
	case !strings.HasPrefix(a.name, variablePrefix), value == "", varies.MatchString(value):
	case a.name != planVariable:
		c.Variables = append(c.Variables, VariableUse{Location: c.at, Name: a.name, Value: value, place: c.place})
	case !c.pasted("plan's name", value, "there is no such plan"):
		c.Plans = append(c.Plans, PlanUse{Location: c.at, Plan: value, place: c.place})
	}
}

// judgeVariables finds the plan of each call that comes by an action which sets a variable. Those
// that judgePasted reports are left out.
func (c *checker) judgeVariables() {
	c.Variables = slices.DeleteFunc(c.Variables, func(v VariableUse) bool {
		_, odd := firstPasted(v.Name + v.Value)
		return odd && c.comesTo(v.place)
	})
	for i := range c.Variables {
		c.Variables[i].Plan = c.planOf(c.Variables[i].place)
	}
}

// planOf returns the plan of the calls that come by p, or "" if nothing names one.
func (c *checker) planOf(p place) string {
	for _, use := range slices.Backward(c.Plans) {
		if use.place.meets(p) {
			return use.Plan
		}
	}
	for _, s := range c.Sockets {
		if s.meant && p.meets(s.place) && s.Plan != "" {
			return s.Plan
		}
	}
	return ""
}
