package dialer

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// jwt is as long as such tokens are.
var jwt = "eyJhbGciOiJSUzI1NiJ9." + strings.Repeat("eyJpc3MiOiJib3QifQ-", 40) + ".c2lnbmF0dXJl"

// What has no token in it is told as it is; a token is hidden whole.
func TestHide(t *testing.T) {
	var c Target
	for _, secret := range []string{"", token, jwt} {
		c.Secrets = []string{secret}
		err := fmt.Errorf("reach the bot: %w", context.DeadlineExceeded)
		if got := c.Redact(err); got != err || !errors.Is(got, context.DeadlineExceeded) {
			t.Errorf("with the token %.10q: %v", secret, got)
		}
		if got := c.Clip("ready"); got != "ready" {
			t.Errorf("with the token %.10q: %q", secret, got)
		}
	}
	secret := `SECRET_token"with\quotes-0123456789`
	c.Secrets = []string{secret}
	for _, text := range []string{secret, fmt.Sprintf("%q", secret)} {
		if got := c.Hide(text); got != "[token]" && got != `"[token]"` {
			t.Errorf("%s is hidden as %s", text, got)
		}
	}
	const odd = "a+b/c=d e%f+g h"
	c.Secrets = []string{odd}
	for _, text := range []string{url.PathEscape(odd), url.QueryEscape(odd)} {
		if got := c.Hide(text); got != "[token]" {
			t.Errorf("%s is hidden as %s", text, got)
		}
	}
	c.Secrets = []string{token}
	if got := c.Hide(strings.Repeat(" ", maxText-5) + token); strings.Contains(got, token[:1]) {
		t.Errorf("the begin of a secret is in %s", got)
	}
	c.Secrets = []string{jwt}
	if got := c.Hide("a " + jwt + " b " + jwt[5:maxSecretRun] + " c " + jwt[3:50]); got != "a [token] b "+jwt[5:maxSecretRun]+" c [token]" {
		t.Errorf("hidden: %s", got)
	}
}

// readable returns a part of a secret that is in a text and must not be; "" if there is none.
func readable(text string, target Target) string {
	for _, form := range target.secretForms() {
		n := min(maxSecretRun, len(form))
		for i := range len(form) - n + 1 {
			if strings.Contains(text, form[i:i+n]) {
				return form[i : i+n]
			}
		}
	}
	return ""
}

// No text has a secret in it once it was hidden, wherever it is cut, and nothing else is hidden.
func FuzzHide(f *testing.F) {
	f.Add("a "+token+" b "+token[3:19], token)
	f.Add(strings.Repeat("x", maxText-5)+token, token)
	f.Add(fmt.Sprintf("%q", `with "quotes"`), `with "quotes"`)
	f.Add("abc", "b")
	f.Fuzz(func(t *testing.T, text, secret string) {
		if len(text) > 2*maxText || len(secret) > 100 {
			t.Skip("more of the same")
		}
		target := Target{Secrets: []string{"", secret}}
		hidden := target.Hide(text)
		for _, told := range []string{hidden, target.Clip(text), target.reason(text)} {
			told = strings.TrimSuffix(told, "…")
			for part := range strings.SplitSeq(told, "[token]") { // which may be a part of the secret itself
				if i := strings.LastIndexByte(part, '['); i >= 0 && strings.HasPrefix("[token]", part[i:]) {
					part = part[:i] // of which the rest was cut off
				}
				if r := readable(part, target); r != "" {
					t.Errorf("%q can be read in %q of %q", r, told, text)
				}
			}
		}
		if len(text) <= maxText && readable(text, target) == "" && hidden != text {
			t.Errorf("%q is hidden as %q", text, hidden)
		}
		if len(target.Clip(text)) > maxQuote+len("…") || len(target.reason(text)) > maxReason {
			t.Errorf("%d and %d bytes are told", len(target.Clip(text)), len(target.reason(text)))
		}
	})
}
