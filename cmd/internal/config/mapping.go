package config

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"tapdeck/dialplan"
)

// mapping decodes the keys below n into a struct. Outside lists it asks the
// environment and the flags for each setting, whether n states it or not.
func (n node) mapping(f *field, v reflect.Value) {
	stated := n.entries(f)
	if n.inner && stated == nil {
		return // it is no mapping
	}
	for _, c := range f.fields {
		child, ok := stated[c.key]
		if !ok {
			child = n.below(nil, join(n.key, c.key))
		}
		child.secret = n.secret || c.secret
		switch to := c.in(v); {
		case c.base != "":
			child.family(c, to)
		case c.fields != nil:
			child.mapping(c, to)
		default:
			child.setting(c, to)
		}
	}
}

// setting decodes what the file states, then what overrides it.
func (n node) setting(f *field, v reflect.Value) {
	if n.Node != nil {
		n.decode(f, v)
		n.d.origins[n.key] = n.at
	} else if n.inner && f.needed {
		n.refuse("is missing", f.hint)
	}
	for _, over := range n.overrides(f) {
		over.decode(f, v)
		n.d.origins[n.key] = over.at
	}
}

// family decodes a table whose entries begin as copies of one of them, the base.
func (n node) family(f *field, table reflect.Value) {
	if n.isNull() {
		n.Node = nil
	}
	stated, isName := n.entries(nil), regexp.MustCompile(`^[\w-]{1,64}$`)
	base := table.MapIndex(reflect.ValueOf(f.base))
	for _, name := range planNames(maps.Keys(stated)) {
		child, ok := stated[name]
		if !ok {
			child = n.below(nil, join(n.key, name))
		}
		if !isName.MatchString(name) {
			child.refuseKey("a plan's name has 1 to 64 letters, digits, - and _", "it also stands in the dialplan: 127.0.0.1:8084/NAME")
			continue
		}
		entry := reflect.New(f.elem.typ).Elem()
		entry.Set(base)
		child.mapping(f.elem, entry)
		if plan, is := entry.Addr().Interface().(*Plan); is {
			child.chooseForm(plan)
		}
		table.SetMapIndex(reflect.ValueOf(name), entry)
		if name == f.base {
			base = entry
		}
	}
}

// entries returns what stands below n, by its keys: those of f, or any if f is nil.
func (n node) entries(f *field) map[string]node {
	if n.Node == nil || !n.plain() {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		n.secret = n.secret || f != nil && f.hides() // a secret may have been put a level too high
		n.refuse("needs keys below it, not a "+kindName(n.Kind), "")
		return nil
	}
	entries, first := map[string]node{}, map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		child := n.below(n.Content[i+1], join(n.key, k.Value))
		child.at.Line = k.Line
		switch line := first[k.Value]; {
		case !n.checkKey(k):
			continue
		case line > 0:
			child.refuseKey(fmt.Sprintf("the key is given twice, first in line %d", line), "")
			continue
		case f != nil && f.child(k.Value) == nil:
			child.unknown(f, n.key)
		default:
			entries[k.Value] = child
		}
		first[k.Value] = k.Line
	}
	return entries
}

// checkKey refuses keys that are no plain words.
func (n node) checkKey(k *yaml.Node) bool {
	n.at.Line = k.Line
	switch {
	case k.Kind == yaml.ScalarNode && k.ShortTag() == tagMerge:
		n.refuseKey("merge keys (<<) are not read", "a plan has what plan default states; write out what differs")
	case k.Style == 0 && (strings.ContainsFunc(k.Value, dialplan.IsOddBlank) || isQuoted(k.Value)):
		n.refuseKey("a key must be a plain word", namePasted(k.Value, k.Column))
	case k.Kind != yaml.ScalarNode, k.Anchor != "", k.Style&yaml.TaggedStyle != 0, k.Value == "", strings.ContainsFunc(k.Value, breaksLine):
		n.refuseKey("a key must be a plain word", "")
	default:
		return true
	}
	return false
}

// unknown reports a key that is none of those of f, with the nearest one.
func (n node) unknown(f *field, parent string) {
	e := &FieldError{Rule: "unknown key"}
	word := strings.TrimPrefix(n.key, parent+".")
	if n.inner && n.d.isOfPlan(f.key, word) {
		e.Hint = planOwn(f.key, word)
	} else if f.child(stepsKey) != nil && n.d.stepType(word) != nil {
		e.Hint = "a step stands in the list " + stepsKey + ": [" + n.d.stepType(word).example() + "]"
	} else if !n.d.bad.full() {
		e.Nearest = n.nearestKey(f, parent, word)
	}
	if e.Nearest+e.Hint == "" {
		var names []string
		for _, c := range f.fields {
			names = append(names, c.key)
		}
		e.Hint = "known here are " + strings.Join(names, ", ")
	}
	n.Node = nil
	n.report(e)
}

// nearestKey is nearest for a key of f at the path parent, or elsewhere unless that is in a list.
func (n node) nearestKey(f *field, parent, name string) string {
	if n.inner {
		return f.nearestKey(f, parent, name)
	}
	return n.d.root.nearestKey(f, parent, name)
}
