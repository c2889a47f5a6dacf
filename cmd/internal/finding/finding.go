// Package finding is the outcome of one check, as the commands that prove something print it: what was
// looked at, what was seen, and what to do.
package finding

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
