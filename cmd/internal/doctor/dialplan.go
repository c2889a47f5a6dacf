package doctor

import (
	"context"
	"fmt"
	"strings"

	"tapdeck/dialplan"
)

// dialplan looks whether a socket action leads calls to tapdeck, and for which number.
func (x *examination) dialplan(ctx context.Context) {
	const check = "dialplan"
	answer, ok := x.ask(ctx, check, "xml_locate dialplan")
	if !ok {
		return
	}
	result, err := dialplan.Check(strings.NewReader(answer), dialplan.Expect{Hosts: []string{x.Loaded.Config.ESL.Listen}})
	if err != nil {
		x.report(finding(Unknown, check, "the dialplan that the switch has loaded can't be read: "+err.Error(), "is mod_dialplan_xml loaded?"))
		return
	}
	reached := false
	for _, s := range result.Sockets {
		if s.Right {
			reached = true
			x.report(pass(check, "extension %s, number %s in context %s comes to tapdeck", s.Extension, s.Number, s.Context))
		}
	}
	for _, f := range result.Findings {
		if reached && f.Severity == dialplan.SeverityNote {
			continue
		}
		x.report(finding(statusOf(f.Severity), check, strings.TrimSpace(f.Text+where(f.Place)), f.Hint))
	}
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

func where(p dialplan.Place) string {
	if p.Extension == "" {
		return ""
	}
	return fmt.Sprintf(" (extension %s, number %s, context %s)", p.Extension, p.Number, p.Context)
}
