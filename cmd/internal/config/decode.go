package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"tapdeck/dialplan"
)

// YAML's short names of the types that settings are written as.
const (
	tagText  = "!!str"
	tagInt   = "!!int"
	tagNull  = "!!null"
	tagMerge = "!!merge"
)

// decoder turns what is stated into values. It collects what is wrong with them,
// and the origin of each setting.
type decoder struct {
	schema
	overrides overrides
	origins   map[string]Origin
	bad       problems
}

// node is one value as it was stated, and its origin.
type node struct {
	*yaml.Node // nil if nothing is stated; line 0 if it is a text from elsewhere
	d          *decoder
	key        string
	at         Origin
	secret     bool
	inner      bool // below a list or a table, out of reach of the environment and flags
}

// nodeDecoder is a type that decodes its own nodes, such as one that is written
// as a word or as a key with a value. It says what is wrong by node.refuse.
type nodeDecoder interface{ decodeNode(n node) }

// textNode makes a node of a text that does not come from a file; the elements of a list have commas
// between them, and a table is as in the file.
func (d *decoder) textNode(f *field, key, text string, at Origin) node {
	n := node{Node: &yaml.Node{Kind: yaml.ScalarNode, Value: text}, d: d, key: key, at: at, secret: f.secret}
	if f.elem == nil {
		return n
	}
	n.Node = &yaml.Node{Kind: yaml.SequenceNode}
	if f.typ.Kind() == reflect.Map {
		n.Node = tableNode(text)
		return n
	}
	for part := range strings.SplitSeq(text, ",") {
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: strings.TrimSpace(part)})
	}
	if strings.TrimSpace(text) == "" {
		n.Content = nil
	}
	return n
}

// tableNode reads the names and texts of a table that the environment or a flag states: YAML as in a
// file, where the braces may be missing. What is none is a single value, which no table can be.
func tableNode(text string) *yaml.Node {
	if begin := strings.TrimSpace(text); !strings.HasPrefix(begin, "{") && !strings.HasPrefix(begin, "[") {
		text = "{" + text + "}"
	}
	var document, more yaml.Node
	d := yaml.NewDecoder(strings.NewReader(text))
	if d.Decode(&document) != nil || !errors.Is(d.Decode(&more), io.EOF) {
		return &yaml.Node{Kind: yaml.ScalarNode, Value: text}
	}
	return document.Content[0]
}

// below is the node v, which stands in n under another key.
func (n node) below(v *yaml.Node, key string) node {
	n.Node, n.key = v, key
	return n
}

// decode sets v to the value that is stated, or says what is wrong with it.
func (n node) decode(f *field, v reflect.Value) {
	if !n.plain() {
		return
	}
	n.secret = n.secret || f.secret
	own, itself := v.Addr().Interface().(nodeDecoder)
	switch {
	case itself:
		own.decodeNode(n)
	case f.fields != nil:
		n.mapping(f, v)
	case f.elem != nil && v.Kind() == reflect.Slice:
		n.list(f, v)
	case f.elem != nil:
		n.table(f, v)
	default:
		n.scalar(f, v)
	}
}

// plain refuses values that are not written out, and those that are not there.
func (n node) plain() bool {
	switch {
	case n.Node == nil:
		n.refuseKey("needs a value", "")
	case n.Line == 0: // a text
		return true
	case n.Kind == yaml.AliasNode, n.Anchor != "":
		n.refuse("anchors and aliases (& and *) are not read", "write the value out")
	case n.Style&yaml.TaggedStyle != 0:
		n.refuse("YAML tags (!) are not read", "write the value without "+n.Tag)
	case n.Style == 0 && strings.ContainsFunc(n.Value, dialplan.IsOddBlank):
		n.refuse("must hold plain blanks only", "")
	case n.Style == 0 && isQuoted(n.Value):
		n.refuse("must stand in plain quotes", "")
	case n.isNull():
		n.refuseKey("has no value", `write one, or remove the key to have the default; the empty text is "", and # begins a comment`)
	default:
		return true
	}
	return false
}

func (n node) isNull() bool {
	return n.Node != nil && n.Kind == yaml.ScalarNode && n.ShortTag() == tagNull
}

// scalar decodes one value. v stays as it is if the value is bad.
func (n node) scalar(f *field, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		n.refuse("must be one value ("+f.form+"), not a "+kindName(n.Kind), "")
		return
	}
	fresh := reflect.New(f.typ).Elem()
	err := f.read(n.Value, fresh)
	if err == nil && n.Line > 0 {
		err = f.checkWritten(n.ShortTag(), n.Value)
	}
	if err != nil {
		n.report(f.hinted(err))
		return
	}
	v.Set(fresh)
}

// hinted adds the field's example to a violation that says nothing of what to write.
func (f *field) hinted(err error) error {
	e, is := errors.AsType[*FieldError](err)
	switch {
	case f.example == "", is && e.Hint+e.Nearest != "":
		return err
	case is:
		return violated(e.Rule, f.hint)
	}
	return violated(err.Error(), f.hint)
}

