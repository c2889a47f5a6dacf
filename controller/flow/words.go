package flow

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

// Words are what a caller says while the call listens, as far as a transcription has told of it. They
// are for the goroutine of the call. The zero Words have heard nothing.
type Words struct {
	listening bool
	since     time.Time // of Begin
	said      []string  // since Begin, of the texts that stay as they are: the latest maxWords
	latest    []string  // of the text that may still change
	before    int       // how many of latest were heard before Begin
	unasked   bool      // something has come since Find looked
}

const (
	maxWords  = 1000 // that are kept
	maxPhrase = 64   // words of one that is looked for
)

// Hear adds what the caller has said. The next text stands in the place of one that is not final. Of a
// text the first maxWords words count.
func (w *Words) Hear(text string, final bool) {
	w.latest, w.unasked = splitWords(text), true
	w.before = min(w.before, len(w.latest))
	if !final {
		return
	}
	if w.listening {
		w.said = append(w.said, w.latestSince()...)
		w.said = w.said[max(0, len(w.said)-maxWords):]
	}
	w.latest, w.before = nil, 0
}

// HearEarlier adds what the caller has said before Begin, and what may still change: as many words at the start
// of the text that follows do not count.
func (w *Words) HearEarlier(text string) {
	w.latest = splitWords(text)
	w.before = len(w.latest)
}

// HearAll is Hear for a text that has none of the words that were said before Begin.
func (w *Words) HearAll(text string, final bool) {
	w.before = 0
	w.Hear(text, final)
}

// latestSince are the words since Begin that may still change.
func (w *Words) latestSince() []string { return w.latest[w.before:] }

// Begin begins a listening time. What was heard before does not count for it, nor do as many words at
// the begin of a text that is not final yet.
func (w *Words) Begin() {
	w.listening, w.said, w.before, w.unasked, w.since = true, nil, len(w.latest), false, time.Now()
}

// Since is when the listening time began: what was said before it is not to be heard, however late it comes.
func (w *Words) Since() time.Time { return w.since }

// End ends the listening time. What is heard from now on counts for none.
func (w *Words) End() { w.listening, w.said = false, nil }

// Any says whether anything was heard since the listening time began.
func (w *Words) Any() bool { return w.listening && len(w.said)+len(w.latestSince()) > 0 }

// Find returns the first one of a list of words and phrases that the caller has said since the listening
// time began: its words in a row, in any case, whatever punctuation is between them. It looks only once
// at what it has not found anything in: within a listening time it is to be asked for the same list.
func (w *Words) Find(list []string) (word string, found bool) {
	if !w.listening || !w.unasked || len(list) == 0 {
		return "", false
	}
	words := slices.Concat(w.said, w.latestSince())
	i := slices.IndexFunc(list, func(phrase string) bool { return haveInRow(words, splitWords(phrase)) })
	if i >= 0 {
		return list[i], true
	}
	w.unasked = false
	w.said = w.said[max(0, len(w.said)-maxPhrase):] // of which a phrase may still go on
	return "", false
}

// haveInRow says whether some words, one at least, stand among others in a row.
func haveInRow(words, row []string) bool {
	for ; len(row) > 0 && len(words) >= len(row); words = words[1:] {
		if slices.EqualFunc(words[:len(row)], row, strings.EqualFold) {
			return true
		}
	}
	return false
}

// splitWords returns the first maxWords words of a text, without what is between them. An apostrophe is
// between none: don't is one word, and dont is the same.
func splitWords(text string) []string {
	words := strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("'’ʼ", r):
			return -1
		case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsNumber(r):
			return r
		}
		return ' '
	}, text))
	return words[:min(len(words), maxWords)]
}
