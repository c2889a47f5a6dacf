package config

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Reload says when a changed setting takes effect.
type Reload string

// The three values of Reload: at once, for calls that begin later, and at the
// next start of the process.
const (
	ReloadNow      Reload = "now"
	ReloadNextCall Reload = "next call"
	ReloadRestart  Reload = "restart"
)

// Value is one setting with its value in effect.
type Value struct {
	// Key is the key's path, such as plans.survey.tone.frequency.
	Key string
	// Value is written as it would be in the file; a secret is masked.
	Value string
	// Origin says where it comes from.
	Origin Origin
	// Reload says when a change of it takes effect.
	Reload Reload

	idle  bool
	raw   any
	brief string // in place of a long value
}

// Brief is the value in one short line: of a plan's steps only the first ones.
func (v Value) Brief() string { return cmp.Or(v.brief, v.Value) }

// Idle says that the value is a default of a bot, or of a service, that its plan does not have: nobody
// needs to see it.
func (v Value) Idle() bool { return v.idle }

// Values returns every setting in the order of the file, then plan by plan.
func (l *Loaded) Values() []Value {
	var list []Value
	for _, name := range append([]string{""}, l.PlanNames()...) {
		list = append(list, l.values(name)...)
	}
	return list
}

// values returns the settings of a plan, or with no name those outside the plans.
func (l *Loaded) values(plan string) []Value {
	holder, settings, prefix := reflect.ValueOf(l.Config), l.schema.top, ""
	if plan != "" {
		holder, settings, prefix = reflect.ValueOf(l.Config.Plans[plan]), l.schema.plan, join(plansKey, plan)
	}
	var list []Value
	for _, set := range settings {
		if plan != "" && !l.Config.Plans[plan].has(set) {
			continue
		}
		key, v := join(prefix, set.path), set.of(holder)
		value := Value{Key: key, Origin: l.origin(key), Reload: set.reload, raw: v.Interface()}
		value.idle = value.Origin == (Origin{Inherited: value.Origin.Inherited}) && l.Config.Plans[plan].hasNoPeer(set.path)
		if steps, are := value.raw.(Steps); are {
			value.Value, value.brief = l.schema.text(steps, math.MaxInt), l.schema.text(steps, briefSteps)
		} else {
			value.Value = set.show(v)
		}
		list = append(list, value)
	}
	return list
}

// hasNoPeer says whether a setting is of a bot or a service that has no URL in this plan, but not that URL.
func (p Plan) hasNoPeer(path string) bool {
	group, key, _ := strings.Cut(path, ".")
	urls := map[string]string{agentKey: p.Agent.URL, transcribeKey: p.Transcribe.URL}
	url, isPeer := urls[group]
	return isPeer && url == "" && key != "url"
}

// How many bytes of a plan's steps are shown in a table and in a log line.
const (
	briefSteps  = 60
	loggedSteps = 1000
)

// origin returns the source of a setting; a plan has what it does not state from
// the plan default.
func (l *Loaded) origin(key string) Origin {
	o, stated := l.origins[key]
	rest, ofPlan := strings.CutPrefix(key, plansKey+".")
	name, path, _ := strings.Cut(rest, ".")
	if stated || !ofPlan || name == DefaultPlan {
		return o
	}
	o = l.origins[planKey(DefaultPlan, path)]
	o.Inherited = true
	return o
}

func planKey(name, path string) string { return join(join(plansKey, name), path) }

// Change is one setting that differs between two configurations.
type Change struct {
	// Key is the key's path, or plans.NAME for a plan that came or went, or that of a plan's
	// steps, such as plans.NAME.steps[3], from the first that differs.
	Key string
	// Old and New are written as in the file; secrets are masked. For a plan
	// that came or went, one is "present" and the other "absent".
	Old, New string
	// Reload says when the new value takes effect.
	Reload Reload
}

// Diff returns what differs between two configurations, in the order of the
// file. A value that a plan inherits from plan default in both is listed there only.
func Diff(before, after *Loaded) []Change {
	var list []Change
	presence := map[bool]string{true: "present", false: "absent"}
	plans := maps.Clone(before.Config.Plans)
	maps.Copy(plans, after.Config.Plans)
	for _, plan := range append([]string{""}, planNames(maps.Keys(plans))...) {
		_, was := before.Config.Plans[plan]
		_, is := after.Config.Plans[plan]
		if was != is {
			list = append(list, Change{Key: join(plansKey, plan), Old: presence[was], New: presence[is], Reload: ReloadNextCall})
			continue
		}
		list = append(list, changes(before, after, plan)...)
	}
	return list
}

// changes returns what differs in a plan that both have, or with no name outside the plans.
func changes(before, after *Loaded, plan string) []Change {
	old := map[string]Value{}
	for _, v := range before.values(plan) {
		old[v.Key] = v
	}
	var list []Change
	for _, v := range after.values(plan) {
		was, both := old[v.Key]
		steps, are := v.raw.(Steps)
		switch {
		case !both, reflect.DeepEqual(was.raw, v.raw), was.Origin.Inherited && v.Origin.Inherited:
		case are:
			from, _ := was.raw.(Steps)
			list = append(list, stepsChange(before.schema, v.Key, from, steps))
		default:
			list = append(list, Change{Key: v.Key, Old: was.Value, New: v.Value, Reload: v.Reload})
		}
	}
	return append(list, formChange(before, after, plan)...)
}

// formChange tells of a plan that is flat in only one of two configurations.
func formChange(before, after *Loaded, plan string) []Change {
	was, is := before.Config.Plans[plan].Steps, after.Config.Plans[plan].Steps
	if (was == nil) == (is == nil) || before.inheritsForm(plan) && after.inheritsForm(plan) {
		return nil
	}
	text := func(steps Steps) string {
		if steps == nil {
			return "the flat form"
		}
		return after.schema.text(steps, loggedSteps)
	}
	return []Change{{Key: planKey(plan, stepsKey), Old: text(was), New: text(is), Reload: ReloadNextCall}}
}

// inheritsForm says whether a plan is flat, or is not, because plan default is.
func (l *Loaded) inheritsForm(plan string) bool {
	return plan != DefaultPlan && !slices.ContainsFunc(l.schema.plan, func(set setting) bool {
		_, stated := l.origins[planKey(plan, set.path)]
		return stated && (set.flat || set.path == stepsKey)
	})
}

// stepsChange tells what differs between two lists of steps, from the first step that does to the
// last.
func stepsChange(s schema, key string, was, is Steps) Change {
	first := 0
	for first < min(len(was), len(is)) && reflect.DeepEqual(was[first], is[first]) {
		first++
	}
	was, is = was[first:], is[first:]
	for len(was) > 0 && len(is) > 0 && reflect.DeepEqual(was[len(was)-1], is[len(is)-1]) {
		was, is = was[:len(was)-1], is[:len(is)-1]
	}
	text := func(steps Steps) string { return cmp.Or(s.text(steps, loggedSteps), "absent") }
	return Change{Key: fmt.Sprintf("%s[%d]", key, first), Old: text(was), New: text(is), Reload: ReloadNextCall}
}
