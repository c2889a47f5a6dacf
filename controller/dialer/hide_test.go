package dialer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

const token = "bearer-of-this-test"

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
	c.Secrets = []string{jwt}
	if got := c.Hide("a " + jwt + " b " + jwt[5:maxSecretRun] + " c " + jwt[3:50]); got != "a [token] b "+jwt[5:maxSecretRun]+" c [token]" {
		t.Errorf("hidden: %s", got)
	}
}
