package agent

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxSecretRun is how much of a token may be read in a log, in bytes.
	maxSecretRun = 12
	// maxText bounds what is looked at of a text of the bot's, and maxQuote what is told of it, in bytes.
	maxText  = 1 << 10
	maxQuote = 80
)

// secrets are what must not be read anywhere: the tokens, and what the bot was sent of them, as they
// are and as they look in quotes or in a URL.
func (c Config) secrets() (all []string) {
	for _, secret := range []string{c.Token, c.TwilioAuthToken, c.signature()} {
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

// hide is for each text that a bot may have written, since it can write what it was sent: it leaves out
// the tokens, and their parts of maxSecretRun bytes and more. A long text is cut.
func (c Config) hide(text string) string {
	cut := len(text) > maxText
	if cut {
		text = text[:maxText]
	}
	text = hideRuns(text, c.secrets())
	if cut { // the last of it may be the begin of a token
		text = text[:max(0, len(text)-maxSecretRun)] + "…"
	}
	return text
}

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

// clip is what is told of a text of the bot's.
func (c Config) clip(text string) string {
	text = c.hide(text)
	if len(text) > maxQuote {
		return text[:maxQuote] + "…"
	}
	return text
}

// secretError is an error whose text had a token in it. It hides what it was made of.
type secretError string

func (e secretError) Error() string { return string(e) }

// redact hides in the text of an error what a bot has put there.
func (c Config) redact(err error) error {
	text := err.Error()
	if hidden := c.hide(text); hidden != text {
		return secretError(hidden)
	}
	return err
}
