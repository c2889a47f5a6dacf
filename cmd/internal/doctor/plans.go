package doctor

import (
	"slices"
	"time"

	"tapdeck/cmd/internal/config"
	"tapdeck/controller"
	"tapdeck/controller/flow"
)

// allPlans are all plans of a configuration, default first.
func allPlans(loaded *config.Loaded) (list []controller.Plan) {
	for _, name := range loaded.PlanNames() {
		plan, _ := loaded.Plan(name)
		list = append(list, plan)
	}
	return list
}

// plan is the plan of that name, nil if there is none.
func (x *examination) plan(name string) *controller.Plan {
	if i := slices.IndexFunc(x.plans, func(p controller.Plan) bool { return p.Name == name }); i >= 0 {
		return &x.plans[i]
	}
	return nil
}

// streaming are the names of the plans that have a stream.
func (x *examination) streaming() (names []string) {
	for _, p := range x.plans {
		if flow.Streams(p.Steps) {
			names = append(names, p.Name)
		}
	}
	return names
}

// anyStreams says whether any plan has a stream.
func (x *examination) anyStreams() bool { return len(x.streaming()) > 0 }

// longest is the longest time of any plan without that of its prompts, and the largest number
// of those.
func (x *examination) longest() (known time.Duration, prompts int) {
	for _, p := range x.plans {
		length := flow.LengthOf(p.Steps)
		known, prompts = max(known, length.Known), max(prompts, length.Prompts)
	}
	return known, prompts
}
