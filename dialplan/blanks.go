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
	i := strings.IndexFunc(text, IsOddBlank)
	if i < 0 {
		return false
	}
	r, _ := utf8.DecodeRuneInString(text[i:])
	c.report(SeverityError, "type it anew, with plain blanks: it looks like one, or like nothing, and came from a web page perhaps",
		"the %s %q holds %s: %s", what, text, NamePasted(r, "FreeSWITCH"), effect)
	return true
}

// NamePasted names a character for which IsPasted is true, and its code point; reader is the
// program to which it is no blank.
func NamePasted(r rune, reader string) string {
	name := map[rune]string{
		'\u00a0': "a no-break space", '\u2007': "a figure space", '\u202f': "a narrow no-break space",
		'\ufeff': "a byte order mark", '\u200b': "a zero-width space", '\u00ad': "a soft hyphen",
	}[r]
	if IsTypographicQuote(r) {
		name = "a typographic quote"
	}
	return fmt.Sprintf("%s (U+%04X)", cmp.Or(name, "a blank that is none to "+reader), r)
}

// IsPasted reports what people paste from web pages without seeing it.
func IsPasted(r rune) bool { return IsOddBlank(r) || IsTypographicQuote(r) }

// IsTypographicQuote reports what web pages and word processors make of quotes: letters to programs.
func IsTypographicQuote(r rune) bool { return strings.ContainsRune("“”„‟«»‘’‚‛", r) }

// pasted names what stands in a line of a text that no program writes in XML, or "".
func pasted(text string, line int) string {
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	i := strings.IndexFunc(lines[line-1], IsPasted)
	if i < 0 {
		return ""
	}
	r, _ := utf8.DecodeRuneInString(lines[line-1][i:])
	return fmt.Sprintf("; in column %d stands %s, as it is pasted from web pages: type it anew",
		1+utf8.RuneCountInString(lines[line-1][:i]), NamePasted(r, "FreeSWITCH"))
}

// IsOddBlank reports what looks like a blank or like nothing and is not ASCII.
func IsOddBlank(r rune) bool {
	return r >= utf8.RuneSelf && (unicode.Is(unicode.Zs, r) || unicode.Is(unicode.Cf, r))
}

// plainBlank makes a plain blank of one that has a width, and nothing of one that has none.
func plainBlank(r rune) rune {
	switch {
	case !IsOddBlank(r):
		return r
	case unicode.Is(unicode.Zs, r):
		return ' '
	}
	return -1
}
