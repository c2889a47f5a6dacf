package config

import "reflect"

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
}

// Values returns every setting in the order of the file, then plan by plan.
func (l *Loaded) Values() []Value {
	list := l.values(reflect.ValueOf(l.Config), l.schema.top, "")
	for _, name := range l.PlanNames() {
		list = append(list, l.planValues(name)...)
	}
	return list
}

func (l *Loaded) planValues(name string) []Value {
	return l.values(reflect.ValueOf(l.Config.Plans[name]), l.schema.plan, planKey(name, ""))
}

func (l *Loaded) values(holder reflect.Value, settings []setting, prefix string) []Value {
	list := make([]Value, 0, len(settings))
	for _, set := range settings {
		key := prefix + set.key
		list = append(list, Value{Key: key, Value: set.show(holder), Origin: l.origins[key], Reload: set.reload})
	}
	return list
}

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
	list := differ(before, after, before.schema.top, "", reflect.ValueOf(before.Config), reflect.ValueOf(after.Config))
	for _, name := range planNames(append(before.PlanNames(), after.PlanNames()...)) {
		a, was := before.Config.Plans[name]
		b, is := after.Config.Plans[name]
		switch {
		case was && is:
			list = append(list, differ(before, after, before.schema.plan, planKey(name, ""), reflect.ValueOf(a), reflect.ValueOf(b))...)
		case was:
			list = append(list, Change{Key: plansKey + "." + name, Old: "present", New: "absent", Reload: ReloadNextCall})
		case is:
			list = append(list, Change{Key: plansKey + "." + name, Old: "absent", New: "present", Reload: ReloadNextCall})
		}
	}
	return list
}

func differ(before, after *Loaded, settings []setting, prefix string, a, b reflect.Value) []Change {
	var list []Change
	for _, set := range settings {
		key := prefix + set.key
		if set.get(a) == set.get(b) || (before.origins[key].Inherited && after.origins[key].Inherited) {
			continue
		}
		list = append(list, Change{Key: key, Old: set.show(a), New: set.show(b), Reload: set.reload})
	}
	return list
}
