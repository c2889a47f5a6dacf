package config

import (
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"tapdeck/controller/flow"
)

// stepTypes are the steps that a plan can be made of, each with its defaults. A step's word is
// its name, and its values are the fields of its type by their tags (see field). A further step
// is a line here.
func stepTypes() []flow.Step {
	return []flow.Step{
		&flow.Answer{},
		&flow.Pause{},
		&flow.Tone{Frequency: 800},
		&flow.Play{},
		&flow.Stream{},
		&flow.Listen{UntilSaid: []string{}, SilenceLevel: flow.Level{DBFS: flow.DefaultLevel}},
		&flow.Agent{For: 10 * time.Minute, Bot: flow.DefaultBot()},
		&flow.Set{},
		&flow.Transfer{},
		&flow.Hangup{},
	}
}

// Steps are what a plan is made of, in order.
type Steps []flow.Step

// maxSteps bounds a plan.
const maxSteps = 100

const stepsExample = "such as [answer, {play: greeting.wav}, hangup]"

// stepType is a kind of step: its schema, whose key is the step's word.
type stepType struct {
	*field
	defaults reflect.Value
	short    *field // how a value without a key is read, nil if there is none
}

// newStepType describes a step by its type's tags. Its value without a key is that of the whole
// step if it reads texts, else that of its main key.
func newStepType(step flow.Step) *stepType {
	defaults := reflect.ValueOf(step).Elem()
	t := &stepType{field: &field{key: step.Name(), typ: defaults.Type()}, defaults: defaults}
	t.group(t.typ)
	if _, reads := step.(encoding.TextUnmarshaler); reads {
		t.short = newField(t.typ, `form:"a text"`, "")
		return t
	}
	if i := slices.IndexFunc(t.fields, func(c *field) bool { return c.main }); i >= 0 {
		t.short = t.fields[i]
	}
	return t
}

// stepType returns the kind of step of that word, or nil.
func (s schema) stepType(word string) *stepType {
	if i := slices.IndexFunc(s.steps, func(t *stepType) bool { return t.key == word }); i >= 0 {
		return s.steps[i]
	}
	return nil
}

// isComplete says whether the step may be its word alone.
func (t *stepType) isComplete() bool {
	return !slices.ContainsFunc(t.fields, func(c *field) bool { return c.needed })
}

// howTo says how the step is written with what it needs.
func (t *stepType) howTo() string {
	if text, reads := reflect.New(t.typ).Interface().(encoding.TextUnmarshaler); reads {
		if err := text.UnmarshalText(nil); err != nil {
			return err.Error()
		}
	}
	return "write " + t.example()
}

// example is the step with what it needs.
func (t *stepType) example() string {
	var named []string
	for _, c := range t.fields {
		switch {
		case c.needed && c.main:
			return t.key + ": " + c.example
		case c.needed:
			named = append(named, c.key+": "+c.example)
		}
	}
	if len(named) == 0 {
		return t.key
	}
	return t.key + ": {" + strings.Join(named, ", ") + "}"
}

// decodeNode reads the steps of a plan, and checks their order.
func (s *Steps) decodeNode(n node) {
	if n.Line == 0 && !n.parseText() {
		return
	}
	switch {
	case n.Kind != yaml.SequenceNode:
		n.refuse("must be a list of steps, each with a - of its own", stepsExample)
		return
	case len(n.Content) == 0:
		n.refuse("must not be empty", "write the steps, "+stepsExample)
		return
	case len(n.Content) > maxSteps:
		n.refuse(fmt.Sprintf("has %d steps, and a plan has at most %d", len(n.Content), maxSteps), "transfer the call to an extension with another plan for the rest")
		return
	}
	n.inner = true
	list, words, known := make(Steps, len(n.Content)), make([]node, len(n.Content)), true
	for i, e := range n.Content {
		n.at.Line = e.Line
		list[i], words[i] = n.below(e, fmt.Sprintf("%s[%d]", n.key, i)).step()
		known = known && list[i] != nil
	}
	if known { // the order of what is not known can't be told
		checkOrder(list, words)
	}
	*s = list
}

// parseText reads the steps that the environment or a flag states: YAML as in a file, where the
// list's brackets may be missing.
func (n *node) parseText() (ok bool) {
	text := n.Value // with the indent of its first line, which the others share
	if begin := strings.TrimSpace(text); !strings.HasPrefix(begin, "[") && !strings.HasPrefix(begin, "- ") {
		text = "[\n" + begin + "\n]" // whose columns are those of the text
	}
	var document, more yaml.Node
	d := yaml.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&document); err != nil {
		n.refuse("must be a list of steps in YAML", stepsExample)
		return false
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		n.refuse("must be one list of steps in YAML, and something follows it", "write all steps in one list, "+stepsExample)
		return false
	}
	n.Node = document.Content[0]
	return true
}

// checkOrder says of each step, whose word is a node, whether it may stand where it does. What
// would be said of several steps is said of the first.
func checkOrder(steps Steps, words []node) {
	said := map[string]bool{}
	for i, err := range flow.Check(steps) {
		if err == nil || said[err.Error()] {
			continue
		}
		said[err.Error()] = true
		rule, hint, _ := strings.Cut(err.Error(), ": ")
		words[i].refuseKey(rule, hint)
	}
}

