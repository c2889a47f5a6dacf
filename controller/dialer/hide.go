package dialer

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxSecretRun is how much of a secret may be read in a log, in bytes.
	maxSecretRun = 12
	// maxText bounds what is looked at of a text of a peer's, and maxQuote what is told of it, in bytes.
	maxText  = 1 << 10
	maxQuote = 80
)

// secretForms are the secrets as they are, and as they look in quotes or in a URL.
func (t Target) secretForms() (all []string) {
	for _, secret := range t.Secrets {
		if secret == "" {
			continue
		}
		quoted := strconv.Quote(secret)
		for _, form := range []string{secret, quoted[1 : len(quoted)-1], url.PathEscape(secret), url.QueryEscape(secret)} {
			if !slices.Contains(all, form) {
				all = append(all, form)
			}
		}
	}
	return all
}

// Hide is for each text that the peer may have written, since it can write what it was sent: it leaves out
// the secrets, and their parts of 12 bytes and more. A text of more than 1 KiB is cut.
func (t Target) Hide(text string) string {
	cut := len(text) > maxText
	if cut {
		text = text[:maxText]
	}
	text = t.Conceal(text)
	if cut { // the last of it may be the start of a secret
		text = strings.ToValidUTF8(text[:max(0, len(text)-maxSecretRun)], "") + "…"
	}
	return text
}

// Conceal is Hide for a text whose length is bounded already.
func (t Target) Conceal(text string) string { return hideRuns(text, t.secretForms()) }

// hideRuns leaves out what is in a secret for maxSecretRun bytes, or is all of a shorter one.
func hideRuns(text string, secrets []string) string {
	var b strings.Builder
	hidden := 0 // up to here
	for i := range len(text) {
		for _, secret := range secrets {
			run := min(len(secret), maxSecretRun)
			if i+run > len(text) || !strings.Contains(secret, text[i:i+run]) {
				continue
			}
			if i >= hidden {
				b.WriteString("[token]")
			}
			hidden = max(hidden, i+run)
		}
		if i >= hidden {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

// Clip is what is told of a text of the peer's: its first 80 bytes, after Hide.
func (t Target) Clip(text string) string {
	text = t.Hide(text)
	if len(text) > maxQuote {
		return text[:maxQuote] + "…"
	}
	return text
}

// secretError is an error whose text had a secret in it. It hides what it was made of.
type secretError string

func (e secretError) Error() string { return string(e) }

// Redact hides in the text of an error what the peer has put there. An error that changes is of no type that
// errors.Is and errors.As know: Hint comes before.
func (t Target) Redact(err error) error {
	text := err.Error()
	if hidden := t.Hide(text); hidden != text {
		return secretError(hidden)
	}
	return err
}
