package config

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Whoever adds a setting must say when a change of it takes effect, and what
// its bounds are; a forgotten one would be a setting that quietly stays stale.
func TestEverySettingIsTaggedAndBounded(t *testing.T) {
	s := newSchema(stepTypes())
	for _, set := range slices.Concat(s.top, s.plan) {
		if !slices.Contains([]Reload{ReloadNow, ReloadNextCall, ReloadRestart}, set.reload) {
			t.Errorf("%s: reload tag %q", set.path, set.reload)
		}
		if slices.Contains([]string{"", "a text", "a size"}, set.form) {
			t.Errorf("%s: no form, or one without bounds: %q", set.path, set.form)
		}
	}
	if seen, leaves := len(s.top)+len(s.plan), countLeaves(reflect.TypeFor[Config]())+countLeaves(reflect.TypeFor[Plan]()); seen != leaves {
		t.Errorf("%d settings, but the structs have %d", seen, leaves)
	}
}

func countLeaves(t reflect.Type) int {
	n := 0
	for i := range t.NumField() {
		f := t.Field(i).Type
		if reflect.PointerTo(f).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
			n++
			continue
		}
		switch f.Kind() {
		case reflect.Struct:
			n += countLeaves(f)
		case reflect.Map:
			if f.Elem().Kind() != reflect.Struct { // a table of settings' own
				n++
			}
		default:
			n++
		}
	}
	return n
}

// Every setting's value, written as text, reads back as the same value: Values
// and Diff show what a file could say.
func TestValuesReadBack(t *testing.T) {
	l := mustParse(t, "plans: {other: {listen: 90m}}", Options{})
	flags := map[string]string{}
	for _, v := range l.Values() {
		flags[v.Key] = v.Value
	}
	again := mustParse(t, "plans: {other: {}}", Options{Flags: flags})
	if changes := Diff(l, again); len(changes) > 0 {
		t.Errorf("changed: %+v", changes)
	}
}

// defaultKeys are the keys outside the plans, and those of plan default.
func defaultKeys() []string {
	var keys []string
	s := newSchema(stepTypes())
	for _, set := range s.top {
		keys = append(keys, set.path)
	}
	for _, set := range s.plan {
		keys = append(keys, planKey(DefaultPlan, set.path))
	}
	return keys
}

func TestKeysAreThePlanless(t *testing.T) {
	keys := defaultKeys()
	for _, want := range []string{"esl.listen", "sink.tls.key", "drain_timeout", "plans.default.stream.mix"} {
		if !slices.Contains(keys, want) {
			t.Errorf("%s is not among %v", want, keys)
		}
	}
}

func TestNearest(t *testing.T) {
	for _, c := range []struct{ word, want string }{
		{"esl.lisen", "esl.listen"},
		{"esl.Listen", "esl.listen"},
		{"els.listen", "esl.listen"},
		{"listen", "esl.listen"},
		{"sink.tsl", "sink.tls"},
		{"drain", "drain_timeout"},
		{"max_calls", "esl.max_calls"},
		{"plans.default.sample_rate", "plans.default.stream.sample_rate"},
		{"plans.default.tone.freqency", "plans.default.tone.frequency"},
		{"plans.default.stream.samplerate", "plans.default.stream.sample_rate"},
		{"plan", "plans"},
		{"esl.zzzzzzz", ""},
		{"plans.default.zzzzzzz", ""},
		{"something_else_altogether", ""},
	} {
		root := newSchema(stepTypes()).root
		f, parent, name := root, "", c.word
		if rest, ok := strings.CutPrefix(c.word, "plans.default."); ok {
			f, parent, name = root.child(plansKey).elem, "plans.default", rest
		}
		if got := root.nearestKey(f, parent, name); got != c.want {
			t.Errorf("nearest to %s: %q, want %q", c.word, got, c.want)
		}
	}
}

func TestSizeText(t *testing.T) {
	for s, want := range map[Size]string{
		0: "0B", 1: "1B", KiB: "1KiB", 1536 * MiB: "1536MiB", 500e6: "500MB", 2 * TiB: "2TiB", 1e12: "1TB", 1023: "1023B",
	} {
		if got := s.String(); got != want {
			t.Errorf("%d bytes: %s, want %s", int64(s), got, want)
		}
		var back Size
		if err := back.UnmarshalText([]byte(want)); err != nil || back != s {
			t.Errorf("%s reads back as %d, %v", want, int64(back), err)
		}
	}
}
