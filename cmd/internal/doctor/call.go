package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tapdeck/cmd/internal/callview"
)

// The pattern that the caller of a test call says: a tone that goes on and off.
const (
	patternHz  = 1000
	patternOn  = 200 * time.Millisecond
	patternOff = 200 * time.Millisecond
)

// testCall is the name of the check of a call as a whole.
const testCall = "test call"

const seeLog = "FreeSWITCH's log says why"

// call places a call from the switch itself and looks for what its caller said
// in the recording.
func (x *examination) call(ctx context.Context) {
	if x.Call == "" {
		return
	}
	id, caller := uuid.NewString(), fmt.Sprintf("7%09d", rand.IntN(1_000_000_000)) // which no other call has
	x.Progress(fmt.Sprintf("calling %s in context %s; the longest plan takes %s", x.Call, x.Context, x.longestText()))
	record, ok := x.originate(ctx, id, caller)
	if !ok {
		x.hangUp(ctx, id) // it may be up still
		return
	}
	transferred := record.Result == "transferred"
	if transferred {
		x.hangUp(ctx, id) // nobody else does, where it is now
	}
	switch {
	case record.Result == "completed":
		x.pass(testCall, "call %s to %s was completed by plan %s", record.Call, x.Call, record.Plan)
	case transferred && record.Err == "":
		x.pass(testCall, "call %s to %s was transferred by plan %s, as that says", record.Call, x.Call, record.Plan)
	default:
		x.report(Fail, testCall, x.recordHint(record), "call %s ended with %s%s", record.Call, record.Result, because(record.Err))
		return
	}
	x.conversation(record)
	x.listen(record)
}

// hangUp ends the call that was placed.
func (x *examination) hangUp(ctx context.Context, id string) {
	_, _ = x.query(context.WithoutCancel(ctx), "uuid_kill "+id, x.timeouts.reach)
}

// longestText says how long a call can take.
func (x *examination) longestText() string {
	known, prompts := x.longest()
	switch prompts {
	case 0:
		return known.String()
	case 1:
		return known.String() + " and its prompt"
	}
	return known.String() + " and its prompts"
}

// originate places the call and returns its record, if it has one.
func (x *examination) originate(ctx context.Context, id, caller string) (*callview.Record, bool) {
	// Inline, because &APP(DATA) ends at the first closing parenthesis.
	sound := cmp.Or(x.voice, fmt.Sprintf("tone_stream://%%(%d,%d,%d)", patternOn.Milliseconds(), patternOff.Milliseconds(), patternHz))
	voice := "m:^:endless_playback:" + sound + " inline"
	answer, err := x.query(ctx, fmt.Sprintf("originate {origination_uuid=%s,origination_caller_id_number=%s,origination_caller_id_name=tapdeck-doctor,loopback_bowout=false}loopback/%s/%s %s",
		id, caller, x.Call, x.Context, voice), x.timeouts.originate)
	to := fmt.Sprintf("a call to %s in context %s", x.Call, x.Context)
	switch {
	case ctx.Err() != nil:
	case err != nil && !errors.Is(err, errSilent):
		x.report(Fail, testCall, seeLog, "%s: %s while it was placed", to, ended(err, x.timeouts.originate))
	case strings.HasPrefix(answer, "+OK"):
		return x.follow(ctx, caller)
	default:
		if record := x.unanswered(ctx, caller); record != nil {
			return record, true
		}
		x.notAnswered(err, answer, to)
	}
	return nil, false
}

// notAnswered reports a call that was not answered, and of which tapdeck has no record.
func (x *examination) notAnswered(err error, answer, to string) {
	if err != nil {
		x.report(Fail, testCall, "tapdeck answers at once: where does the dialplan send this number?", "%s was not answered within %v", to, x.timeouts.originate)
		return
	}
	x.report(Fail, testCall, originateHint(answer), "FreeSWITCH answered %.120q to %s", answer, to)
}

func originateHint(answer string) string {
	switch {
	case strings.Contains(answer, "NO_ROUTE_DESTINATION"):
		return "there is no such number in that context: `tapdeck dialplan` prints the extension to add, --context names another context"
	case strings.Contains(answer, "CHAN_NOT_IMPLEMENTED"):
		return "fs_cli -x 'load mod_loopback'"
	case strings.Contains(answer, "NORMAL_CLEARING"), strings.Contains(answer, "NORMAL_TEMPORARY_FAILURE"):
		return "no tapdeck accepted the call, or knows of it: does it run, with slots free, and does that extension's socket action name its address?"
	}
	return seeLog
}

