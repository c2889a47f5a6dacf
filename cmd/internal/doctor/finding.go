package doctor

import "fmt"

// Status is how a check came out.
type Status string

// The four ways in which a check can come out.
const (
	// Pass: it is as tapdeck needs it.
	Pass Status = "pass"
	// Warn: calls work, but something is not as it should be.
	Warn Status = "warn"
	// Fail: calls will not work.
	Fail Status = "fail"
	// Unknown: FreeSWITCH can't tell.
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
	// Todo says what to do; empty where nothing needs doing.
	Todo string `json:"todo,omitempty"`
}

func pass(check, seen string, args ...any) Finding {
	return Finding{Check: check, Status: Pass, Seen: fmt.Sprintf(seen, args...)}
}

func finding(status Status, check, seen, todo string) Finding {
	return Finding{Check: check, Status: status, Seen: seen, Todo: todo}
}
