package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A plan is made of steps, or flat, or as plan default is.
func TestFormOfAPlan(t *testing.T) {
	for name, c := range map[string]struct {
		plans string
		want  string // the steps of plan x
		from  string
	}{
		"steps":                           {"x: {steps: [answer]}", "answer", "tapdeck.yaml:1"},
		"steps, default flat":             {"default: {listen: 3s}, x: {steps: [answer]}", "answer", "tapdeck.yaml:1"},
		"default's steps":                 {"default: {steps: [answer]}, x: {}", "answer", "tapdeck.yaml:1, by plan default"},
		"default's steps, own stream":     {"default: {steps: [answer]}, x: {stream: {mix: stereo}, dtmf: ''}", "answer", "tapdeck.yaml:1, by plan default"},
		"own steps, not default's":        {"default: {steps: [answer]}, x: {steps: [hangup]}", "hangup", "tapdeck.yaml:1"},
		"flat, though default has steps":  {"default: {steps: [answer]}, x: {listen: 3s}", "", ""},
		"flat by a group's value":         {"default: {steps: [answer]}, x: {tone: {frequency: 440}}", "", ""},
		"flat by default":                 {"x: {}", "", ""},
		"an empty group is no flat value": {"default: {steps: [answer]}, x: {tone: {}}", "answer", "tapdeck.yaml:1, by plan default"},
		"a plan between is none of its":   {"default: {steps: [answer]}, a: {listen: 1s}, x: {}", "answer", "tapdeck.yaml:1, by plan default"},
	} {
		t.Run(name, func(t *testing.T) {
			l := mustParse(t, "plans: {"+c.plans+"}", Options{})
			if c.want == "" {
				checkFlat(t, l)
				return
			}
			if value, from := origin(t, l, "plans.x.steps"); value != c.want || from != c.from {
				t.Errorf("%s from %s, want %s from %s", value, from, c.want, c.from)
			}
			for _, v := range l.Values() {
				if strings.HasPrefix(v.Key, "plans.x.listen") || strings.HasPrefix(v.Key, "plans.x.tone") {
					t.Errorf("%s is shown, and has no effect", v.Key)
				}
			}
		})
	}
}

// checkFlat checks that plan x is flat, and has the built-in values that it does not state.
func checkFlat(t *testing.T, l *Loaded) {
	t.Helper()
	if value, from := origin(t, l, "plans.x.answer_pause"); value != "500ms" || from != "default" {
		t.Errorf("answer_pause %s from %s", value, from)
	}
	plan, _ := l.Plan("x")
	if len(plan.Steps) != 7 {
		t.Errorf("%d steps", len(plan.Steps))
	}
	for _, v := range l.Values() {
		if v.Key == "plans.x.steps" {
			t.Errorf("a flat plan shows steps: %s", v.Value)
		}
	}
}

