package doctor

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"

	"tapdeck/dialplan"
)

// dialplan checks whether a socket action leads calls to tapdeck, and for which number.
func (x *examination) dialplan(ctx context.Context) {
	const check = "dialplan"
	answer, ok := x.ask(ctx, "xml_locate dialplan")
	if !ok {
		return
	}
	result, err := dialplan.Check(strings.NewReader(answer), x.Hosts)
	if err != nil {
		x.report(Unknown, check, "is mod_dialplan_xml loaded?", "the dialplan that FreeSWITCH has loaded can't be read: %v", err)
		return
	}
	if len(result.Sockets) == 0 {
		fetched, ok := x.ask(ctx, "module_exists mod_xml_curl")
		switch {
		case !ok:
			return
		case fetched == "true":
			x.report(Unknown, check, "--call proves it", "FreeSWITCH has no socket action loaded, but mod_xml_curl, which may fetch one for each call")
			return
		}
	}
	unknown := result.UnknownPlans(x.Loaded.PlanNames())
	reached := x.sockets(check, result.Sockets, unknown)
	status := map[dialplan.Severity]Status{dialplan.SeverityError: Fail, dialplan.SeverityWarning: Warn, dialplan.SeverityNote: Unknown}
	for _, f := range append(unknown, result.Findings...) {
		if !reached || f.Severity != dialplan.SeverityNote {
			x.report(status[f.Severity], check, f.Hint, "%s%s", f.Text, inExtension(f.Location))
		}
	}
}

// sockets reports the extensions that lead to tapdeck, each once, and says whether there is one.
// Those that ask for an unknown plan are reported by that.
func (x *examination) sockets(check string, sockets []dialplan.Socket, unknown []dialplan.Finding) (reached bool) {
	named := map[dialplan.Location]bool{}
	for _, f := range unknown {
		named[extension(f.Location)] = true
	}
	for _, s := range sockets {
		at := extension(s.Location)
		if s.Right && !named[at] {
			x.pass(check, "calls to %s in context %s come to tapdeck (extension %s)", number(s.Location), s.Context, s.Extension)
		}
		reached = reached || s.Right
		named[at] = named[at] || s.Right
	}
	return reached
}

// extension is what a location has in common with others of the extension.
func extension(l dialplan.Location) dialplan.Location {
	return dialplan.Location{Extension: l.Extension, Context: l.Context, Number: l.Number}
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
	if from && to && regexp.QuoteMeta(plain) == inner {
		return plain
	}
	return cmp.Or(p.Number, "any")
}
