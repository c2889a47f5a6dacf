package doctor

import (
	"fmt"
	"strconv"
	"strings"
)

// Status is how a check came out.
type Status string

// The four ways in which a check can come out.
const (
	// Pass: it is as tapdeck needs it.
	Pass Status = "pass"
	// Warn: calls work, but something is not as it should be.
	Warn Status = "warn"
	// Fail: calls will not do what they should.
	Fail Status = "fail"
	// Unknown: it can't be told from here.
	Unknown Status = "unknown"
)

// Finding is one check: what was looked at, what was seen, and what to do.
type Finding struct {
	// Check names what was looked at, such as "module mod_audio_stream".
	Check string `json:"check"`
	// Status is how it came out.
	Status Status `json:"status"`
	// Seen is what was seen.
	Seen string `json:"seen"`
	// Todo says what to do; empty if nothing needs doing.
	Todo string `json:"todo,omitempty"`
}

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
	x.Report(Finding{check, status, seen, todo})
}

// strange reports an answer that says nothing of what was asked.
func (x *examination) strange(check, command, answer string) {
	x.report(Unknown, check, "ask it yourself: fs_cli -x "+strconv.Quote(command), "FreeSWITCH answered %.120q to %q", answer, command)
}
