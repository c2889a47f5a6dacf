package doctor

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// player is the module that plays a prompt, as far as its name tells.
func player(prompt string) string {
	switch scheme, _, is := strings.Cut(prompt, "://"); {
	case is && (scheme == "tone_stream" || scheme == "silence_stream"):
		return "mod_tone_stream"
	case is && scheme == "local_stream":
		return "mod_local_stream"
	case is:
		return ""
	}
	switch strings.ToLower(path.Ext(prompt)) {
	case ".wav", ".aiff", ".aif", ".au", ".snd", ".flac", ".ogg":
		return "mod_sndfile"
	case ".mp3":
		return "mod_shout"
	}
	return ""
}

// prompts looks for the prompt of every plan where playback would.
func (x *examination) prompts(ctx context.Context) {
	users := map[string][]string{}
	var order []string
	for _, plan := range x.plans() {
		if plan.Prompt == "" {
			continue
		}
		if users[plan.Prompt] == nil {
			order = append(order, plan.Prompt)
		}
		users[plan.Prompt] = append(users[plan.Prompt], plan.Name)
	}
	for _, prompt := range order {
		check := fmt.Sprintf("prompt of plan %s", strings.Join(users[prompt], ", "))
		if x.prompt(ctx, check, prompt); x.lost {
			return
		}
	}
}

func (x *examination) prompt(ctx context.Context, check, prompt string) {
	if strings.Contains(prompt, "://") || strings.HasPrefix(prompt, "say:") || strings.HasPrefix(prompt, "phrase:") {
		x.report(finding(Unknown, check, prompt+" is no file, so FreeSWITCH can't be asked for it", "call and listen"))
		return
	}
	folder := ""
	if !path.IsAbs(prompt) {
		const command = "global_getvar sound_prefix"
		var ok bool
		if folder, ok = x.ask(ctx, command); !ok {
			return
		}
		switch {
		case folder != "" && !strings.HasPrefix(folder, "-ERR") && !isFolder(folder):
			x.report(strange(check, command, folder))
			return
		case !isFolder(folder):
			x.report(finding(Unknown, check, "the global variable sound_prefix is not set, so it can't be told where playback looks for "+prompt,
				"set sound_prefix in vars.xml, or give the prompt's whole path"))
			return
		}
	}
	x.anyOf(ctx, check, candidates(path.Join(folder, prompt)))
}

// isFolder says whether a text can be the whole path of a folder, on Unix or Windows.
func isFolder(text string) bool {
	return regexp.MustCompile(`^([A-Za-z]:)?[/\\][^\pC]{0,1000}$`).MatchString(text)
}

// anyOf looks for the first of several files that exists.
func (x *examination) anyOf(ctx context.Context, check string, files []string) {
	for _, file := range files {
		exists := x.match(ctx, check, "file_exists "+file, `^(true|false)$`)
		if exists == nil {
			return
		}
		if exists[0] == "true" {
			x.report(pass(check, "%s", file))
			return
		}
	}
	seen := "there is no " + files[len(files)-1]
	if len(files) > 1 {
		seen += ", nor is it in a folder 8000, 16000, 32000 or 48000 beside it"
	}
	x.report(finding(Fail, check, seen, "install FreeSWITCH's sounds there, or name another prompt in the plan; until then calls go on without it"))
}

// candidates is where playback looks for a file: what mod_sndfile plays, also in a
// folder beside it that is named after a sample rate; at last at the path itself.
func candidates(file string) []string {
	var list []string
	if player(file) != "mod_sndfile" {
		return append(list, file)
	}
	dir, name := path.Split(file)
	for _, rate := range []string{"8000", "16000", "32000", "48000"} {
		list = append(list, path.Join(dir, rate, name))
	}
	return append(list, file)
}
