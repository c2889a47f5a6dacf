package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// oldest is the oldest FreeSWITCH of the line that tapdeck was measured with.
const (
	oldestMajor = 1
	oldestMinor = 10
)

func (x *examination) version(ctx context.Context) {
	const check, command = "version", "version short"
	answer, ok := x.ask(ctx, command)
	if !ok {
		return
	}
	numbers := regexp.MustCompile(`(\d{1,4})\.(\d{1,4})\.[\w.~+-]{1,60}`).FindStringSubmatch(answer)
	if numbers == nil {
		x.report(strange(check, command, answer))
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

// modules looks for those that a call needs.
func (x *examination) modules(ctx context.Context) {
	for _, need := range x.needs() {
		check, command := "module "+need.module, "module_exists "+need.module
		answer, ok := x.ask(ctx, command)
		switch {
		case !ok:
			return
		case answer == "true":
			x.report(pass(check, "loaded; it %s", need.does))
		case answer == "false":
			x.noStreamModule = x.noStreamModule || need.module == streamModule
			x.report(finding(Fail, check, "not loaded; it "+need.does, "fs_cli -x 'load "+need.module+"', and add it to autoload_configs/modules.conf.xml"))
		default:
			x.report(strange(check, command, answer))
		}
	}
}

func (x *examination) streamAPI(ctx context.Context) {
	const check, command = "API uuid_audio_stream", "show api as json"
	if x.noStreamModule {
		return // and so it can't be there
	}
	answer, ok := x.ask(ctx, command)
	if !ok {
		return
	}
	var list struct {
		Rows []struct{ Name, Syntax string } `json:"rows"`
	}
	if err := json.Unmarshal([]byte(answer), &list); err != nil || list.Rows == nil {
		x.report(strange(check, command, answer))
		return
	}
	for _, row := range list.Rows {
		if row.Name == "uuid_audio_stream" {
			x.report(pass(check, "registered"))
			return
		}
	}
	x.report(finding(Fail, check, "not registered, though "+streamModule+" is loaded",
		"fs_cli -x 'reload "+streamModule+"'; if it stays away, FreeSWITCH's log says why the module could not be loaded"))
}

// largestSkew is the difference of two clocks that is not worth a word.
const largestSkew = 2 * time.Second

// clock compares the switch's seconds with ours.
func (x *examination) clock(ctx context.Context) {
	const check, command = "clock", "strepoch"
	before := time.Now()
	answer, ok := x.ask(ctx, command)
	if !ok {
		return
	}
	after := time.Now()
	seconds, err := strconv.ParseInt(answer, 10, 64)
	if err != nil || seconds < 0 {
		x.report(strange(check, command, answer))
		return
	}
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
	answer, ok := x.ask(ctx, command)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(answer[strings.LastIndexByte(answer, ' ')+1:])
	if err != nil || !strings.HasPrefix(answer, "+OK") || n < 0 {
		x.report(strange(check, command, answer))
		return 0, false
	}
	return n, true
}
