package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/transcript"
)

// transcribers sends the service of every plan a moment of silence, once each.
func (x *examination) transcribers(ctx context.Context) {
	var order []string
	plans, of := map[string][]string{}, map[string]controller.Plan{}
	for _, plan := range x.plans {
		s := plan.Transcribe
		if s.URL == "" || !flow.Streams(plan.Steps) {
			continue
		}
		key := fmt.Sprintf("%q %d %d", []any{s.URL, s.Format, s.KeyFile, s.KeyEnv, s.Model, s.Language, s.Parameters}, len(plan.Stream.Transcribed(plan.Transcribe.Multichannel())), plan.Stream.SampleRate)
		if plans[key] == nil {
			order, of[key] = append(order, key), plan
		}
		plans[key] = append(plans[key], plan.Name)
	}
	for _, key := range order {
		x.transcriber(ctx, "transcriber of plan "+strings.Join(plans[key], ", "), of[key])
	}
}

// transcriber sends one service silence as it would send a call.
func (x *examination) transcriber(ctx context.Context, check string, plan controller.Plan) {
	service := plan.Transcribe
	key, err := service.Key()
	if err != nil {
		x.report(Fail, check, "let the user who runs doctor read the key, as tapdeck's must", "%s can't be asked: %v", service.Host(), err)
		return
	}
	service.FinalTimeout = max(service.FinalTimeout, x.timeouts.answer) // nobody waits on the line
	took, todo, err := transcript.Reach(ctx, transcript.Config{Service: service, Key: key, Rate: plan.Stream.SampleRate, Channels: plan.Stream.Transcribed(plan.Transcribe.Multichannel())})
	switch {
	case ctx.Err() != nil:
	case err != nil:
		x.report(Fail, check, todo, "%s: %v", service.Host(), err)
	default:
		x.pass(check, "%s answers after %v; `tapdeck transcribe` has it transcribe a recording", service.Host(), took.Round(time.Millisecond))
	}
}
