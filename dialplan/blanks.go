package dialplan

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// oddBlank reports a blank of a web page, or something invisible, in a text, and what comes
// of it.
func (c *checker) oddBlank(what, text, effect string) bool {
	i := strings.IndexFunc(text, isOddBlank)
	if i < 0 {
		return false
	}
	r, _ := utf8.DecodeRuneInString(text[i:])
	c.report(SeverityError, "type it anew, with plain blanks: it looks like one, or like nothing, and came from a web page perhaps",
		"the %s %q holds %s: %s", what, text, blankName(r), effect)
	return true
}

func blankName(r rune) string {
	name := map[rune]string{
		'\u00a0': "a no-break space", '\u00ad': "a soft hyphen", '\u200b': "a zero-width space", '\ufeff': "a byte order mark",
	}[r]
	if strings.ContainsRune(typographicQuotes, r) {
		name = "a typographic quote"
	}
	return fmt.Sprintf("%s (U+%04X)", cmp.Or(name, "a blank that is none to FreeSWITCH"), r)
}

const typographicQuotes = "“”„‟«»‘’‚‛"

// pasted names what stands in a line of a text that no program writes in XML, or "".
func pasted(text string, line int) string {
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	odd := func(r rune) bool { return isOddBlank(r) || strings.ContainsRune(typographicQuotes, r) }
	i := strings.IndexFunc(lines[line-1], odd)
	if i < 0 {
		return ""
	}
	r, _ := utf8.DecodeRuneInString(lines[line-1][i:])
	return fmt.Sprintf("; in column %d stands %s, as it is pasted from web pages: type it anew",
		1+utf8.RuneCountInString(lines[line-1][:i]), blankName(r))
}

// isOddBlank reports what looks like a blank or like nothing and is not ASCII.
func isOddBlank(r rune) bool {
	return r >= utf8.RuneSelf && (unicode.Is(unicode.Zs, r) || unicode.Is(unicode.Cf, r))
}

// plainBlank makes a plain blank of one that has a width, and nothing of one that has none.
func plainBlank(r rune) rune {
	switch {
	case !isOddBlank(r):
		return r
	case unicode.Is(unicode.Zs, r):
		return ' '
	}
	return -1
}
