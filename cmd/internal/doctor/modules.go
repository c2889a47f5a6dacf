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
		if !slices.ContainsFunc(needs, func(n need) bool { return n.module == module }) {
			needs = append(needs, need{module, does})
		}
	}
	for _, plan := range x.plans() {
		if plan.Tone.Duration > 0 {
			add("mod_tone_stream", "plays the tone of plan "+plan.Name)
		}
		if module := player(plan.Prompt); module != "" {
			add(module, "plays the prompt of plan "+plan.Name)
		}
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
		case x.lost:
			return
		case loaded == nil:
		case loaded[0] == "true":
			x.report(pass(check, "loaded; it %s", need.does))
		default:
			x.noStreamModule = x.noStreamModule || need.module == streamModule
			x.report(finding(Fail, check, "not loaded; it "+need.does, "fs_cli -x 'load "+need.module+"', and add it to autoload_configs/modules.conf.xml"))
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
	var list struct {
		Rows []struct{ Name, Syntax string } `json:"rows"`
	}
	if err := json.Unmarshal([]byte(answer), &list); err != nil || list.Rows == nil {
		x.report(strange(check, command, answer))
		return
	}
	for _, row := range list.Rows {
		if row.Name == "uuid_audio_stream" {
			x.report(pass(check, "registered"))
			return
		}
	}
	x.report(finding(Fail, check, "not registered, though "+streamModule+" is loaded",
		"fs_cli -x 'reload "+streamModule+"'; if it stays away, FreeSWITCH's log says why the module could not be loaded"))
}

// plans are all plans, default first.
func (x *examination) plans() []controller.Plan {
	var list []controller.Plan
	for _, name := range x.Loaded.PlanNames() {
		if plan, ok := x.Loaded.Plan(name); ok {
			list = append(list, plan)
		}
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
