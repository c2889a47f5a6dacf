package config

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"tapdeck/dialplan"
)

// isQuoted reports whether a text begins or ends with a typographic quote.
func isQuoted(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	return dialplan.IsTypographicQuote(first) || dialplan.IsTypographicQuote(last)
}

// namePasted names the first rune of a text that was pasted from a web page, and says what to do
// about it; "" if there is none. The text begins in a column; 0 is an unknown one.
func namePasted(text string, column int) string {
	i := strings.IndexFunc(text, dialplan.IsPasted)
	if i < 0 {
		return ""
	}
	r, _ := utf8.DecodeRuneInString(text[i:])
	at := fmt.Sprintf("in column %d stands", column+utf8.RuneCountInString(text[:i]))
	if column == 0 {
		at = fmt.Sprintf("character %d of it is", 1+utf8.RuneCountInString(text[:i]))
	}
	instead := "a plain blank or none, or put the value in quotes"
	if dialplan.IsTypographicQuote(r) {
		instead = `" instead`
	}
	return fmt.Sprintf("%s %s: write %s", at, dialplan.NamePasted(r, "YAML"), instead)
}

// firstPasted finds what namePasted names in the first line of a file that has it outside of
// remarks.
func firstPasted(file string) (line int, named string) {
	remark := regexp.MustCompile(`(^|\s)#.*`)
	for row := range strings.Lines(strings.TrimPrefix(file, "\ufeff")) {
		line++
		if named = namePasted(remark.ReplaceAllString(row, ""), 1); named != "" {
			return line, named
		}
	}
	return 0, ""
}

// pasted is namePasted of a value.
func (n node) pasted() string {
	switch {
	case n.Node == nil || n.Kind != yaml.ScalarNode:
		return ""
	case n.Line == 0, n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return namePasted(n.Value, 0)
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		hint := namePasted(n.Value, n.Column+1)
		return strings.TrimSuffix(hint, ", or put the value in quotes")
	}
	return namePasted(n.Value, n.Column)
}
