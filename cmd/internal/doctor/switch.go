package doctor

import (
	"context"
	"slices"
	"strconv"
	"time"

	"tapdeck/controller"
)

func (x *examination) version(ctx context.Context) {
	const check = "version"
	numbers := x.match(ctx, check, "version short", `(\d{1,4})\.(\d{1,4})\.[\w.~+-]{1,60}`)
	if numbers == nil {
		return
	}
	major, _ := strconv.Atoi(numbers[1])
	minor, _ := strconv.Atoi(numbers[2])
	if slices.Compare([]int{major, minor}, []int{1, 10}) < 0 { // the oldest of the line that tapdeck was measured with
		x.report(Warn, check, "update FreeSWITCH; until then, prove it with --call", "FreeSWITCH %s is older than the 1.10 that tapdeck was tried with", numbers[0])
		return
	}
	x.pass(check, "FreeSWITCH %s", numbers[0])
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
	// The switch's time lies within the second that it names, and between before and now.
	seconds, _ := strconv.ParseInt(answer[0], 10, 64)
	ahead, behind := time.Until(time.Unix(seconds, 0)), before.Sub(time.Unix(seconds+1, 0))
	way := "ahead of"
	if behind > ahead {
		way = "behind"
	}
	if difference := max(ahead, behind); difference > largestSkew {
		x.report(Warn, check, "keep both on NTP: otherwise records and FreeSWITCH's log are hard to compare",
			"FreeSWITCH is %v %s this machine", difference.Round(time.Second), way)
		return
	}
	x.pass(check, "FreeSWITCH and this machine agree within %v", largestSkew)
}

// limits compares how many calls the switch and tapdeck allow.
func (x *examination) limits(ctx context.Context) {
	const sessions, rate = "session limit", "call rate limit"
	const number = `(?s)^\+OK.* (\d{1,9})$` // as in "+OK max sessions: 2000"
	if found := x.match(ctx, sessions, "fsctl max_sessions", number); found != nil {
		limit := x.Loaded.Config.ESL.MaxCalls
		if n, _ := strconv.Atoi(found[1]); n < limit {
			x.report(Warn, sessions, "raise max-sessions in autoload_configs/switch.conf.xml, or lower esl.max_calls",
				"FreeSWITCH allows %d sessions, fewer than esl.max_calls %d", n, limit)
		} else {
			x.pass(sessions, "FreeSWITCH allows %d sessions, tapdeck %d calls", n, limit)
		}
	}
	if found := x.match(ctx, rate, "fsctl sps", number); found != nil {
		x.pass(rate, "FreeSWITCH allows %s new sessions a second", found[1])
	}
	x.streamLimit()
}

// streamLimit compares how many streams the free v1.0.3 of the module permits and tapdeck allows. No
// command tells the module's version.
func (x *examination) streamLimit() {
	const check = "stream limit"
	if !x.anyStreams() {
		return
	}
	if n := x.Loaded.Config.Sink.MaxStreams; n > 0 && n <= controller.FreeStreams {
		x.pass(check, "sink.max_streams is %d; every build of %s permits so many", n, streamModule)
		return
	}
	x.pass(check, "tapdeck allows more than %d streams; the free v1.0.3 of %s refuses the eleventh at a time (set sink.max_streams: %[1]d for it), a build from its source has no limit", controller.FreeStreams, streamModule)
}
