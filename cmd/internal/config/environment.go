package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// EnvName returns the environment variable of a key: TAPDECK_ESL_LISTEN for esl.listen.
func EnvName(key string) string {
	return EnvPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// overrides are the texts that the environment and the command line state.
type overrides struct {
	env   map[string]string   // by variable
	flags map[string]string   // by key
	known map[string][]string // the keys that were asked for, by their variables
}

// environment returns the variables that Load reads.
func environment(environ []string) map[string]string {
	env := map[string]string{}
	for _, e := range environ {
		if name, text, _ := strings.Cut(e, "="); strings.HasPrefix(name, EnvPrefix) {
			env[name] = text
		}
	}
	return env
}

func newOverrides(opts Options) overrides {
	o := overrides{env: environment(opts.Environ), flags: opts.Flags, known: map[string][]string{}}
	for _, name := range append([]string{EnvConfig}, opts.Reserved...) {
		delete(o.env, name)
	}
	return o
}

// overrides returns what overrides a setting: the environment, then a flag.
func (n node) overrides(f *field) []node {
	o := n.d.overrides
	if n.inner || len(o.env)+len(o.flags) == 0 {
		return nil
	}
	var list []node
	name := EnvName(n.key)
	o.known[name] = append(o.known[name], n.key)
	if text, ok := o.env[name]; ok {
		list = append(list, n.d.textNode(f, n.key, text, Origin{Environment: name}))
	}
	if text, ok := o.flags[n.key]; ok {
		list = append(list, n.d.textNode(f, n.key, text, Origin{Flag: n.key}))
	}
	return list
}

// refuseUnknown reports the variables and flags that are no setting's. Kubernetes and
// Docker links put variables beside a service whose name is tapdeck: its
// addresses, no settings.
func (d *decoder) refuseUnknown() {
	o := d.overrides
	injected := regexp.MustCompile(`^TAPDECK_(PORT|SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d{1,5}_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)$`)
	variables, keys := slices.Sorted(maps.Keys(o.known)), slices.Concat(slices.Collect(maps.Values(o.known))...)
	slices.Sort(keys)
	for _, name := range slices.Sorted(maps.Keys(o.env)) {
		if of := o.known[name]; len(of) > 1 {
			d.bad.add(&FieldError{Origin: Origin{Environment: name}, Rule: "could mean " + strings.Join(of, " and "), Hint: "set it in the file"})
		} else if len(of) == 0 && !injected.MatchString(name) {
			d.bad.add(noSetting(Origin{Environment: name}, name, variables, namesNewPlan(name, keys, EnvName)))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(o.flags)) {
		switch {
		case key == "":
			d.bad.add(&FieldError{Origin: Origin{Flag: "="}, Rule: "needs a key before the =", Hint: "write it as in -s esl.max_calls=100"})
		case !slices.Contains(keys, key):
			d.bad.add(noSetting(Origin{Flag: key}, key, keys, namesNewPlan(key, keys, strings.Clone)))
		}
	}
}

// noSetting says what is wrong with a name that is none of those known. newPlan is that
// it would be a setting of a plan that is not stated.
func noSetting(at Origin, name string, known []string, newPlan bool) *FieldError {
	e := &FieldError{Origin: at, Rule: "no such setting", Nearest: nearest(name, known)}
	if below := childrenOf(name, known); len(below) > 0 {
		e.Nearest, e.Hint = "", "it holds "+strings.Join(below, ", ")
	} else if newPlan {
		e.Nearest, e.Hint = "", "a plan must be stated in the file first"
	}
	return e
}

// namesNewPlan reports whether a name, which spell makes of a key, would be of a plan that
// none of the keys is of.
func namesNewPlan(name string, keys []string, spell func(key string) string) bool {
	return strings.HasPrefix(name, spell(plansKey+".")) && !slices.ContainsFunc(keys, func(key string) bool {
		parts := strings.SplitAfterN(key, ".", 3)
		return len(parts) == 3 && parts[0] == plansKey+"." && strings.HasPrefix(name, spell(parts[0]+parts[1]))
	})
}

// childrenOf returns the keys right below one.
func childrenOf(key string, known []string) (list []string) {
	for _, k := range known {
		if rest, ok := strings.CutPrefix(k, key+"."); ok {
			child, _, _ := strings.Cut(rest, ".")
			list = append(list, child)
		}
	}
	return slices.Compact(list)
}
