package config

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"tapdeck/controller"
)

// VariablePrefix begins the names of the channel variables that choose a plan
// (tapdeck_plan) and set single values of it (tapdeck_listen).
const VariablePrefix = "tapdeck_"

// PlanVariable is the channel variable that names a call's plan.
const PlanVariable = VariablePrefix + "plan"

// PlanNames returns the names of all plans: default, then the others sorted.
func (l *Loaded) PlanNames() []string {
	return planNames(slices.Collect(maps.Keys(l.Config.Plans)))
}

// Plan returns the plan of that name; ok is false if there is none.
func (l *Loaded) Plan(name string) (p controller.Plan, ok bool) {
	plan, ok := l.Config.Plans[name]
	if !ok {
		return controller.Plan{}, false
	}
	return plan.controller(name), true
}

// ForCall returns the plan of a call with these channel variables. socketPath
// is the path of the socket action's address. The plan is the one that
// tapdeck_plan names, else that of the path, else default; tapdeck_listen=30s
// and so on then set single values. A name or value that can't be used is a
// warning, and the plan's own value holds.
func (l *Loaded) ForCall(vars controller.Variables, socketPath string) (controller.Plan, []Warning) {
	name, from := vars.Get(PlanVariable), PlanVariable
	if name == "" {
		name, from = strings.Trim(socketPath, "/"), "socket_path"
	}
	name = cmp.Or(name, DefaultPlan)
	var warnings []Warning
	plan, ok := l.Config.Plans[name]
	if !ok {
		near := nearest(name, l.PlanNames())
		warnings = append(warnings, Warning{Field: from, Value: shorten(name), Rule: "no such plan, using " + DefaultPlan, Hint: meant(near)})
		name, plan = DefaultPlan, l.Config.Plans[DefaultPlan]
	}
	d := &decoder{}
	holder := reflect.ValueOf(&plan).Elem()
	for _, set := range l.schema.plan {
		if text := vars.Get(set.variable); text != "" {
			d.textNode(set.field, set.variable, text, Origin{}).decode(set.field, set.of(holder))
		}
	}
	for _, e := range d.bad.list {
		warnings = append(warnings, Warning{Field: e.Field, Value: e.Value, Rule: e.Rule, Hint: cmp.Or(e.Hint, meant(e.Nearest))})
	}
	return plan.controller(name), append(warnings, l.unknown(vars)...)
}

// unknown warns of the tapdeck_ variables that are none: a name that is written
// wrong would change nothing without a word.
func (l *Loaded) unknown(vars controller.Variables) []Warning {
	known := l.schema.variables()
	var warnings []Warning
	for _, name := range slices.Sorted(vars.Names(VariablePrefix)) {
		if !slices.Contains(known, name) {
			warnings = append(warnings, Warning{Field: printable(name), Value: shorten(vars.Get(name)), Rule: "no such variable", Hint: meant(nearest(name, known))})
		}
	}
	return warnings
}

// printable keeps a name that somebody else gave fit for a log line.
func printable(name string) string { return shorten(strings.Trim(strconv.Quote(name), `"`)) }

// variables lists the channel variables that ForCall asks for, PlanVariable first.
func (s schema) variables() []string {
	list := []string{PlanVariable}
	for _, set := range s.plan {
		list = append(list, set.variable)
	}
	return list
}

func variable(key string) string { return VariablePrefix + strings.ReplaceAll(key, ".", "_") }

func (p Plan) controller(name string) controller.Plan {
	return controller.Plan{
		Name:        name,
		AnswerPause: p.AnswerPause,
		Tone:        controller.Tone{Frequency: p.Tone.Frequency, Duration: p.Tone.Duration},
		Stream: controller.StreamPlan{
			Mix: p.Stream.Mix, SampleRate: p.Stream.SampleRate, Buffer: p.Stream.Buffer,
			ConnectTimeout: p.Stream.ConnectTimeout, StopTimeout: p.Stream.StopTimeout, Restarts: p.Stream.Restarts,
		},
		Prompt:          p.Prompt,
		Listen:          p.Listen,
		FinishOn:        p.FinishOn,
		Silence:         p.Silence,
		OnStreamFailure: p.OnStreamFailure,
	}
}
