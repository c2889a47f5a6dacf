package doctor

import (
	"context"
	"maps"
	"path"
	"slices"
	"strings"

	"tapdeck/controller/flow"
)

// prompts looks for the prompts of every plan where playback would.
func (x *examination) prompts(ctx context.Context) {
	users := map[string][]string{}
	for _, plan := range x.plans {
		for _, step := range plan.Steps {
			for _, prompt := range step.Needs().Prompts {
				if !slices.Contains(users[prompt], plan.Name) {
					users[prompt] = append(users[prompt], plan.Name)
				}
			}
		}
	}
	for _, prompt := range slices.Sorted(maps.Keys(users)) {
		x.prompt(ctx, "prompt of plan "+strings.Join(users[prompt], ", "), prompt)
	}
}

func (x *examination) prompt(ctx context.Context, check, prompt string) {
	if strings.Contains(prompt, "://") || strings.HasPrefix(prompt, "say:") || strings.HasPrefix(prompt, "phrase:") {
		x.report(Unknown, check, "call and listen", "%s is no file, so FreeSWITCH can't be asked for it", prompt)
		return
	}
	if !path.IsAbs(prompt) {
		// The whole path of a folder, on Unix or Windows, if it is set.
		folder := x.match(ctx, check, "global_getvar sound_prefix", `^(?:-ERR.*|((?:[A-Za-z]:)?[/\\][^\pC]{0,1000})?)$`)
		if folder == nil {
			return
		}
		if folder[1] == "" {
			x.report(Unknown, check, "set sound_prefix in vars.xml, or give the prompt's whole path",
				"the global variable sound_prefix is not set, so it can't be told where playback looks for %s", prompt)
			return
		}
		prompt = path.Join(folder[1], prompt)
	}
	x.file(ctx, check, prompt)
}

// file looks where playback looks for a file: what mod_sndfile plays, also in a
// folder beside it that is named after a sample rate; at last at the path itself
// (F72 of controller/switchsim/FACTS.md).
func (x *examination) file(ctx context.Context, check, file string) {
	dir, name := path.Split(file)
	folders, seen := []string{"8000", "16000", "32000", "48000", ""}, "there is no %s, nor is it in a folder 8000, 16000, 32000 or 48000 beside it"
	if flow.PlayerOf(file) != "mod_sndfile" {
		folders, seen = []string{""}, "there is no %s"
	}
	for _, folder := range folders {
		at := path.Join(dir, folder, name)
		exists := x.match(ctx, check, "file_exists "+at, `^(true|false)$`)
		if exists == nil {
			return
		}
		if exists[0] == "true" {
			x.pass(check, "%s", at)
			return
		}
	}
	x.report(Fail, check, "install FreeSWITCH's sounds there, or name another prompt in the plan; until then calls go on without it", seen, file)
}
