package doctor

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"tapdeck/controller"
)

// streamModule is the module of uuid_audio_stream.
const streamModule = "mod_audio_stream"

// need is a module, and what it does for a call.
type need struct{ module, does string }

// needs are the modules that calls by the configured plans need.
func (x *examination) needs() []need {
	needs := []need{
		{"mod_event_socket", "hands calls to tapdeck"},
		{"mod_dptools", "has answer, playback and hangup"},
		{streamModule, "streams the audio"},
	}
	add := func(module, does string) {
		if module != "" && !slices.ContainsFunc(needs, func(n need) bool { return n.module == module }) {
			needs = append(needs, need{module, does})
		}
	}
	for _, plan := range x.plans() {
		if plan.Tone.Duration > 0 {
			add("mod_tone_stream", "plays the tone of plan "+plan.Name)
		}
		add(player(plan.Prompt), "plays the prompt of plan "+plan.Name)
	}
	if x.Call != "" {
		add("mod_loopback", "places the test call")
		add("mod_tone_stream", "is the voice of the test call")
	}
	return needs
}

// modules looks for those that a call needs.
func (x *examination) modules(ctx context.Context) {
	for _, need := range x.needs() {
		check := "module " + need.module
		loaded := x.match(ctx, check, "module_exists "+need.module, `^(true|false)$`)
		switch {
		case loaded == nil:
		case loaded[0] == "true":
			x.pass(check, "loaded; it %s", need.does)
		default:
			x.noStreamModule = x.noStreamModule || need.module == streamModule
			x.report(Fail, check, "fs_cli -x 'load "+need.module+"', and add it to autoload_configs/modules.conf.xml", "not loaded; it %s", need.does)
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
	type api struct{ Name string }
	var list struct{ Rows []api }
	err := json.Unmarshal([]byte(answer), &list)
	switch {
	case err != nil || list.Rows == nil:
		x.strange(check, command, answer)
	case slices.Contains(list.Rows, api{"uuid_audio_stream"}):
		x.pass(check, "registered")
	default:
		x.report(Fail, check, "fs_cli -x 'reload "+streamModule+"'; if it stays away, FreeSWITCH's log says why the module could not be loaded",
			"not registered, though %s is loaded", streamModule)
	}
}

// plans are all plans, default first.
func (x *examination) plans() []controller.Plan {
	var list []controller.Plan
	for _, name := range x.Loaded.PlanNames() {
		plan, _ := x.Loaded.Plan(name)
		list = append(list, plan)
	}
	return list
}

// longest is the longest time of any plan without that of its prompt.
func (x *examination) longest() time.Duration {
	longest := time.Duration(0)
	for _, p := range x.plans() {
		longest = max(longest, p.AnswerPause+p.Tone.Duration+p.Listen)
	}
	return longest
}