// checkWritten refuses a value that reads well but is of another type for YAML:
// a number in quotes, or a text that YAML takes for a number, a truth or a date.
func (f *field) checkWritten(is, text string) error {
	isNumber := is == tagInt || isDigits(text) // 0800 is a float to YAML
	switch kind := f.typ.Kind(); {
	case is == tagText && (kind == reflect.Int || kind == reflect.Bool):
		return violated("must be written without quotes")
	case kind == reflect.String && is != tagText && !(f.unquoted && isNumber):
		return violated("a text is needed, and YAML takes this for a number, a truth value or a date", "write it in quotes")
	}
	return nil
}

func isDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

func kindName(k yaml.Kind) string {
	return map[yaml.Kind]string{yaml.MappingNode: "group of keys", yaml.SequenceNode: "list", yaml.ScalarNode: "single value"}[k]
}

// list decodes a list; an element's key has its number. v stays as it is if an
// element is bad.
func (n node) list(f *field, v reflect.Value) {
	switch {
	case f.main && n.Kind == yaml.ScalarNode:
		one := reflect.MakeSlice(v.Type(), 1, 1)
		n.scalar(f.elem, one.Index(0))
		v.Set(one)
		return
	case n.Kind != yaml.SequenceNode && f.main:
		n.refuse("must be one value ("+f.elem.form+") or a list", f.hint)
		return
	case n.Kind != yaml.SequenceNode:
		n.refuse("must be a list", "such as [a, b]")
		return
	case len(n.Content) == 0 && f.needed:
		n.refuse("must not be empty", f.hint)
	case f.most > 0 && len(n.Content) > f.most:
		n.refuse(fmt.Sprintf("has %d values, and may have at most %d", len(n.Content), f.most), "name only those that are needed")
		return
	}
	list, before := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)), len(n.d.bad.list)
	n.inner = true
	for i, e := range n.Content {
		n.at.Line = e.Line
		n.below(e, fmt.Sprintf("%s[%d]", n.key, i)).decode(f.elem, list.Index(i))
	}
	if len(n.d.bad.list) == before {
		v.Set(list)
	}
}

// table decodes keys that the file chooses.
func (n node) table(f *field, v reflect.Value) {
	table := reflect.MakeMap(v.Type())
	n.inner = true
	if n.Kind != yaml.MappingNode {
		n.refuse("must be names with a value each", cmp.Or(f.hint, "such as {from: \"{caller}\"}"))
		return
	}
	entries := n.entries(nil)
	if f.most > 0 && len(entries) > f.most {
		n.refuse(fmt.Sprintf("has %d names, and may have at most %d", len(entries), f.most), "name only those that are needed")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		if check := rules()[f.names].check; check != nil {
			if err := check(name); err != nil {
				entries[name].refuseKey(err.Error(), "")
				continue
			}
		}
		n.d.origins[entries[name].key] = entries[name].at
		value := reflect.New(v.Type().Elem()).Elem()
		entries[name].decode(f.elem, value)
		table.SetMapIndex(reflect.ValueOf(name), value)
	}
	v.Set(table)
}

// pair returns the key of a node that is a word (answer), or one key with its
// value (pause: 500ms), and the value as a node, which is empty for a word.
// ok is false if it is neither, which is then reported.
func (n node) pair() (name string, arg node, ok bool) {
	switch {
	case n.Kind == yaml.ScalarNode:
		return n.Value, n.below(nil, join(n.key, n.Value)), true
	case n.Kind == yaml.MappingNode && len(n.Content) == 2:
		for name, arg = range n.entries(nil) {
			return name, arg, true
		}
		return "", n, false
	}
	n.refuse("must be a word, or one key with its value", "")
	return "", n, false
}

// refuse reports a value that breaks a rule.
func (n node) refuse(rule, hint string) { n.report(violated(rule, hint)) }

// refuseKey reports a key, whatever its value is.
func (n node) refuseKey(rule, hint string) {
	n.Node = nil
	n.report(violated(rule, hint))
}

// report adds the origin and the value to a violation.
func (n node) report(err error) {
	e := FieldError{Rule: err.Error()}
	if v, ok := errors.AsType[*FieldError](err); ok {
		e = *v
	}
	if pasted := n.pasted(); pasted != "" {
		e.Hint = strings.TrimPrefix(e.Hint+"; "+pasted, "; ")
	}
	e.Origin, e.Field, e.keyOnly = n.at, n.key, n.Node == nil || n.Kind != yaml.ScalarNode
	if n.Node != nil && n.Line > 0 {
		e.Line = n.Line
	}
	if !e.keyOnly {
		e.Value = n.Value
	}
	if n.secret && e.Value != "" {
		e.Value = masked
	}
	n.d.bad.add(&e)
}
