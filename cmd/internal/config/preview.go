package config

import (
	"fmt"
	"net/url"

	"tapdeck/controller"
	"tapdeck/controller/flow"
)

// Timeline returns what a caller of a plan hears, in order.
func Timeline(p controller.Plan) []flow.Line {
	otherwise := map[controller.OnStreamFailure]string{
		controller.FailureHangup: "hangup", controller.FailureContinue: "on without a recording", controller.FailureDialplan: "back to the dialplan",
	}
	stream := fmt.Sprintf("%s %d Hz, frames of %s (connects within %s s, else %s)", p.Stream.Mix, p.Stream.SampleRate,
		formatDuration(p.Stream.Buffer), flow.Seconds(p.Stream.ConnectTimeout), otherwise[p.OnStreamFailure])
	if u, err := url.Parse(p.Transcribe.URL); err == nil && u.Host != "" {
		stream += fmt.Sprintf(", transcribed by %s (%s)", u.Host, p.Transcribe.Format)
	}
	return flow.Describe(p.Steps, stream)
}
