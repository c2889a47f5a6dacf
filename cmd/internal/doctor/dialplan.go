package doctor

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"tapdeck/cmd/internal/config"
	"tapdeck/dialplan"
)

// dialplan looks whether a socket action leads calls to tapdeck, and for which number.
func (x *examination) dialplan(ctx context.Context) {
	const check, command = "dialplan", "xml_locate dialplan"
	answer, ok := x.ask(ctx, command)
	if !ok {
		return
	}
	result, err := dialplan.Check(strings.NewReader(answer), x.Hosts)
	if err != nil {
		x.report(finding(Unknown, check, fmt.Sprintf("the dialplan that FreeSWITCH has loaded can't be read: %v", err), "is mod_dialplan_xml loaded?"))
		return
	}
	if len(result.Sockets) == 0 && x.fetched(ctx, check) || x.lost {
		return
	}
	reached := x.sockets(check, result.Sockets)
	for _, f := range result.Findings {
		if !reached || f.Severity != dialplan.SeverityNote {
			x.report(finding(statusOf(f.Severity), check, f.Text+inExtension(f.Location), f.Hint))
		}
	}
}

// sockets reports the actions that lead to tapdeck and says whether there is one.
func (x *examination) sockets(check string, sockets []dialplan.Socket) (reached bool) {
	for _, s := range sockets {
		if !s.Right {
			continue
		}
		reached = true
		if _, ok := x.Loaded.Plan(s.Plan); s.Plan != "" && !ok {
			x.report(finding(Warn, check, fmt.Sprintf("plan %q is not in the configuration, so these calls follow plan %s%s", s.Plan, config.DefaultPlan, inExtension(s.Location)),
				"write one of "+strings.Join(x.Loaded.PlanNames(), ", ")+", or add the plan"))
			continue
		}
		x.report(pass(check, "calls to %s in context %s come to tapdeck (extension %s)", number(s.Location), s.Context, s.Extension))
	}
	return reached
}

// fetched reports that the switch may fetch its dialplan for each call.
func (x *examination) fetched(ctx context.Context, check string) bool {
	answer, ok := x.ask(ctx, "module_exists mod_xml_curl")
	if !ok || answer != "true" {
		return false
	}
	x.report(finding(Unknown, check, "FreeSWITCH has no socket action loaded, but mod_xml_curl, which may fetch one for each call", "--call proves it"))
	return true
}

func statusOf(s dialplan.Severity) Status {
	switch s {
	case dialplan.SeverityError:
		return Fail
	case dialplan.SeverityWarning:
		return Warn
	}
	return Unknown
}

// inExtension says in which extension something is.
func inExtension(p dialplan.Location) string {
	if p.Extension == "" {
		return ""
	}
	return fmt.Sprintf(" (extension %s, number %s, context %s)", p.Extension, number(p), p.Context)
}

// number is what an extension's expression asks for: the number itself if it is
// nothing but one.
func number(p dialplan.Location) string {
	inner, from := strings.CutPrefix(p.Number, "^")
	inner, to := strings.CutSuffix(inner, "$")
	plain := strings.ReplaceAll(inner, `\`, "")
	switch {
	case p.Number == "":
		return "any"
	case from && to && regexp.QuoteMeta(plain) == inner:
		return plain
	}
	return p.Number
}
