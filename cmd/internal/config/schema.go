package config

import (
	"cmp"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"tapdeck/controller/flow"
)

// field is one key of the file, as a struct field's type and tags describe it:
// a group of further keys, or a setting (one value, a list, or a table of names
// that the file chooses). A list's or table's tags range, step, oneof, max, as
// and unquoted are for its elements.
//
//	yaml      the key
//	reload    when a change takes effect; the keys below inherit it
//	range     least..greatest, in the type's own unit; "0s|20ms..1m" also allows 0s;
//	          "1..100 calls" names what is counted
//	step      the value is a multiple of this
//	oneof     the words or numbers that are allowed
//	max       the greatest length of a text in bytes
//	most      the greatest length of a list or a table
//	names     the rule of a table's names: see rules
//	needed    "true": it must not be empty, but in the flat form of a plan, and an element of a list,
//	          and a step, must state it
//	as        the rule of a plain text: see rules
//	form      what the values are, in a few words, if no other tag and no type says it
//	hint      what to do about a value that breaks needed or oneof
//	unquoted  "true": a text that may be written as a number
//	secret    "true": the value is never shown
//	base      a table's entry that the other entries begin as copies of
//	main      "true": the value that a step has without a key; if it is a list, it may be one value
//	example   a value to be shown where one is missing
//	below     the key beside it that a duration must be shorter than to have an effect
//	flat      "true": a key of a plan that is not made of steps, and the keys below it
type field struct {
	key      string
	index    []int // within its struct, or within one that is embedded there
	typ      reflect.Type
	reload   Reload
	form     string
	names    string
	hint     string
	base     string
	example  string
	below    string
	max      int
	most     int
	main     bool
	flat     bool
	needed   bool
	unquoted bool
	secret   bool
	checks   []func(text string, v reflect.Value) error
	fields   []*field // the keys of a struct
	elem     *field   // of a list or a table
}

// schema is the configuration's keys, and its settings in the order of the file.
type schema struct {
	root  *field
	top   []setting
	plan  []setting // of one plan
	call  []setting // those of plan that a call's channel variables can set
	steps []*stepType
}

// setting is a field that has a value, with its path within Config or Plan.
type setting struct {
	*field
	path     string // tls.key
	variable string // the channel variable of a plan's setting, "" if it has none
	index    []int  // within Config or Plan
}

const plansKey = "plans"

// newSchema describes the configuration, with these steps for its plans.
func newSchema(steps []flow.Step) schema {
	root := newField(reflect.TypeFor[Config](), "", "")
	s := schema{root: root, top: root.settings("", nil), plan: root.planFields().settings("", nil)}
	s.call = slices.DeleteFunc(slices.Clone(s.plan), func(set setting) bool { return set.variable == "" })
	for _, step := range steps {
		s.steps = append(s.steps, newStepType(step))
	}
	return s
}

// planFields describes a plan.
func (f *field) planFields() *field { return f.child(plansKey).elem }

// newField describes a type and its tags.
func newField(t reflect.Type, tag reflect.StructTag, reload Reload) *field {
	set := func(name string) bool { return tag.Get(name) == "true" }
	f := &field{
		key: tag.Get("yaml"), typ: t, reload: cmp.Or(Reload(tag.Get("reload")), reload), form: tag.Get("form"), hint: tag.Get("hint"), base: tag.Get("base"),
		example: tag.Get("example"), below: tag.Get("below"), max: maxText, main: set("main"), flat: set("flat"),
		needed: set("needed"), unquoted: set("unquoted"), secret: set("secret"),
	}
	if f.hint == "" && f.example != "" {
		f.hint = "such as " + f.example
	}
	isText := reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
	switch {
	case reflect.PointerTo(t).Implements(reflect.TypeFor[nodeDecoder]()):
	case t.Kind() == reflect.Struct && !isText:
		f.group(t)
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Map:
		f.elem = newField(t.Elem(), tag, f.reload)
		f.elem.needed, f.elem.base, f.elem.main = f.main && f.needed, "", false
		f.most, _ = strconv.Atoi(tag.Get("most"))
		f.names = tag.Get("names")
	default:
		f.scalar(tag)
	}
	return f
}

// group describes the keys that are the fields of a struct, and of those that are embedded in it.
func (f *field) group(t reflect.Type) {
	for _, part := range reflect.VisibleFields(t) {
		if part.Anonymous {
			continue
		}
		c := newField(part.Type, part.Tag, f.reload)
		c.index, c.flat = part.Index, c.flat || f.flat
		f.fields = append(f.fields, c)
	}
}

