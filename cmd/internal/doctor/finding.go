package doctor

import (
	"fmt"
	"strconv"
	"strings"

	"tapdeck/cmd/internal/finding"
)

// What a check is and how it comes out, by the names that a user of Examine needs.
type (
	Finding = finding.Finding
	Status  = finding.Status
)

// The four ways in which a check can come out.
const (
	Pass    = finding.Pass
	Warn    = finding.Warn
	Fail    = finding.Fail
	Unknown = finding.Unknown
)

func (x *examination) pass(check, seen string, args ...any) { x.report(Pass, check, "", seen, args...) }

// report hands a finding on. An answer that repeats the password is no reason to
// print it.
func (x *examination) report(status Status, check, todo, seen string, args ...any) {
	seen = fmt.Sprintf(seen, args...)
	const shortest = 4 // a shorter one would be found in any text
	if len(x.Password) >= shortest {
		seen, todo = strings.ReplaceAll(seen, x.Password, "***"), strings.ReplaceAll(todo, x.Password, "***")
	}
	x.failed = x.failed || status == Fail
	x.Report(Finding{Check: check, Status: status, Seen: seen, Todo: todo})
}

// strange reports an answer that says nothing of what was asked.
func (x *examination) strange(check, command, answer string) {
	x.report(Unknown, check, "ask it yourself: fs_cli -x "+strconv.Quote(command), "FreeSWITCH answered %.120q to %q", answer, command)
}
