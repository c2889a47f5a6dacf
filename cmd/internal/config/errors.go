package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Origin is the source of a value. The zero Origin is the default.
type Origin struct {
	// File and Line (from 1; 0 unknown) are of a value from a file.
	File string
	Line int
	// Environment is the variable's name of a value from the environment.
	Environment string
	// Flag is the flag's name, without dashes.
	Flag string
	// Inherited: the plan has the value of the plan default, which has it from there.
	Inherited bool
}

// String returns the origin for people: "default", "tapdeck.yaml:12",
// "environment TAPDECK_LOG_LEVEL", "flag -s log.level", with ", by plan default" if inherited.
func (o Origin) String() string {
	text := strings.TrimSuffix(fmt.Sprintf("%s:%d", o.File, o.Line), ":0")
	switch {
	case o.Flag != "":
		text = "flag -s " + o.Flag
	case o.Environment != "":
		text = "environment " + o.Environment
	case o.File == "":
		return "default"
	}
	if o.Inherited {
		text += ", by plan " + DefaultPlan
	}
	return text
}

// FieldError is one thing wrong with the configuration.
type FieldError struct {
	// Origin is the value's source, such as its file and line.
	Origin
	// Field is the key's path, such as plans.survey.listen, or the name of a channel
	// variable; empty if the file as a whole is wrong.
	Field string
	// Value is what was given, shortened if it is long, masked if it is secret. Of a URL, the
	// user and the password are masked.
	Value string
	// Rule is what the value has to be.
	Rule string
	// Hint says what to write instead; it may be empty.
	Hint string
	// Nearest is the known key or word most like the one given, if one is near.
	Nearest string

	keyOnly bool // there is no value to show
}

// violated returns an error without its origin, for types and checks.
func violated(rule string, hint ...string) error {
	return &FieldError{Rule: rule, Hint: strings.Join(hint, "")}
}

// Error returns one line: origin, key, value, rule, and what to do.
func (e *FieldError) Error() string {
	var b strings.Builder
	if e.Origin != (Origin{}) {
		b.WriteString(e.Origin.String() + ": ")
	}
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
		if !e.keyOnly {
			fmt.Fprintf(&b, "%q: ", e.Value)
		}
	}
	b.WriteString(e.Rule)
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	if e.Nearest != "" {
		b.WriteString("; the nearest known is " + e.Nearest)
	}
	return b.String()
}

// maxErrors bounds what one bad file can make us say.
const maxErrors = 100

// problems collects errors.
type problems struct {
	list []*FieldError
	more int
}

func (p *problems) add(e *FieldError) {
	if p.full() {
		p.more++
		return
	}
	e.Rule, e.Hint = withoutUser(e.Rule), withoutUser(e.Hint)
	for _, text := range []*string{&e.Field, &e.Environment, &e.Flag, &e.Rule, &e.Hint} {
		*text = oneLine(*text)
	}
	for _, text := range []*string{&e.Value, &e.Field, &e.Environment, &e.Flag} {
		*text = shorten(*text)
	}
	p.list = append(p.list, e)
}

func (p *problems) full() bool { return len(p.list) >= maxErrors }

// concerns reports whether something is already wrong with one of the keys.
func (p *problems) concerns(keys ...string) bool {
	return p.more > 0 || slices.ContainsFunc(p.list, func(e *FieldError) bool { return slices.Contains(keys, e.Field) })
}

// errors lists what is wrong, as it was found.
func (p *problems) errors() []error {
	var list []error
	for _, e := range p.list {
		list = append(list, e)
	}
	if p.more > 0 {
		list = append(list, fmt.Errorf("and %d more errors", p.more))
	}
	return list
}

// err joins all errors, those of the file first and in the order of its lines;
// nil if there are none.
func (p *problems) err() error {
	slices.SortStableFunc(p.list, func(a, b *FieldError) int {
		return cmp.Or(cmp.Compare(a.Flag, b.Flag), cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Line, b.Line))
	})
	return errors.Join(p.errors()...)
}

// withoutUser hides who a URL is for, and the password: what is before the last @. A URL that has neither stays
// as it is. What is no URL, or holds one, may lose more than that.
func withoutUser(text string) string {
	if u, err := url.Parse(text); err == nil && u.Host != "" && u.User == nil {
		return text
	}
	return regexp.MustCompile(`(?is)(://|\bwss?:/{0,2}).*@`).ReplaceAllString(text, "${1}"+masked+"@")
}

// oneLine keeps what an unknown key or name holds from breaking a line.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// shorten keeps a text fit for one log line, without what must not be shown.
func shorten(text string) string { return cut(withoutUser(text), 100) }

// cut returns the text if it has no more bytes than most, else its begin.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
