package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"tapdeck/controller/flow"
)

// chooseForm decides whether a plan, whose keys are read, is flat or made of steps. One that
// states neither has the form of plan default.
func (n node) chooseForm(p *Plan) {
	steps, isStated := n.d.origins[join(n.key, stepsKey)]
	for _, set := range n.d.plan {
		key := join(n.key, set.path)
		at, stated := n.d.origins[key]
		switch {
		case !set.flat || !stated:
		case !isStated:
			p.Steps = nil
			return
		default:
			n.d.bad.add(&FieldError{
				Origin: at, Field: key, keyOnly: true, Rule: fmt.Sprintf("can't stand beside %s (%s)", join(n.key, stepsKey), steps),
				Hint: "say it by a step and remove this key, or remove " + stepsKey,
			})
		}
	}
}

const stepsKey = "steps"

// has says whether a setting is one of a plan of this form.
func (p Plan) has(set setting) bool {
	if set.path == stepsKey {
		return p.Steps != nil
	}
	return p.Steps == nil || !set.flat
}

// steps are the plan's, whatever its form.
func (p Plan) steps() []flow.Step {
	if p.Steps != nil {
		return p.Steps
	}
	flat := flow.Flat{
		AnswerPause: p.AnswerPause, Tone: flow.Tone(p.Tone), Prompt: p.Prompt, StopOn: p.StopOn,
		Listen: flow.Listen{For: p.Listen, FinishOn: p.FinishOn, UntilSaid: p.UntilSaid, Silence: p.Silence, SilenceLevel: p.SilenceLevel, NoInput: p.NoInput},
	}
	if p.Agent.URL != "" {
		flat.Agent = &flow.Agent{For: p.Listen, Bot: p.Agent}
	}
	return flat.Steps()
}

// stepKey is the key by which a warning names one of the plan's steps.
func (p Plan) stepKey(plan string, i int, step flow.Step) string {
	if p.Steps != nil {
		plan = planKey(plan, fmt.Sprintf("%s[%d]", stepsKey, i))
		return join(plan, step.Name())
	}
	return planKey(plan, step.Name())
}

// text returns steps as they would be written in a list between brackets: those of them that fit
// into a number of bytes, but the first in any case.
func (s schema) text(steps Steps, most int) string {
	text := ""
	for i, step := range steps {
		next := s.stepType(step.Name()).text(step)
		switch {
		case i == 0:
			text = cut(next, most)
		case len(text+", "+next) > most:
			return text + ", …"
		default:
			text += ", " + next
		}
	}
	return text
}

// text returns a step with the values that it needs or that are not its defaults.
func (t *stepType) text(step flow.Step) string {
	v := reflect.ValueOf(step).Elem()
	var named []string
	var only *field
	for _, c := range t.fields {
		if value := c.in(v); c.needed || !reflect.DeepEqual(value.Interface(), c.in(t.defaults).Interface()) {
			named, only = append(named, c.key+": "+c.written(value)), c
		}
	}
	switch {
	case len(named) == 0:
		return t.key
	case len(named) == 1 && only.main:
		return t.key + strings.TrimPrefix(named[0], only.key)
	}
	return t.key + ": {" + strings.Join(named, ", ") + "}"
}

// written returns a value as YAML within brackets has it.
func (f *field) written(v reflect.Value) string {
	switch {
	case f.hides():
		return masked
	case f.fields != nil:
		var named []string
		for _, c := range f.fields {
			named = append(named, c.key+": "+c.written(c.in(v)))
		}
		return "{" + strings.Join(named, ", ") + "}"
	case v.Kind() == reflect.Map:
		return "{" + strings.Join(pairs(v, func(name string, v reflect.Value) string { return name + ": " + f.elem.written(v) }), ", ") + "}"
	case v.Kind() != reflect.Slice:
		return f.inYAML(format(v))
	case f.main && v.Len() == 1:
		return f.elem.written(v.Index(0))
	}
	list := make([]string, v.Len())
	for i := range list {
		list[i] = f.elem.written(v.Index(i))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// inYAML puts a text in quotes that would be something else without: a part of YAML's own, a
// number or a truth value.
func (f *field) inYAML(value string) string {
	isWord := regexp.MustCompile(`^[\w./$][\w./$=@+-]*$`).MatchString(value)
	switch {
	case f.typ.Kind() != reflect.String, isWord && isText(value), f.unquoted && isDigits(value):
		return value
	}
	return strconv.Quote(value)
}

// isText says whether YAML takes a value without quotes for a text.
func isText(value string) bool {
	return (&yaml.Node{Kind: yaml.ScalarNode, Value: value}).ShortTag() == tagText
}
