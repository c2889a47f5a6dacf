package config

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Origin is where a value in effect comes from. The zero Origin is the default.
type Origin struct {
	// File and Line are of a value from a file.
	File string
	Line int
	// Environment is the variable's name of a value from the environment.
	Environment string
	// Flag is the flag's name, without dashes.
	Flag string
	// Inherited: the plan takes the value of the plan default, which has it from there.
	Inherited bool
}

// String returns the origin for people: "default", "tapdeck.yaml:12",
// "environment TAPDECK_LOG_LEVEL", "flag -s log.level", with ", by plan default" if inherited.
func (o Origin) String() string {
	text := "default"
	switch {
	case o.Flag != "":
		text = "flag -s " + o.Flag
	case o.Environment != "":
		text = "environment " + o.Environment
	case o.File != "":
		text = fmt.Sprintf("%s:%d", o.File, o.Line)
	}
	if o.Inherited && text != "default" {
		text += ", by plan " + DefaultPlan
	}
	return text
}

// failure returns a FieldError for a value with this origin.
func (o Origin) failure(key, value string, f *fault) *FieldError {
	e := &FieldError{
		File: o.File, Line: o.Line, Field: key, Value: value,
		Rule: f.rule, Hint: f.hint, Nearest: f.nearest,
	}
	if o.File == "" && o != (Origin{}) {
		e.Source = o.String()
	}
	return e
}

// item is one scalar as it was given.
type item struct {
	text string
	line int
	tag  string // YAML's type; empty for a text from the environment or a flag
}

// input is the value of one key from one layer; a list has any number of items.
type input struct {
	key    string
	origin Origin
	items  []item
}

// parsed is a value that keeps to its rule.
type parsed struct {
	value  any
	origin Origin
}

// parse checks an input and returns its value; ok is false if it was bad.
func (s *setting) parse(in input, bad *problems) (p parsed, ok bool) {
	report := func(it item, f *fault) {
		at := in.origin
		if it.line > 0 {
			at.Line = it.line
		}
		if s.secret && it.text != "" {
			f.hint = strings.ReplaceAll(f.hint, strconv.Quote(it.text), "it in quotes")
			it.text = masked
		}
		bad.add(at.failure(in.key, it.text, f))
	}
	var values []any
	for _, it := range in.items {
		v, f := s.parseItem(it)
		if f != nil {
			report(it, f)
			continue
		}
		values = append(values, v)
	}
	switch {
	case len(values) < len(in.items):
		return parsed{}, false
	case s.rule.list && len(values) == 0:
		report(item{}, &fault{rule: "the list is empty: nobody could connect", hint: "0.0.0.0/0 and ::/0 are everybody"})
		return parsed{}, false
	case s.rule.list:
		return parsed{value: prefixes(values), origin: in.origin}, true
	}
	return parsed{value: values[0], origin: in.origin}, true
}

func (s *setting) parseItem(it item) (any, *fault) {
	v, f := s.read(it.text)
	if f == nil && it.tag != "" {
		f = checkTag(it, s.rule.tags)
	}
	return v, f
}

// read makes a value of a text, which is one line whatever the rule.
func (s *setting) read(text string) (any, *fault) {
	if f := checkLine(text, maxText); f != nil {
		return nil, f
	}
	return s.rule.parse(text)
}

// maxText bounds every value, in bytes.
const maxText = 4096

// checkTag refuses a value that reads well but is of another type for YAML: a
// number in quotes, or a text that YAML takes for a number, a truth or a date.
func checkTag(it item, tags []string) *fault {
	for _, t := range tags {
		if it.tag == t {
			return nil
		}
	}
	if it.tag == tagText {
		return &fault{rule: "a " + tagName(tags[0]) + " is needed, this is a text", hint: "write " + it.text + " without quotes"}
	}
	return &fault{
		rule: fmt.Sprintf("a %s is needed, YAML takes this for a %s", tagName(tags[0]), tagName(it.tag)),
		hint: fmt.Sprintf("write %q", it.text),
	}
}

func tagName(tag string) string {
	switch tag {
	case tagText:
		return "text"
	case tagInt, "!!float":
		return "number"
	case tagBool:
		return "truth value"
	case "!!timestamp":
		return "date"
	}
	return strings.TrimPrefix(tag, "!!")
}

func prefixes(values []any) []netip.Prefix {
	list := make([]netip.Prefix, 0, len(values))
	for _, v := range values {
		if p, ok := v.(netip.Prefix); ok {
			list = append(list, p)
		}
	}
	return list
}
