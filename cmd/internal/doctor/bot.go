package doctor

import (
	"context"
	"slices"
	"strings"
	"time"

	"tapdeck/controller/agent"
	"tapdeck/controller/flow"
)

// agents are the steps of a plan in which a caller talks with a bot.
func agents(steps []flow.Step) (list []*flow.Agent) {
	for _, step := range steps {
		if talk, is := step.(*flow.Agent); is {
			list = append(list, talk)
		}
	}
	return list
}

// bots connects with the bot of every plan, once each.
func (x *examination) bots(ctx context.Context) {
	type reached struct{ url, token, twilio string }
	var order []reached
	plans, of := map[reached][]string{}, map[reached]*flow.Bot{}
	for _, plan := range x.plans {
		for _, talk := range agents(plan.Steps) {
			key := reached{talk.URL, talk.TokenFile + "=" + talk.TokenEnv, talk.TwilioAuthTokenFile + "=" + talk.TwilioAuthTokenEnv}
			if of[key] == nil {
				order, of[key] = append(order, key), &talk.Bot
			}
			if !slices.Contains(plans[key], plan.Name) {
				plans[key] = append(plans[key], plan.Name)
			}
		}
	}
	for _, key := range order {
		x.bot(ctx, "bot of plan "+strings.Join(plans[key], ", "), of[key])
	}
}

// bot connects with one bot as a call does, and says nothing to it.
func (x *examination) bot(ctx context.Context, check string, bot *flow.Bot) {
	tokens, err := bot.Tokens()
	if err != nil {
		x.report(Fail, check, "let the user who runs doctor read the token, as tapdeck's must", "%s can't be asked: %v", bot.Host(), err)
		return
	}
	took, todo, err := agent.Reach(ctx, agent.Config{
		URL: bot.URL, Token: tokens.Bearer, TwilioAuthToken: tokens.Twilio, ConnectTimeout: bot.ConnectTimeout, Permits: bot.CheckAddress,
	})
	switch {
	case ctx.Err() != nil:
	case err != nil:
		x.report(Fail, check, todo, "%s: %v", bot.Host(), err)
	default:
		x.pass(check, "%s answers after %v; `tapdeck agent-test` tries a whole conversation", bot.Host(), took.Round(time.Millisecond))
	}
}
