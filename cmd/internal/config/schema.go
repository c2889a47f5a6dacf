package config

import (
	"cmp"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
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
//	oneof     the words that are allowed
//	max       the greatest length of a text in bytes
//	needed    "true": it must not be empty, and an element of a list must state it
//	as        the type that parses a plain text or number: see namedTypes
//	form      what the values are, in a few words, if no other tag and no type says it
//	hint      what to do about a value that breaks one of these rules
//	unquoted  "true": a text that may be written as a number
//	secret    "true": the value is never shown
//	base      a table's entry that the other entries begin as copies of
type field struct {
	key      string
	index    int          // within its struct
	typ      reflect.Type // that a value is parsed as
	written  string       // the YAML type that is needed; empty if any will do
	reload   Reload
	form     string
	unit     string
	hint     string
	base     string
	max      int
	needed   bool
	unquoted bool
	secret   bool
	checks   []func(reflect.Value) error
	fields   []*field // the keys of a struct
	elem     *field   // of a list or a table
}

// schema is the configuration's keys, and its settings in the order of the file.
type schema struct {
	root *field
	top  []setting
	plan []setting // of one plan
}

// setting is a field that has a value, with its path within Config or Plan.
type setting struct {
	*field
	path     string // tls.key
	variable string // the channel variable of a plan's setting
	index    []int
}

const plansKey = "plans"

func newSchema() schema {
	root := newField(reflect.TypeFor[Config](), "", "")
	return schema{root: root, top: root.settings("", nil), plan: root.child(plansKey).elem.settings("", nil)}
}

// newField describes a type and its tags.
func newField(t reflect.Type, tag reflect.StructTag, reload Reload) *field {
	set := func(name string) bool { return tag.Get(name) == "true" }
	f := &field{
		key: tag.Get("yaml"), typ: t, reload: reload, form: tag.Get("form"), hint: tag.Get("hint"), base: tag.Get("base"),
		max: maxText, needed: set("needed"), unquoted: set("unquoted"), secret: set("secret"),
	}
	if own := tag.Get("reload"); own != "" {
		f.reload = Reload(own)
	}
	switch {
	case decodesItself(t):
	case isText(t):
		f.scalar(tag)
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			c := newField(t.Field(i).Type, t.Field(i).Tag, f.reload)
			c.index = i
			f.fields = append(f.fields, c)
		}
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Map:
		f.elem = newField(t.Elem(), tag, f.reload)
		f.elem.needed, f.elem.base = false, ""
	default:
		f.written = map[reflect.Kind]string{reflect.Bool: tagBool, reflect.Int: tagInt, reflect.String: tagText}[t.Kind()]
		f.scalar(tag)
	}
	return f
}

// isText tells the types that are written as a text of their own form.
func isText(t reflect.Type) bool {
	return t == reflect.TypeFor[time.Duration]() || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// scalar takes up what the tags say of a single value. A tag that makes no
// sense is a programmer's mistake, and panics.
func (f *field) scalar(tag reflect.StructTag) {
	if as := tag.Get("as"); as != "" {
		f.typ = namedTypes()[as]
	}
	if most, err := strconv.Atoi(tag.Get("max")); err == nil {
		f.max = most
	}
	if span := tag.Get("range"); span != "" {
		f.bound(span)
	}
	if step := tag.Get("step"); step != "" {
		f.checks = append(f.checks, multipleOf(f.parsed(step)))
		f.form += " in steps of " + step
	}
	if words := strings.Fields(tag.Get("oneof")); len(words) > 0 {
		f.form = strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
		f.checks = append(f.checks, oneOf(words, f.form))
	}
	if own, ok := reflect.New(f.typ).Interface().(interface{ Form() string }); ok {
		f.form = cmp.Or(f.form, own.Form())
	}
	f.form = cmp.Or(f.form, map[reflect.Kind]string{reflect.Bool: "true or false", reflect.String: "a text"}[f.typ.Kind()])
}

// bound has values checked against a tag range.
func (f *field) bound(tag string) {
	f.form = strings.NewReplacer("..", " to ", "|", " or ").Replace(tag)
	span, unit, _ := strings.Cut(tag, " ")
	f.unit = unit
	low, high, _ := strings.Cut(span, "..")
	also, low, two := strings.Cut(low, "|")
	if !two {
		low = also
	}
	least, most, extra := f.parsed(low), f.parsed(high), f.parsed(also)
	f.checks = append(f.checks, func(v reflect.Value) error {
		if n := v.Int(); n != extra && (n < least || n > most) {
			return violated("must be " + f.form)
		}
		return nil
	})
}

// parsed is a number of a tag, in the field's own unit.
func (f *field) parsed(text string) int64 {
	v := reflect.New(f.typ).Elem()
	if err := parse(text, v); err != nil {
		panic(fmt.Sprintf("config: tag of key %s: %q: %v", f.key, text, err))
	}
	return v.Int()
}

func multipleOf(step int64) func(reflect.Value) error {
	return func(v reflect.Value) error {
		if v.Int()%step == 0 {
			return nil
		}
		written := func(n int64) string { return format(reflect.ValueOf(n).Convert(v.Type())) }
		down := v.Int() / step * step
		return violated("must be a multiple of "+written(step), "write "+written(down)+" or "+written(down+step))
	}
}

func oneOf(words []string, form string) func(reflect.Value) error {
	return func(v reflect.Value) error {
		if slices.Contains(words, v.String()) {
			return nil
		}
		return &FieldError{Rule: "must be " + form, Nearest: nearest(v.String(), words)}
	}
}

// child returns the key of that name directly below f, or nil.
func (f *field) child(name string) *field {
	if i := slices.IndexFunc(f.fields, func(c *field) bool { return c.key == name }); i >= 0 {
		return f.fields[i]
	}
	return nil
}

// names lists the keys directly below f.
func (f *field) names() string {
	var list []string
	for _, c := range f.fields {
		list = append(list, c.key)
	}
	return strings.Join(list, ", ")
}

// find returns the field of a path below f, or nil.
func (f *field) find(path string) *field {
	for name := range strings.SplitSeq(path, ".") {
		if f.base != "" {
			f = f.elem
		} else if f = f.child(name); f == nil {
			return nil
		}
	}
	return f
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
		path, index := join(prefix, c.key), append(slices.Clip(at), c.index)
		switch {
		case c.fields != nil:
			list = append(list, c.settings(path, index)...)
		case c.base == "":
			list = append(list, setting{field: c, path: path, variable: variable(path), index: index})
		}
	}
	return list
}

// of returns the setting's value in a Config or a Plan.
func (s *setting) of(holder reflect.Value) reflect.Value { return holder.FieldByIndex(s.index) }

func join(parent, key string) string {
	if parent == "" {
		return key
	}
	return parent + "." + key
}
