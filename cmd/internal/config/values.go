package config

import (
	"maps"
	"reflect"
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

	raw any
}

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
		key, v := join(prefix, set.path), set.of(holder)
		list = append(list, Value{Key: key, Value: set.show(v), Origin: l.origin(key), Reload: set.reload, raw: v.Interface()})
	}
	return list
}

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
	// Key is the key's path, or plans.NAME for a plan that came or went.
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
		old := before.values(plan)
		for i, v := range after.values(plan) {
			if !reflect.DeepEqual(old[i].raw, v.raw) && !(old[i].Origin.Inherited && v.Origin.Inherited) {
				list = append(list, Change{Key: v.Key, Old: old[i].Value, New: v.Value, Reload: v.Reload})
			}
		}
	}
	return list
}
