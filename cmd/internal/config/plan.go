package config

import (
	"cmp"
	"iter"
	"maps"
	"reflect"
	"slices"
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
	return planNames(maps.Keys(l.Config.Plans))
}

// Plan returns the plan of that name; ok is false if there is none.
func (l *Loaded) Plan(name string) (p controller.Plan, ok bool) {
	plan, ok := l.Config.Plans[name]
	if !ok {
		return controller.Plan{}, false
	}
	return l.controllerPlan(name, plan), true
}

// planNames sorts the names, with "default" first, which is always there.
func planNames(stated iter.Seq[string]) []string {
	others := slices.DeleteFunc(slices.Sorted(stated), func(name string) bool { return name == DefaultPlan })
	return append([]string{DefaultPlan}, slices.Compact(others)...)
}

// ForCall returns the plan of a call with these channel variables. socketPath
// is the path of the socket action's address. The plan is the one that
// tapdeck_plan names, else that of the path, else default; tapdeck_listen=30s
// and so on then set single values, of which a plan made of steps has few. A name or value
// that can't be used is a warning, and the plan's own value holds; a variable that is none is
// a warning too, since a name that is written wrong would change nothing without a word.
func (l *Loaded) ForCall(vars controller.Variables, socketPath string) (controller.Plan, []error) {
	d := &decoder{}
	name := l.planName(d, vars.Get(PlanVariable), socketPath)
	plan := l.Config.Plans[name]
	l.setValues(d, vars, name, &plan)
	known := l.schema.variables()
	for _, variable := range slices.Sorted(vars.Names(VariablePrefix)) {
		if !slices.Contains(known, variable) {
			d.bad.add(&FieldError{Field: variable, Value: vars.Get(variable), Rule: "no such variable", Nearest: nearest(variable, known)})
		}
	}
	return l.controllerPlan(name, plan), d.bad.errors()
}

// planName returns the name of the plan of a call, one that is there.
func (l *Loaded) planName(d *decoder, variable, socketPath string) string {
	name, from := variable, PlanVariable
	if name == "" {
		name, from = strings.Trim(socketPath, "/"), "socket_path"
	}
	name = cmp.Or(name, DefaultPlan)
	if _, ok := l.Config.Plans[name]; !ok {
		d.bad.add(&FieldError{Field: from, Value: name, Rule: "no such plan, using " + DefaultPlan, Nearest: nearest(name, l.PlanNames())})
		return DefaultPlan
	}
	return name
}

// setValues sets the single values of a call's plan, but for those that do not go with the plan's own.
func (l *Loaded) setValues(d *decoder, vars controller.Variables, name string, plan *Plan) {
	holder := reflect.ValueOf(plan).Elem()
	for _, set := range l.schema.call {
		switch text := vars.Get(set.variable); {
		case text == "":
		case set.path == agentURL:
			l.callURL(d, set, text, plan)
		case !plan.has(set):
			d.bad.add(&FieldError{Field: set.variable, Value: text, Rule: "no effect on plan " + name + ", which is made of steps", Hint: "name a plan with the steps for this call by " + PlanVariable})
		default:
			d.textNode(set.field, set.variable, text, Origin{}).decode(set.field, set.of(holder))
		}
	}
	l.keepMix(d, name, plan)
	l.keepListen(d, name, plan)
	l.keepUntilSaid(d, name, plan)
}

// variables lists the channel variables that ForCall asks for, PlanVariable first.
func (s schema) variables() []string {
	list := []string{PlanVariable}
	for _, set := range s.call {
		list = append(list, set.variable)
	}
	return list
}

// controllerPlan is a plan as the controller has it.
func (l *Loaded) controllerPlan(name string, p Plan) controller.Plan {
	return controller.Plan{
		Name:            name,
		Stream:          controller.StreamPlan(p.Stream),
		OnStreamFailure: p.OnStreamFailure,
		Typeahead:       p.Typeahead,
		InbandDTMF:      p.DTMF == dtmfInband,
		Transcribe:      p.Transcribe,
		LogTranscripts:  l.Config.Log.Transcripts,
		Steps:           p.steps(),
	}
}
