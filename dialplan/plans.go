package dialplan

import (
	"fmt"
	"slices"
	"strings"
)

// UnknownPlans returns a warning for each plan that the dialplan asks for, by the path of a
// socket action that is right or by tapdeck_plan, and that the controller does not know. It
// knows these, and the first is the one that such calls follow.
func (r Result) UnknownPlans(known []string) (findings []Finding) {
	check := func(at Location, plan, by string) {
		if plan == "" || slices.Contains(known, plan) {
			return
		}
		findings = append(findings, Finding{
			Location: at, Severity: SeverityWarning,
			Text: fmt.Sprintf("plan %q, by %s, is not in the configuration, so these calls follow plan %s", plan, by, known[0]),
			Hint: "write one of " + strings.Join(known, ", ") + ", or add the plan",
		})
	}
	for _, s := range r.Sockets {
		if s.Right {
			check(s.Location, s.Plan, "the socket action's path")
		}
	}
	for _, use := range r.Plans {
		check(use.Location, use.Plan, "tapdeck_plan")
	}
	return findings
}
