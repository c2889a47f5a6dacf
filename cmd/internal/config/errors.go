package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// FieldError is one thing wrong with the configuration.
type FieldError struct {
	// File and Line (from 1; 0 unknown) say where; File is empty for a value
	// that did not come from a file.
	File string
	Line int
	// Source names the place of a value that did not come from a file, such as
	// "environment TAPDECK_ESL_LISTEN" or "flag -s esl.listen".
	Source string
	// Field is the key's path, such as plans.survey.listen; empty if the file
	// as a whole is wrong.
	Field string
	// Value is what was given, shortened if it is long, masked if it is secret.
	Value string
	// Rule is what the value has to be.
	Rule string
	// Hint says what to write instead; it may be empty.
	Hint string
	// Nearest is the known key or word most like the one given, if one is near.
	Nearest string

	keyOnly bool // there is no value to show
}

// Error returns one line: place, key, value, rule, and what to do.
func (e *FieldError) Error() string {
	var b strings.Builder
	b.WriteString(e.place())
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	if !e.keyOnly && (e.Field != "" || e.Value != "") {
		fmt.Fprintf(&b, "%q: ", e.Value)
	}
	b.WriteString(advice(e.Rule, e.Hint, e.Nearest))
	return b.String()
}

func (e *FieldError) place() string {
	switch {
	case e.File != "" && e.Line > 0:
		return fmt.Sprintf("%s:%d: ", e.File, e.Line)
	case e.File != "":
		return e.File + ": "
	case e.Source != "":
		return e.Source + ": "
	}
	return ""
}

// Warning is something that works, but hardly as it is meant; or, for a call, a
// value that was not taken.
type Warning struct {
	// Field is the key's path, or the name of the channel variable.
	Field string
	// Value is what was given, shortened if it is long.
	Value string
	// Rule is what the value should be.
	Rule string
	// Hint says what to do; it may be empty.
	Hint string
}

// String returns the warning in one line.
func (w Warning) String() string {
	return fmt.Sprintf("%s: %q: %s", w.Field, w.Value, advice(w.Rule, w.Hint, ""))
}

func advice(rule, hint, nearest string) string {
	if hint != "" {
		rule += "; " + hint
	}
	if nearest != "" {
		rule += "; the nearest known is " + nearest
	}
	return rule
}

// fault is what is wrong with one value, before it is known where it stands.
type fault struct{ rule, hint, nearest string }

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
	e.Value = shorten(e.Value)
	e.Field, e.Source = oneLine(shorten(e.Field)), oneLine(shorten(e.Source))
	e.Rule, e.Hint = oneLine(e.Rule), oneLine(e.Hint)
	p.list = append(p.list, e)
}

func (p *problems) full() bool { return len(p.list) >= maxErrors }

// concerns tells whether something is already wrong with one of the keys.
func (p *problems) concerns(keys ...string) bool {
	return p.more > 0 || slices.ContainsFunc(p.list, func(e *FieldError) bool { return slices.Contains(keys, e.Field) })
}

// err joins all errors, those of the file first and in the order of its lines;
// nil if there are none.
func (p *problems) err() error {
	slices.SortStableFunc(p.list, func(a, b *FieldError) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Line, b.Line))
	})
	joined := make([]error, 0, len(p.list)+1)
	for _, e := range p.list {
		joined = append(joined, e)
	}
	if p.more > 0 {
		joined = append(joined, fmt.Errorf("and %d more errors", p.more))
	}
	return errors.Join(joined...)
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

// shorten keeps a text fit for one log line.
func shorten(text string) string {
	const most = 100
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
