package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds a configuration file, in bytes.
const maxFile = 1 << 20

// maxName bounds a plan's name, in bytes.
const maxName = 64

// document is what a file states: its keys with their values, and its plans.
type document struct {
	schema *schema
	file   string
	inputs []input
	plans  []string
	bad    *problems
}

// readDocument takes the file's bytes apart. What is wrong goes to bad.
func readDocument(s *schema, file string, data []byte, bad *problems) *document {
	d := &document{schema: s, file: file, bad: bad}
	root := d.parse(data)
	if root == nil {
		return d
	}
	if root.Kind != yaml.MappingNode {
		d.wrong(root, "", "the file must hold keys with values, such as esl: {listen: 127.0.0.1:8084}", "")
		return d
	}
	d.mapping(root, "")
	return d
}

// parse returns the root node of the file's one document, or nil if there is
// nothing in it or it is no YAML.
func (d *document) parse(data []byte) *yaml.Node {
	whole := func(line int, rule, hint string) *yaml.Node {
		d.bad.add(&FieldError{File: d.file, Line: line, Rule: rule, Hint: hint, keyOnly: true})
		return nil
	}
	switch {
	case len(data) > maxFile:
		return whole(0, fmt.Sprintf("a configuration file has at most %s", Size(maxFile)), "")
	case !utf8.Valid(data):
		return whole(badLine(data), "the file must be UTF-8", "")
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	if err := dec.Decode(&first); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		return whole(syntaxError(data, err))
	}
	if err := dec.Decode(&second); err == nil {
		return whole(second.Line, "the file must hold one YAML document, here begins a second one", "remove the line ---")
	} else if !errors.Is(err, io.EOF) {
		return whole(syntaxError(data, err))
	}
	root := first.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == tagNull && root.Value == "" {
		return nil
	}
	return root
}

// badLine is the first line that is not UTF-8.
func badLine(data []byte) int {
	line := 1
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		if r == utf8.RuneError && n == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		data = data[n:]
	}
	return line
}

// syntaxError makes line, rule and hint of an error of the YAML reader.
func syntaxError(data []byte, err error) (line int, rule, hint string) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := regexp.MustCompile(`(?s)^line (\d+): (.*)$`).FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	if at := tabLine(data); at > 0 {
		return at, "not YAML: " + text, "indent with blanks: YAML takes no tabs"
	}
	if strings.Contains(text, "alphabetic or numeric character") {
		hint = `a value that begins with * or & stands in quotes: "*"`
	}
	return line, "not YAML: " + text, hint
}

// tabLine is the first line that is indented with a tab, or 0.
func tabLine(data []byte) int {
	for i, line := range strings.Split(string(data), "\n") {
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if strings.Contains(indent, "\t") && strings.TrimSpace(line) != "" {
			return i + 1
		}
	}
	return 0
}

// mapping reads the keys below the key parent ("" at the top).
func (d *document) mapping(n *yaml.Node, parent string) {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if !d.keyFits(k, parent) {
			continue
		}
		key := k.Value
		if parent != "" {
			key = parent + "." + k.Value
		}
		if line, twice := seen[key]; twice {
			d.bad.add(&FieldError{
				File: d.file, Line: k.Line, Field: key, keyOnly: true,
				Rule: fmt.Sprintf("the key is given twice, first in line %d", line),
			})
			continue
		}
		seen[key] = k.Line
		d.entry(k, v, parent, key)
	}
}

// keyFits refuses keys that are no plain words.
func (d *document) keyFits(k *yaml.Node, parent string) bool {
	switch {
	case k.Kind == yaml.ScalarNode && k.ShortTag() == tagMerge:
		d.wrong(k, parent, "merge keys (<<) are not read", "a plan has what plan default states; write out what differs")
	case k.Kind == yaml.AliasNode, k.Anchor != "":
		d.wrong(k, parent, "anchors and aliases (& and *) are not read", "write the key out")
	case k.Kind != yaml.ScalarNode, k.Style&yaml.TaggedStyle != 0, k.Value == "", strings.ContainsFunc(k.Value, breaksLine):
		d.wrong(k, parent, "a key must be a plain word", "")
	default:
		return true
	}
	return false
}

// entry reads one key and what stands behind it.
func (d *document) entry(k, v *yaml.Node, parent, key string) {
	if parent == plansKey {
		if !d.planName(k, key) {
			return
		}
		d.plans = append(d.plans, k.Value)
	}
	set, _ := d.schema.find(key)
	group := d.schema.isGroup(key)
	if strings.Contains(k.Value, ".") || (set == nil && !group) {
		d.unknown(k, parent, key)
		return
	}
	if v.Value == "" && v.ShortTag() == tagNull {
		v.Line = k.Line // of a value that is not there
	}
	if !d.plain(v, key) {
		return
	}
	switch {
	case group && v.Kind != yaml.MappingNode:
		d.wrong(v, key, "needs keys below it, not a "+kindName(v), "")
	case group:
		d.mapping(v, key)
	default:
		d.leaf(set, k, v, key)
	}
}

