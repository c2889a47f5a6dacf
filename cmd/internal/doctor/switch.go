package doctor

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// oldest is the oldest FreeSWITCH of the line that tapdeck was measured with.
const (
	oldestMajor = 1
	oldestMinor = 10
)

func (x *examination) version(ctx context.Context) {
	const check = "version"
	numbers := x.match(ctx, check, "version short", `(\d{1,4})\.(\d{1,4})\.[\w.~+-]{1,60}`)
	if numbers == nil {
		return
	}
	major, _ := strconv.Atoi(numbers[1])
	minor, _ := strconv.Atoi(numbers[2])
	if major < oldestMajor || major == oldestMajor && minor < oldestMinor {
		x.report(finding(Warn, check, fmt.Sprintf("FreeSWITCH %s is older than the %d.%d that tapdeck was tried with", numbers[0], oldestMajor, oldestMinor),
			"update FreeSWITCH; until then, prove it with --call"))
		return
	}
	x.report(pass(check, "FreeSWITCH %s", numbers[0]))
}

// largestSkew is the difference of two clocks that is not worth a word.
const largestSkew = 2 * time.Second

// clock compares the switch's seconds with ours.
func (x *examination) clock(ctx context.Context) {
	const check = "clock"
	before := time.Now()
	answer := x.match(ctx, check, "strepoch", `^\d{1,12}$`)
	if answer == nil {
		return
	}
	after := time.Now()
	seconds, _ := strconv.ParseInt(answer[0], 10, 64)
	// The switch's time lies within the second that it names, and between before and after.
	from, to := time.Unix(seconds, 0), time.Unix(seconds+1, 0)
	difference, way := time.Duration(0), ""
	switch {
	case from.After(after):
		difference, way = from.Sub(after), "ahead of"
	case to.Before(before):
		difference, way = before.Sub(to), "behind"
	}
	if difference > largestSkew {
		x.report(finding(Warn, check, fmt.Sprintf("FreeSWITCH is %v %s this machine", difference.Round(time.Second), way),
			"keep both on NTP: otherwise records and FreeSWITCH's log are hard to compare"))
		return
	}
	x.report(pass(check, "FreeSWITCH and this machine agree within %v", largestSkew))
}

// limits compares how many calls the switch takes with how many tapdeck does.
func (x *examination) limits(ctx context.Context) {
	const sessions, rate = "session limit", "call rate limit"
	n, ok := x.number(ctx, sessions, "fsctl max_sessions")
	switch limit := x.Loaded.Config.ESL.MaxCalls; {
	case ok && n < limit:
		x.report(finding(Warn, sessions, fmt.Sprintf("FreeSWITCH takes %d sessions, fewer than esl.max_calls %d", n, limit), "raise max-sessions in autoload_configs/switch.conf.xml, or lower esl.max_calls"))
	case ok:
		x.report(pass(sessions, "FreeSWITCH takes %d sessions, tapdeck %d calls", n, limit))
	}
	if x.lost {
		return
	}
	if n, ok = x.number(ctx, rate, "fsctl sps"); ok {
		x.report(pass(rate, "FreeSWITCH takes %d new sessions a second", n))
	}
}

// number is the number at the end of an API's answer, as in "+OK max sessions: 2000".
func (x *examination) number(ctx context.Context, check, command string) (int, bool) {
	answer := x.match(ctx, check, command, `(?s)^\+OK.* (\d{1,9})$`)
	if answer == nil {
		return 0, false
	}
	n, err := strconv.Atoi(answer[1])
	return n, err == nil
}