// unanswered is the record of a call that tapdeck accepted and did not answer, nil if it soon
// has none.
func (x *examination) unanswered(ctx context.Context, caller string) *callview.Record {
	for until := time.Now().Add(x.timeouts.unanswered); !x.daemonAway; {
		page, err := x.calls(ctx)
		if record := endedCall(page, caller); record != nil {
			return record
		}
		if err != nil || time.Now().After(until) {
			return nil
		}
		select {
		case <-time.After(x.timeouts.poll):
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// endedCall is the record of the call of a caller, nil if the page has none.
func endedCall(page *callview.Page, caller string) *callview.Record {
	if i := slices.IndexFunc(page.Ended, func(r callview.Record) bool { return r.Caller == caller }); i >= 0 {
		return &page.Ended[i]
	}
	return nil
}

// follow waits until the daemon says that the call of this caller has ended.
func (x *examination) follow(ctx context.Context, caller string) (*callview.Record, bool) {
	known, prompts := x.longest()
	limit := time.Duration(max(1, prompts))*x.timeouts.call + known
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	appear := time.Now().Add(x.timeouts.appear)
	for seen := false; ; {
		page, err := x.calls(limited)
		if record := endedCall(page, caller); record != nil {
			return record, true
		}
		seen = seen || slices.ContainsFunc(page.Running, func(r callview.Running) bool { return r.Caller == caller })
		switch {
		case ctx.Err() != nil:
		case limited.Err() != nil:
			x.report(Fail, testCall, "in which step is it? tapdeck calls", "not over after %v", limit)
		case err != nil:
			x.report(Fail, testCall, "does the daemon run with this configuration's admin.listen and admin.token?",
				"was answered, but the daemon's /calls can't be read (%v)", err)
		case !seen && time.Now().After(appear):
			x.report(Fail, testCall, "does the extension of "+x.Call+" name another host, or something that answers by itself?",
				"was answered, but not by the tapdeck at admin.listen %s, which knows nothing of it", x.Loaded.Config.Admin.Listen)
		default:
			select {
			case <-time.After(x.timeouts.poll):
			case <-limited.Done():
			}
			continue
		}
		return nil, false
	}
}

func because(err string) string {
	if err == "" {
		return ""
	}
	return ": " + err
}

// recordHint is what to do about a call that was not as it should be: the daemon's own words,
// without those that send the reader here, and for an address the way to try it.
func (x *examination) recordHint(r *callview.Record) string {
	if r.Hint == "" {
		return x.resultHint(r)
	}
	hint := regexp.MustCompile("[,;] `?tapdeck doctor`? \\w+( it)?").ReplaceAllString(r.Hint, "")
	if r.Timeline.At("stream_connected") == nil && strings.Contains(hint, "sink.advertise") {
		hint += "; from the switch's own machine, " + x.tryAddress()
	}
	return hint
}

// tryAddress asks whether the sink can be reached.
func (x *examination) tryAddress() string {
	return fmt.Sprintf("does `curl -i %s` get any answer?", strings.Replace(x.Loaded.Config.Sink.Advertise, "ws", "http", 1))
}

// resultHint is what to do about a call of which the daemon does not say it.
func (x *examination) resultHint(r *callview.Record) string {
	switch r.Result {
	case "stream_failed":
		if r.Timeline.At("stream_connected") != nil {
			return "the stream was there, and broke: is the network between FreeSWITCH and tapdeck in order? Both logs say more of call " + r.Call
		}
		return fmt.Sprintf("FreeSWITCH did not reach sink.advertise %s: from the switch's own machine, %s sink.allow must hold FreeSWITCH's address, and wss:// needs a module built with TLS",
			x.Loaded.Config.Sink.Advertise, x.tryAddress())
	case "agent_failed":
		return "the bot could not be reached or heard, or was lost: the check of the plan's bot, and the bot's own log, say more"
	case "misconfigured":
		return "`tapdeck dialplan` prints the extension as it must be"
	case "refused":
		return "tapdeck is full or draining: wait, or raise esl.max_calls"
	case "switch_lost":
		return "FreeSWITCH closed the event socket within the call: its log says why"
	}
	return "tapdeck's log says more: look for " + r.Call
}
