package doctor

import (
	"context"
	"encoding/json"
	"slices"
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
	}
	add := func(module, does string) {
		if !slices.ContainsFunc(needs, func(n need) bool { return n.module == module }) {
			needs = append(needs, need{module, does})
		}
	}
	if x.anyStreams() {
		add(streamModule, "streams the audio")
	}
	for _, plan := range x.plans {
		for _, step := range plan.Steps {
			for _, module := range step.Needs().Modules {
				add(module.Name, module.Does+" of plan "+plan.Name)
			}
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
	switch {
	case !x.anyStreams():
		x.pass(check, "not needed, as %s is not: no plan has a stream", streamModule)
		return
	case x.noStreamModule:
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
