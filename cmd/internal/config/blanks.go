package config

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// blanks reports the blanks that people paste from web pages, which look like
// plain ones or like nothing, but are letters to YAML. It returns the data with
// plain blanks for them, so that the rest can be read as it is meant. In
// comments and in quotes they may stay.
func (d document) blanks(data []byte) []byte {
	const byteOrderMark = "\ufeff"
	rest := strings.TrimPrefix(string(data), byteOrderMark)
	if !strings.ContainsFunc(rest, isOddBlank) {
		return data
	}
	var out strings.Builder
	line := 0
	for text := range strings.SplitAfterSeq(rest, "\n") {
		line++
		out.WriteString(d.plainLine(line, text))
	}
	return []byte(out.String())
}

// plainLine replaces what stands outside of comments and quotes.
func (d document) plainLine(line int, text string) string {
	var out strings.Builder
	column, quote, before := 0, rune(0), ' '
	for i, r := range text {
		column++
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case strings.ContainsRune("\"'", r) && strings.ContainsRune(" \t[{,:", before):
			quote = r
		case r == '#' && (before == ' ' || before == '\t'):
			return out.String() + text[i:]
		case isOddBlank(r):
			d.refuse(line, column, fmt.Sprintf("%s (U+%04X) stands here", blankName(r), r), "write a plain blank or none; if it belongs to a value, put that in quotes")
			if !unicode.IsSpace(r) {
				continue // it has no width
			}
			r = ' '
		}
		before = r
		out.WriteRune(r)
	}
	return out.String()
}

// isOddBlank tells the blanks that are none in YAML, and the letters of no width.
func isOddBlank(r rune) bool {
	return r >= utf8.RuneSelf && (unicode.Is(unicode.Zs, r) || strings.ContainsRune("\u200b\u200c\u200d\u2060\ufeff", r))
}

func blankName(r rune) string {
	names := map[rune]string{
		'\u00a0': "a no-break space", '\u2007': "a figure space", '\u202f': "a narrow no-break space",
		'\ufeff': "a byte order mark", '\u200b': "a zero-width space",
	}
	return cmp.Or(names[r], "a blank that is none to YAML")
}
