package config

import (
	"fmt"

	"tapdeck/controller"
	"tapdeck/controller/flow"
)

// Timeline returns what a caller of a plan hears, in order.
func Timeline(p controller.Plan) []flow.Line {
	otherwise := map[controller.OnStreamFailure]string{
		controller.FailureHangup: "hangup", controller.FailureContinue: "on without a recording", controller.FailureDialplan: "back to the dialplan",
	}
	return flow.Describe(p.Steps, fmt.Sprintf("%s %d Hz, frames of %s (connects within %s s, else %s)", p.Stream.Mix, p.Stream.SampleRate,
		formatDuration(p.Stream.Buffer), flow.Seconds(p.Stream.ConnectTimeout), otherwise[p.OnStreamFailure]))
}
