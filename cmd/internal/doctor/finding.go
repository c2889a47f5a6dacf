package doctor

import (
	"fmt"
	"strconv"
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

func pass(check, seen string, args ...any) Finding {
	return Finding{Check: check, Status: Pass, Seen: fmt.Sprintf(seen, args...)}
}

func finding(status Status, check, seen, todo string) Finding {
	return Finding{Check: check, Status: status, Seen: seen, Todo: todo}
}

// strange is an answer that says nothing of what was asked.
func strange(check, command, answer string) Finding {
	return finding(Unknown, check, fmt.Sprintf("FreeSWITCH answered %s to %q", quote(answer), command), "ask it yourself: fs_cli -x "+strconv.Quote(command))
}

// quoted is how many bytes of a foreign text a finding shows.
const quoted = 120

// quote makes a foreign text one printable, bounded word.
func quote(text string) string {
	if len(text) > quoted {
		return strconv.Quote(text[:quoted]) + "…"
	}
	return strconv.Quote(text)
}
