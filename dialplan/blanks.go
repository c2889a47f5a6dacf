package dialplan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const typeAnew = "type it anew, with plain blanks and quotes: it looks like one, or like nothing, and came from a web page perhaps"

// pasted reports what people paste from web pages, in a text, and what comes of it.
func (c *checker) pasted(what, text, effect string) bool {
	r, ok := firstPasted(text)
	if ok {
		c.report(SeverityError, typeAnew, "the %s %q holds %s: %s", what, text, NamePasted(r, "FreeSWITCH"), effect)
	}
	return ok
}

func firstPasted(text string) (r rune, ok bool) {
	i := strings.IndexFunc(text, IsPasted)
	if i < 0 {
		return 0, false
	}
	r, _ = utf8.DecodeRuneInString(text[i:])
	return r, true
}

// spoken are the applications whose data is for people: only they see or hear what is in it.
var spoken = []string{"log", "info", "speak", "say", "phrase", "send_display", "send_info"}

// judgePasted reports what is pasted into the other actions of extensions that have a socket
// action.
func (c *checker) judgePasted() {
	for _, p := range c.pastes {
		if !c.comesTo(p.place) || slices.ContainsFunc(c.Findings, func(f Finding) bool { return f.Line == p.Line && f.Hint == typeAnew }) {
			continue
		}
		c.at = p.Location
		r, _ := firstPasted(p.data)
		severity, effect := SeverityWarning, "to FreeSWITCH it is a letter, and a part of the word that it stands in"
		if slices.Contains(spoken, p.application) {
			severity, effect = SeverityNote, "no harm, if it is meant"
		}
		c.report(severity, typeAnew, "the data %q of %s holds %s: %s", p.data, p.application, NamePasted(r, "FreeSWITCH"), effect)
	}
}

// paste is an action whose data holds what people paste from web pages.
type paste struct {
	place
	application, data string
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

// pastedInLine names what stands in a line of a text that no program writes in XML, or "".
func pastedInLine(text string, line int) string {
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

// plainBlank makes a plain blank of one that has a width, and nothing of one that has none, or of
// a typographic quote.
func plainBlank(r rune) rune {
	switch {
	case !IsPasted(r):
		return r
	case unicode.Is(unicode.Zs, r):
		return ' '
	}
	return -1
}
