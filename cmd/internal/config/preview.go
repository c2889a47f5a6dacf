package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tapdeck/controller"
)

// Step is one step of a call's timeline.
type Step struct {
	// Time is when the step begins in seconds, from the answer ("0.5") or from
	// the end of the prompt ("prompt+15.0"): how long that lasts only the switch knows.
	Time string
	// Text says what happens.
	Text string
}

// Timeline returns the steps of a call with this plan, in order, so that a
// person sees what a caller will hear. The times are those of the plan: what the
// switch needs for a step (some 20 ms each, F20 of controller/switchsim/FACTS.md) is not in them.
func Timeline(p controller.Plan) []Step {
	var steps []Step
	now, from := time.Duration(0), ""
	add := func(lasts time.Duration, format string, values ...any) {
		at := seconds(now)
		if !strings.Contains(at, ".") {
			at += ".0"
		}
		steps = append(steps, Step{Time: from + at, Text: fmt.Sprintf(format, values...)})
		now += lasts
	}
	add(p.AnswerPause, "answer")
	if p.Tone.Duration > 0 {
		add(p.Tone.Duration, "tone %d Hz for %s s", p.Tone.Frequency, seconds(p.Tone.Duration))
	}
	otherwise := map[controller.OnStreamFailure]string{
		controller.FailureHangup: "hangup", controller.FailureContinue: "on without a recording", controller.FailureDialplan: "back to the dialplan",
	}
	add(0, "stream start, %s %d Hz, frames of %s (connects within %s s, else %s)", p.Stream.Mix, p.Stream.SampleRate,
		formatDuration(p.Stream.Buffer), seconds(p.Stream.ConnectTimeout), otherwise[p.OnStreamFailure])
	if p.Prompt != "" {
		add(0, "prompt %s (its length is the switch's)", p.Prompt)
		now, from = 0, "prompt+"
	}
	if p.Listen > 0 {
		add(p.Listen, "listen %s s (ends earlier on %shangup)", seconds(p.Listen), listenEnds(p))
	}
	add(0, "stream stop")
	add(0, "hangup")
	return steps
}

func listenEnds(p controller.Plan) (ends string) {
	if p.FinishOn != "" {
		ends = "digit " + strings.Join(strings.Split(p.FinishOn, ""), " or ") + ", "
	}
	if p.Silence > 0 {
		ends += seconds(p.Silence) + " s of silence after speech, "
	}
	return ends
}

// seconds writes d in seconds with no more decimals than it needs: 0.25, 15.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