func (d *document) planName(k *yaml.Node, key string) bool {
	if f := checkPlanName(k.Value); f != nil {
		d.wrong(k, key, f.rule, f.hint)
		return false
	}
	return true
}

func checkPlanName(name string) *fault {
	bad := func(r rune) bool { return notHostLetter(r) } // letters, digits, - and _
	if name == "" || len(name) > maxName || strings.ContainsFunc(name, bad) {
		return &fault{rule: fmt.Sprintf("a plan's name has 1 to %d letters, digits, - and _", maxName), hint: "it also stands in the dialplan: 127.0.0.1:8084/NAME"}
	}
	return nil
}

// plain refuses values that are not written out, and those that are not there.
func (d *document) plain(v *yaml.Node, key string) bool {
	switch {
	case v.Kind == yaml.AliasNode, v.Anchor != "":
		d.wrong(v, key, "anchors and aliases (& and *) are not read", "write the value out")
	case v.Style&yaml.TaggedStyle != 0:
		d.wrong(v, key, "YAML tags (!) are not read", "write the value without "+v.Tag)
	case v.Kind == yaml.ScalarNode && v.ShortTag() == tagNull:
		d.wrong(v, key, "has no value", "write one, or remove the key to have the default"+emptyHint(v))
	default:
		return true
	}
	return false
}

func emptyHint(v *yaml.Node) string {
	if v.Value != "" {
		return ""
	}
	return `; the empty text is "", and # begins a comment`
}

// leaf reads the value of a setting.
func (d *document) leaf(set *setting, k, v *yaml.Node, key string) {
	in := input{key: key, origin: Origin{File: d.file, Line: k.Line}}
	switch {
	case set.rule.list && v.Kind == yaml.SequenceNode:
		for _, e := range v.Content {
			if !d.plain(e, key) {
				return
			}
			if e.Kind != yaml.ScalarNode {
				d.wrong(e, key, "an element must be "+set.rule.bounds+", not a "+kindName(e), "")
				return
			}
			in.items = append(in.items, item{text: e.Value, line: e.Line, tag: e.ShortTag()})
		}
	case set.rule.list:
		d.wrong(v, key, "must be a list", "write ["+quoteIf(v)+"]")
		return
	case v.Kind != yaml.ScalarNode:
		d.wrong(v, key, "must be one value ("+set.rule.bounds+"), not a "+kindName(v), "")
		return
	default:
		in.items = []item{{text: v.Value, line: v.Line, tag: v.ShortTag()}}
	}
	d.inputs = append(d.inputs, in)
}

func quoteIf(v *yaml.Node) string {
	if v.Kind != yaml.ScalarNode {
		return "…"
	}
	return strconv.Quote(v.Value)
}

func kindName(v *yaml.Node) string {
	switch v.Kind {
	case yaml.MappingNode:
		return "group of keys"
	case yaml.SequenceNode:
		return "list"
	}
	return "single value"
}

// unknown reports a key that is none, with the nearest one.
func (d *document) unknown(k *yaml.Node, parent, key string) {
	e := &FieldError{File: d.file, Line: k.Line, Field: key, Rule: "unknown key", keyOnly: true}
	if !d.bad.full() {
		e.Nearest = nearestKey(key, d.schema.near(parent))
	}
	if e.Nearest == "" {
		e.Hint = "known here are " + strings.Join(d.schema.children(parent), ", ")
	}
	d.bad.add(e)
}

func (d *document) wrong(n *yaml.Node, key, rule, hint string) {
	e := &FieldError{File: d.file, Line: n.Line, Field: key, Rule: rule, Hint: hint, keyOnly: true}
	if set, _ := d.schema.find(key); set != nil && n.Kind == yaml.ScalarNode && n.Value != "" {
		e.Value, e.keyOnly = n.Value, false
		if set.secret {
			e.Value = masked
		}
	}
	d.bad.add(e)
}

// near lists all keys and groups that a key below parent may have been meant
// for, with the plan's name in those of a plan.
func (s *schema) near(parent string) []string {
	plan := DefaultPlan
	if rest, ok := strings.CutPrefix(parent, plansKey+"."); ok {
		plan, _, _ = strings.Cut(rest, ".")
	}
	keys := s.keys([]string{plan})
	for g := range s.groups {
		keys = append(keys, g)
	}
	for p := range s.parts {
		keys = append(keys, planKey(plan, p))
	}
	return append(keys, plansKey)
}

// children lists what may stand directly below parent, in the file's order.
func (s *schema) children(parent string) []string {
	var list []string
	seen := map[string]bool{}
	for _, k := range append(s.near(parent), plansKey) {
		rest, ok := strings.CutPrefix(k, parent+".")
		if parent == "" {
			rest, ok = k, true
		}
		first, _, _ := strings.Cut(rest, ".")
		if ok && first != "" && !seen[first] {
			seen[first] = true
			list = append(list, first)
		}
	}
	return list
}
