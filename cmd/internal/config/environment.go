package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// EnvName returns the environment variable of a key: TAPDECK_ESL_LISTEN for esl.listen.
func EnvName(key string) string {
	return EnvPrefix + strings.Map(func(r rune) rune {
		if r == '.' || r == '-' {
			return '_'
		}
		return unicode.ToUpper(r)
	}, key)
}

// overrides are the texts that the environment and the command line state.
type overrides struct {
	env   map[string]string   // by variable
	flags map[string]string   // by key; those that were asked for are taken out
	known map[string][]string // the keys that were asked for, by their variables
}

func newOverrides(opts Options) overrides {
	o := overrides{env: map[string]string{}, flags: map[string]string{}, known: map[string][]string{}}
	for _, e := range opts.Environ {
		name, text, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, EnvPrefix) && name != EnvConfig && !slices.Contains(opts.Reserved, name) {
			o.env[name] = text
		}
	}
	maps.Copy(o.flags, opts.Flags)
	return o
}

// overridesOf returns what overrides a setting: the environment, then a flag.
func (d *decoder) overridesOf(f *field, key string) []node {
	var list []node
	o := d.overrides
	if len(o.env) > 0 {
		name := EnvName(key)
		o.known[name] = append(o.known[name], key)
		if text, ok := o.env[name]; ok {
			list = append(list, d.textNode(f, key, text, Origin{Environment: name}))
		}
	}
	if text, ok := o.flags[key]; ok {
		delete(o.flags, key)
		list = append(list, d.textNode(f, key, text, Origin{Flag: key}))
	}
	return list
}

// leftovers reports the variables and flags that are no setting's.
func (d *decoder) leftovers() {
	known, injected := d.overrides.known, injected()
	for _, name := range slices.Sorted(maps.Keys(d.overrides.env)) {
		if len(known[name]) != 1 && !injected.MatchString(name) {
			d.bad.add(refusedVariable(name, known))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(d.overrides.flags)) {
		d.bad.add(d.refusedFlag(key))
	}
}

// refusedVariable says what is wrong with a variable that is not exactly one key's.
func refusedVariable(name string, known map[string][]string) *FieldError {
	const typo = 3
	e := &FieldError{Origin: Origin{Environment: name}, Rule: "no such setting"}
	if keys := known[name]; len(keys) > 1 {
		e.Rule, e.Hint = "could mean "+strings.Join(keys, " and "), "set it in the file"
		return e
	}
	e.Nearest = closest(name, slices.Sorted(maps.Keys(known)), typo)
	if e.Nearest == "" && strings.HasPrefix(name, EnvName(plansKey)) {
		e.Hint = "a plan must be stated in the file first"
	}
	return e
}

func (d *decoder) refusedFlag(key string) *FieldError {
	e := &FieldError{Origin: Origin{Flag: key}, Rule: "no such setting"}
	f := d.root.find(key)
	if f == nil {
		parent := strings.TrimSuffix(strings.TrimSuffix(key, lastPart(key)), ".")
		e.Nearest = d.root.nearestKey(d.root.find(parent), parent, lastPart(key))
		return e
	}
	if rest, ok := strings.CutPrefix(key, plansKey+"."); ok && f.fields == nil {
		name, _, _ := strings.Cut(rest, ".")
		e.Rule, e.Hint, e.Nearest = "no such plan", "a plan must be stated in the file first", nearest(name, d.plans)
		return e
	}
	e.Hint = "it holds " + f.names()
	return e
}

// injected finds the variables that Kubernetes and Docker links put into the
// environment beside a service whose name is tapdeck: its addresses, no settings.
func injected() *regexp.Regexp {
	return regexp.MustCompile(`^TAPDECK_(PORT|SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d{1,5}_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)$`)
}