// step reads one step: a word, a word with a value, or a word with named values. word is where
// it stands. The step is nil if its word is not known.
func (n node) step() (step flow.Step, word node) {
	if !n.isStep() {
		return nil, n
	}
	name, value, ok := n.pair()
	if !ok {
		return nil, n
	}
	t := n.d.stepType(name)
	if t == nil {
		if n.Kind == yaml.MappingNode {
			n = value
			n.Node = nil
		}
		n.unknownStep(name)
		return nil, n
	}
	n.d.origins[value.key] = value.at
	fresh := reflect.New(t.typ)
	fresh.Elem().Set(t.defaults)
	value.stepValue(t, fresh.Elem())
	step, _ = fresh.Interface().(flow.Step)
	return step, value
}

// isStep refuses what can't be a step.
func (n node) isStep() bool {
	switch {
	case n.isNull():
		n.refuseKey("is empty", "write a step, such as answer, or remove the -")
	case !n.plain():
	case n.Kind == yaml.SequenceNode:
		n.refuse("must be a step, not a list", "write each step with a - of its own, and all of them in one list")
	case n.Kind == yaml.MappingNode && len(n.Content) == 0:
		n.refuse("must be a step, not an empty group of keys", "write a step, such as answer")
	case n.Kind == yaml.MappingNode && len(n.Content) > 2:
		n.severalKeys()
	default:
		return true
	}
	return false
}

// severalKeys refuses a step of several keys: several steps, or one whose values are not below it.
func (n node) severalKeys() {
	first, second := n.Content[0], n.Content[2]
	hint := "write each step with a - of its own"
	if t := n.d.stepType(first.Value); t != nil && t.child(second.Value) != nil {
		key := second.Value + ": …"
		if main := t.short; main != nil && main.main && main.key != second.Value {
			key = main.key + ": …, " + key
		}
		hint = fmt.Sprintf("the values of %s stand below it, further to the right, or in braces: %s: {%s}", t.key, t.key, key)
	} else if n.d.isOfPlan(first.Value, second.Value) {
		hint = planOwn(first.Value, second.Value)
	}
	n.refuse(fmt.Sprintf("must be one step, and has the keys %q and %q", shorten(first.Value), shorten(second.Value)), hint)
}

// isOfPlan says whether a key stands below a key of the plan that has the name of a step, and that
// a plan made of steps has.
func (s schema) isOfPlan(step, key string) bool {
	own := s.root.planFields().child(step)
	return own != nil && !own.flat && own.child(key) != nil
}

// planOwn says where a key stands that isOfPlan knows.
func planOwn(step, key string) string {
	return fmt.Sprintf("%s is of the plan's own key %s, beside %s: %s: {%s: …}", key, step, stepsKey, step, key)
}

// unknownStep reports a word that is no step's.
func (n node) unknownStep(word string) {
	e := &FieldError{Rule: "no such step"}
	var words []string
	for _, t := range n.d.steps {
		words = append(words, t.key)
	}
	first := strings.TrimRight(word, " ")
	if i := strings.IndexAny(first, " :"); i > 0 {
		first = first[:i]
	}
	switch t, own := n.d.stepType(first), n.d.root.planFields().child(first); {
	case t == nil && own != nil && !own.flat && first != stepsKey:
		e.Hint = first + " is a key of the plan, beside " + stepsKey
	case t != nil && len(t.fields) == 0:
		e.Hint = "write " + t.key
	case t != nil:
		e.Hint = "a value stands behind a colon and a blank: " + t.key + ": " + shorten(strings.Trim(word[len(first):], ": "))
	case !n.d.bad.full() && isText(word):
		e.Nearest = nearest(word, words)
	}
	if e.Hint == "" && e.Nearest == "" {
		e.Hint = "known are " + strings.Join(words, ", ")
	}
	n.report(e)
}

// stepValue reads what stands behind a step's word.
func (n node) stepValue(t *stepType, v reflect.Value) {
	switch {
	case len(t.fields) == 0 && n.isNull():
		n.refuseKey("takes no value", "write "+t.key+" without a colon")
	case len(t.fields) == 0 && n.Node != nil:
		n.refuse("takes no value", "write "+t.key)
	case n.Node == nil && t.isComplete():
	case n.Node == nil, n.isNull() && !t.isComplete():
		n.refuseKey("needs a value", t.howTo())
	case n.isNull():
		n.refuseKey("has no value behind the colon", "write "+t.key+", or a value")
	case n.Kind == yaml.MappingNode:
		n.mapping(t.field, v)
	case t.short == nil:
		n.refuse("needs names for its values", "such as "+t.example())
	case t.short.typ == t.typ:
		n.whole(t, v)
	default:
		n.decode(t.short, t.short.in(v))
	}
}

// whole reads a step that is written as one text, and holds its parts to their own rules.
func (n node) whole(t *stepType, v reflect.Value) {
	if !n.plain() {
		return
	}
	before := len(n.d.bad.list) + n.d.bad.more
	n.scalar(t.short, v)
	for _, c := range t.fields {
		if len(n.d.bad.list)+n.d.bad.more > before {
			return
		}
		if err := c.read(format(c.in(v)), reflect.New(c.typ).Elem()); err != nil {
			n.below(n.Node, join(n.key, c.key)).report(err)
		}
	}
}
