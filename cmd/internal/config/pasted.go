package config

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// typographicQuotes are what web pages and word processors make of quotes: letters to YAML.
const typographicQuotes = "“”„‟«»‘’‚‛"

// isPasted reports what people paste from web pages without seeing it.
func isPasted(r rune) bool { return isOddBlank(r) || strings.ContainsRune(typographicQuotes, r) }

// isOddBlank reports the blanks that people paste from web pages, which look like
// plain ones or like nothing, but are letters to YAML.
func isOddBlank(r rune) bool {
	return r >= utf8.RuneSelf && (unicode.Is(unicode.Zs, r) || unicode.Is(unicode.Cf, r))
}

// isQuoted reports whether a text begins or ends with a typographic quote.
func isQuoted(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	return strings.ContainsRune(typographicQuotes, first) || strings.ContainsRune(typographicQuotes, last)
}

// namePasted names the first rune of a text that isPasted, and says what to do about it; "" if
// there is none. The text begins in a column; 0 is an unknown one.
func namePasted(text string, column int) string {
	i := strings.IndexFunc(text, isPasted)
	if i < 0 {
		return ""
	}
	r, _ := utf8.DecodeRuneInString(text[i:])
	at := fmt.Sprintf("in column %d stands", column+utf8.RuneCountInString(text[:i]))
	if column == 0 {
		at = fmt.Sprintf("character %d of it is", 1+utf8.RuneCountInString(text[:i]))
	}
	if strings.ContainsRune(typographicQuotes, r) {
		return fmt.Sprintf(`%s a typographic quote (U+%04X): write " instead`, at, r)
	}
	name := map[rune]string{
		'\u00a0': "a no-break space", '\u2007': "a figure space", '\u202f': "a narrow no-break space",
		'\ufeff': "a byte order mark", '\u200b': "a zero-width space", '\u00ad': "a soft hyphen",
	}[r]
	return fmt.Sprintf("%s %s (U+%04X): write a plain blank or none, or put the value in quotes",
		at, cmp.Or(name, "a blank that is none to YAML"), r)
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
