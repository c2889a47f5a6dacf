// Package terminal says whether a writer is a terminal and how high it is, and makes
// text of others fit for one. It starts no goroutine and changes no terminal's state.
package terminal

import (
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// Is says whether w is a terminal.
func Is(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Rows is how many lines the terminal shows; 0 if w is none.
func Rows(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	_, rows, _ := term.GetSize(int(f.Fd()))
	return rows
}

// Printable is text of a caller's choosing without control characters, which could do
// more on a terminal than be read.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
