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
	// At is when the step begins: from the answer, or from the end of the
	// prompt if AfterPrompt is set (how long a prompt lasts only the switch knows).
	At          time.Duration
	AfterPrompt bool
	// Text says what happens.
	Text string
}

// Time returns when the step begins, in seconds: "0.5" or "prompt+15.0".
func (s Step) Time() string {
	if s.AfterPrompt {
		return "prompt+" + seconds(s.At)
	}
	return seconds(s.At)
}

// Timeline returns the steps of a call with this plan, in order, so that a
// person sees what a caller will hear. The times are those of the plan: what the
// switch needs for a step (some 20 ms each) is not in them.
func Timeline(p controller.Plan) []Step {
	t := timeline{}
	t.add("answer")
	t.now += p.AnswerPause
	if p.Tone.Duration > 0 {
		t.add(fmt.Sprintf("tone %d Hz for %s s", p.Tone.Frequency, plain(p.Tone.Duration)))
		t.now += p.Tone.Duration
	}
	t.add(streamText(p.Stream) + failureText(p))
	if p.Prompt != "" {
		t.add("prompt " + p.Prompt + " (its length is the switch's)")
		t.now, t.afterPrompt = 0, true
	}
	if p.Listen > 0 {
		t.add(listenText(p))
		t.now += p.Listen
	}
	t.add("stream stop")
	t.add("hangup")
	return t.steps
}

type timeline struct {
	now         time.Duration
	afterPrompt bool
	steps       []Step
}

func (t *timeline) add(text string) {
	t.steps = append(t.steps, Step{At: t.now, AfterPrompt: t.afterPrompt, Text: text})
}

func streamText(s controller.StreamPlan) string {
	return fmt.Sprintf("stream start, %s %d Hz, frames of %s", s.Mix, s.SampleRate, formatDuration(s.Buffer))
}

func failureText(p controller.Plan) string {
	otherwise := "hangup"
	switch p.OnStreamFailure {
	case controller.FailureContinue:
		otherwise = "on without a recording"
	case controller.FailureDialplan:
		otherwise = "back to the dialplan"
	}
	return fmt.Sprintf(" (connects within %s s, else %s)", plain(p.Stream.ConnectTimeout), otherwise)
}

func listenText(p controller.Plan) string {
	ends := []string{}
	if p.FinishOn != "" {
		ends = append(ends, "digit "+strings.Join(strings.Split(p.FinishOn, ""), " or "))
	}
	if p.Silence > 0 {
		ends = append(ends, plain(p.Silence)+" s of silence after speech")
	}
	ends = append(ends, "hangup")
	return fmt.Sprintf("listen %s s (ends earlier on %s)", plain(p.Listen), strings.Join(ends, ", "))
}

// seconds writes d in seconds with at least one decimal: 0.0, 0.25, 15.0.
func seconds(d time.Duration) string {
	if s := plain(d); strings.Contains(s, ".") {
		return s
	}
	return plain(d) + ".0"
}

// plain writes d in seconds with no more decimals than it needs: 0.25, 15.
func plain(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
}