// in returns the field of a struct, or what is below it.
func (f *field) in(holder reflect.Value) reflect.Value { return holder.FieldByIndex(f.index) }

// scalar takes up what the tags say of a single value. A tag that makes no
// sense is a programmer's mistake, and panics.
func (f *field) scalar(tag reflect.StructTag) {
	if as := tag.Get("as"); as != "" {
		rule := rules()[as]
		f.form = rule.form
		f.checks = append(f.checks, func(text string, _ reflect.Value) error { return rule.check(text) })
	}
	if most, err := strconv.Atoi(tag.Get("max")); err == nil {
		f.max = most
	}
	if span := tag.Get("range"); span != "" {
		f.bound(span)
	}
	if step := tag.Get("step"); step != "" {
		n := f.parsed(step)
		f.must("be a multiple of "+step, func(v reflect.Value) bool { return v.Int()%n == 0 })
		f.form += " in steps of " + step
	}
	if words := strings.Fields(tag.Get("oneof")); len(words) > 0 {
		f.form = strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
		f.checks = append(f.checks, func(text string, _ reflect.Value) error {
			if !slices.Contains(words, text) {
				return &FieldError{Rule: "must be " + f.form, Hint: f.hint, Nearest: nearest(text, words)}
			}
			return nil
		})
	}
	f.form = cmp.Or(f.form, map[reflect.Kind]string{reflect.Bool: "true or false", reflect.String: "a text"}[f.typ.Kind()])
}

// must has values checked against a rule.
func (f *field) must(rule string, keeps func(reflect.Value) bool) {
	f.checks = append(f.checks, func(_ string, v reflect.Value) error {
		if keeps(v) {
			return nil
		}
		return violated("must " + rule)
	})
}

// bound has values checked against a tag range.
func (f *field) bound(tag string) {
	f.form = strings.NewReplacer("..", " to ", "|", " or ").Replace(tag)
	span, _, _ := strings.Cut(tag, " ")
	low, high, _ := strings.Cut(span, "..")
	also, low, two := strings.Cut(low, "|")
	if !two {
		low = also
	}
	least, most, extra := f.parsed(low), f.parsed(high), f.parsed(also)
	f.must("be "+f.form, func(v reflect.Value) bool { return v.Int() == extra || least <= v.Int() && v.Int() <= most })
}

// parsed is a number of a tag, in the field's own unit.
func (f *field) parsed(text string) int64 {
	v := reflect.New(f.typ).Elem()
	if err := parse(text, v); err != nil {
		panic(fmt.Sprintf("config: tag of key %s: %q: %v", f.key, text, err))
	}
	return v.Int()
}

// child returns the key of that name directly below f, or nil.
func (f *field) child(name string) *field {
	if i := slices.IndexFunc(f.fields, func(c *field) bool { return c.key == name }); i >= 0 {
		return f.fields[i]
	}
	return nil
}

// paths lists all keys below f, groups and settings; of a table those of its base.
func (f *field) paths(prefix string) []string {
	var list []string
	for _, c := range f.fields {
		path := join(prefix, c.key)
		list = append(append(list, path), c.paths(path)...)
		if c.base != "" {
			list = append(list, c.elem.paths(join(path, c.base))...)
		}
	}
	return list
}

// settings lists the settings below a struct, without those of a table with a base.
func (f *field) settings(prefix string, at []int) []setting {
	var list []setting
	for _, c := range f.fields {
		path, index := join(prefix, c.key), slices.Concat(at, c.index)
		switch {
		case c.fields != nil:
			list = append(list, c.settings(path, index)...)
		case c.base == "":
			list = append(list, setting{field: c, path: path, variable: c.variable(path), index: index})
		}
	}
	return list
}

// variable is the channel variable of a plan's setting. Steps and the service that transcribes have
// none, and of a bot only its URL has one.
func (f *field) variable(path string) string {
	switch group, _, _ := strings.Cut(path, "."); {
	case f.typ == reflect.TypeFor[Steps](), group == transcribeKey, group == agentKey && path != agentURL:
		return ""
	}
	return VariablePrefix + strings.ReplaceAll(path, ".", "_")
}

// of returns the setting's value in a Config or a Plan.
func (s *setting) of(holder reflect.Value) reflect.Value { return holder.FieldByIndex(s.index) }

func join(parent, key string) string { return strings.TrimPrefix(parent+"."+key, ".") }