func TestFlatKeysBesideSteps(t *testing.T) {
	_, err := Parse("f", []byte("plans:\n  x:\n    steps: [answer]\n    stream: {mix: mono}\n    listen: 3s\n    tone:\n      frequency: 5\n  y: {listen: 3s}\n  z:\n    prompt: ''\n    steps: []\n  d: {steps: [answer]}"), Options{
		Environ: []string{"TAPDECK_PLANS_X_STOP_ON=5", "TAPDECK_PLANS_D_TYPEAHEAD=true"},
		Flags:   map[string]string{"plans.x.silence": "2s", "plans.y.steps": "answer, hangup"},
	})
	const hint = `; say it by a step and remove this key, or remove steps`
	want := []string{
		`f:5: plans.x.listen: can't stand beside plans.x.steps (f:3)` + hint,
		`f:7: plans.x.tone.frequency: "5": must be 20 to 3400 Hz`,
		`f:7: plans.x.tone.frequency: can't stand beside plans.x.steps (f:3)` + hint,
		`f:8: plans.y.listen: can't stand beside plans.y.steps (flag -s plans.y.steps)` + hint,
		`f:10: plans.z.prompt: can't stand beside plans.z.steps (f:11)` + hint,
		`f:11: plans.z.steps: must not be empty; write the steps, such as [answer, {play: greeting.wav}, hangup]`,
		`environment TAPDECK_PLANS_X_STOP_ON: plans.x.stop_on: can't stand beside plans.x.steps (f:3)` + hint,
		`flag -s plans.x.silence: plans.x.silence: can't stand beside plans.x.steps (f:3)` + hint,
	}
	if diff := cmp.Diff(want, messages(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Steps can come from the environment and flags, too, and their errors name the place in them.
func TestStepsFromElsewhere(t *testing.T) {
	l := mustParse(t, "plans: {x: {steps: [answer]}, y: {}}", Options{
		Environ: []string{"TAPDECK_PLANS_X_STEPS=[answer, {pause: 1s}]"}, Flags: map[string]string{"plans.y.steps": "answer, hangup: USER_BUSY"},
	})
	for key, want := range map[string][2]string{
		"plans.x.steps": {"answer, pause: 1s", "environment TAPDECK_PLANS_X_STEPS"},
		"plans.y.steps": {"answer, hangup: USER_BUSY", "flag -s plans.y.steps"},
	} {
		if value, from := origin(t, l, key); value != want[0] || from != want[1] {
			t.Errorf("%s: %s from %s, want %v", key, value, from, want)
		}
	}
	_, err := Parse("f", nil, Options{Flags: map[string]string{"plans.default.steps": "answer, play: a.wav, pause: 5, hangup:\u00a0NO"}})
	want := []string{
		`flag -s plans.default.steps: plans.default.steps[2].pause: "5": a duration needs a unit; write 5s or 5ms`,
		`flag -s plans.default.steps: plans.default.steps[3]: "hangup:\u00a0NO": must hold plain blanks only; in column 39 stands a no-break space (U+00A0): write a plain blank or none, or put the value in quotes`,
	}
	if diff := cmp.Diff(want, messages(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A call's variables can't set a flat value of a plan that is made of steps, and say so.
func TestVariablesOfAPlanOfSteps(t *testing.T) {
	l := mustParse(t, "plans: {x: {steps: [answer, stream]}, flat: {}}", Options{})
	vars := variables{"tapdeck_listen": "3s", "tapdeck_prompt": "", "tapdeck_stream_mix": "stereo", "tapdeck_on_stream_failure": "continue", "tapdeck_typeahead": "true", "tapdeck_steps": "answer"}
	plan, warnings := l.ForCall(vars, "x")
	want := `tapdeck_listen: "3s": no effect on plan x, which is made of steps; name a plan with the steps for this call by tapdeck_plan
tapdeck_steps: "answer": no such variable`
	if diff := cmp.Diff(want, joinWarnings(warnings)); diff != "" {
		t.Error(diff)
	}
	if plan.Stream.Mix != "stereo" || plan.OnStreamFailure != "continue" || !plan.Typeahead || len(plan.Steps) != 2 {
		t.Errorf("%+v", plan)
	}
	if _, warnings = l.ForCall(variables{"tapdeck_listen": "3s"}, "flat"); len(warnings) > 0 {
		t.Error(warnings)
	}
}

// A reload tells of a changed plan by its steps, in one line.
func TestDiffOfSteps(t *testing.T) {
	long := "[" + strings.Repeat("pause: 1s, ", 99) + "pause: 2s]"
	for name, c := range map[string]struct {
		before, after string
		want          []Change
	}{
		"one step":       {"x: {steps: [answer, listen: 15s, hangup]}", "x: {steps: [answer, listen: {for: 30s, finish_on: '#'}, hangup]}", []Change{{"plans.x.steps[1]", "listen: 15s", `listen: {for: 30s, finish_on: "#"}`, ReloadNextCall}}},
		"a step more":    {"x: {steps: [answer, hangup]}", "x: {steps: [answer, pause: 1s, hangup]}", []Change{{"plans.x.steps[1]", "absent", "pause: 1s", ReloadNextCall}}},
		"one at the end": {"x: {steps: [answer]}", "x: {steps: [answer, hangup]}", []Change{{"plans.x.steps[1]", "absent", "hangup", ReloadNextCall}}},
		"a step less":    {"x: {steps: [answer, pause: 1s, pause: 1s]}", "x: {steps: [answer, pause: 1s]}", []Change{{"plans.x.steps[2]", "pause: 1s", "absent", ReloadNextCall}}},
		"several":        {"x: {steps: [answer, pause: 1s, stream, pause: 2s]}", "x: {steps: [answer, pause: 3s, stream, pause: 4s]}", []Change{{"plans.x.steps[1]", "pause: 1s, stream, pause: 2s", "pause: 3s, stream, pause: 4s", ReloadNextCall}}},
		"the same":       {"x: {steps: [answer, pause: 1s]}", "x: {steps: ['answer', {pause: {for: 1000ms}}]}", nil},
		"to steps":       {"x: {listen: 3s}", "x: {steps: [answer, pause: 1s], stream: {mix: stereo}}", []Change{{"plans.x.stream.mix", "mono", "stereo", ReloadNextCall}, {"plans.x.steps", "the flat form", "answer, pause: 1s", ReloadNextCall}}},
		"to flat":        {"x: {steps: [answer]}", "x: {}", []Change{{"plans.x.steps", "answer", "the flat form", ReloadNextCall}}},
		"by default":     {"default: {steps: [answer]}, x: {}", "x: {}", []Change{{"plans.default.steps", "answer", "the flat form", ReloadNextCall}}},
		"step, default":  {"default: {steps: [answer]}, x: {}", "default: {steps: [hangup]}, x: {}", []Change{{"plans.default.steps[0]", "answer", "hangup", ReloadNextCall}}},
		"no more by it":  {"default: {steps: [answer]}, x: {}", "default: {steps: [answer]}, x: {listen: 3s}", []Change{{"plans.x.steps", "answer", "the flat form", ReloadNextCall}}},
		"very long":      {"x: {steps: " + long + "}", "x: {steps: [answer]}", []Change{{"plans.x.steps[0]", strings.Repeat("pause: 1s, ", 90) + "pause: 1s, …", "answer", ReloadNextCall}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Diff(mustParse(t, "plans: {"+c.before+"}", Options{}), mustParse(t, "plans: {"+c.after+"}", Options{}))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A table shows the first steps only.
func TestBriefSteps(t *testing.T) {
	l := mustParse(t, "plans: {x: {steps: [answer, "+strings.Repeat("pause: 500ms, ", 9)+"]}}", Options{})
	for _, v := range l.Values() {
		if want := "answer, pause: 500ms, pause: 500ms, pause: 500ms, …"; v.Key == "plans.x.steps" && v.Brief() != want {
			t.Errorf("%s, want %s", v.Brief(), want)
		}
	}
}
