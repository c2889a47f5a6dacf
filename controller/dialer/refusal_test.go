package dialer

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A service that says why it refuses is quoted, within a bound and without what it was sent.
func TestReasonOfARefusal(t *testing.T) {
	long := strings.Repeat("é", 5000)
	for name, c := range map[string]struct{ header, reason string }{
		"none":           {"", ""},
		"one":            {"Invalid credentials.", "Invalid credentials."},
		"with a secret":  {"no key " + token + "!", "no key [token]!"},
		"a secret alone": {token[:maxSecretRun], "[token]"},
		"not printable":  {"a\tb\x1b[2Jc\x80", "a?b?[2Jc\ufffd"},
		"long":           {long, long[:maxReason-4] + "…"},
		"long secret":    {strings.Repeat("x", maxReason-5) + token, strings.Repeat("x", maxReason-5) + "[t…"},
	} {
		t.Run(name, func(t *testing.T) {
			target := testTarget("ws://bot.test")
			response := &http.Response{StatusCode: 400, Header: http.Header{}}
			if c.header != "" {
				response.Header.Set("dg-error", c.header)
			}
			err := target.dialError(response, errors.New("expected 101"))
			want := "the recogniser answers 400 Bad Request"
			if c.reason != "" {
				want += ": " + c.reason
			}
			var refused *RefusalError
			if !errors.As(err, &refused) || refused.Status != 400 || refused.Reason != c.reason || len(refused.Reason) > maxReason || err.Error() != want {
				t.Errorf("%q, want %q", err, want)
			}
			if got := target.Redact(err); got != err {
				t.Errorf("redacted: %q", got)
			}
		})
	}
}

// Whatever an answer has of what was sent, it is not read.
func TestSecretInAnAnswer(t *testing.T) {
	for name, answer := range map[string]func(http.Header, string){
		"place":    func(h http.Header, s string) { h.Set("Location", "http://bot.test/"+s) },
		"reason":   func(h http.Header, s string) { h.Set("dg-error", s) },
		"protocol": func(h http.Header, s string) { h.Set("Sec-WebSocket-Protocol", s) },
		"upgrade":  func(h http.Header, s string) { h.Set("Upgrade", s); h.Set("Connection", s) },
	} {
		for _, secret := range []string{token, jwt, `with "quotes" and \ in it`} {
			t.Run(fmt.Sprintf("%s %.5s", name, secret), func(t *testing.T) {
				peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					answer(w.Header(), r.Header.Get("Authorization"))
					w.WriteHeader(map[bool]int{true: 302, false: 101}[name == "place" || name == "reason"])
				}))
				defer peer.Close()
				target := testTarget("ws://" + peer.Listener.Addr().String())
				target.Header.Set("Authorization", "Token "+secret)
				target.Secrets = []string{secret}
				_, todo, err := target.Reach(t.Context())
				if part := readable(fmt.Sprint(err, todo), target); err == nil || part != "" {
					t.Errorf("%q can be read in %v", part, err)
				}
			})
		}
	}
}
