package controller

import (
	"go.uber.org/zap"

	"tapdeck/controller/flow"
)

// Why a call that went as it should has no recording.
const (
	unrecordedPlan   = "no_stream_step"     // the plan has none
	unrecordedAnswer = "not_answered"       // the call was over before that
	unrecordedEarly  = "stream_not_reached" // … or before its stream
	unrecordedWait   = "no_socket_yet"      // the call was over while it was awaited
)

var unrecordedHints = map[string]string{
	unrecordedPlan:   "the plan has no step stream, so its calls are not recorded; if they are to be, write stream behind its answer, or name another plan (tapdeck_plan, or the path in the socket action)",
	unrecordedAnswer: "the call ended before the plan had answered it: nothing was said yet",
	unrecordedEarly:  "the call ended before its stream began, which a flat plan starts behind answer_pause and tone; if what is said before is to be recorded, write stream further up in the plan's steps",
	unrecordedWait:   "the call ended while the stream's socket was still awaited; if that took long, tapdeck doctor tests the way to sink.advertise",
}

// logUnrecorded says why a call has no recording, if no other line does: one that was refused, or
// whose stream has failed, has its error.
func (c *call) logUnrecorded() {
	if cause := c.unrecorded(); cause != "" {
		c.log.Info("no recording", zap.String("cause", cause), zap.String("step", c.place(c.step)), zap.String("hint", unrecordedHints[cause]))
	}
}

func (c *call) unrecorded() string {
	switch {
	case c.step == "", c.stream.failure != nil: // it came to no step, or has its error
		return ""
	case !flow.Streams(c.plan.Steps):
		return unrecordedPlan
	case !c.wasAnswered:
		return unrecordedAnswer
	case c.stream.first.IsZero():
		return unrecordedEarly
	case c.rec.State().Connections == 0:
		return unrecordedWait
	}
	return ""
}
