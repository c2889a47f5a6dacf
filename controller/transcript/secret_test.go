package transcript

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tapdeck/controller/internal/dialertest"
)

// A service that says in a refusal what it was asked shows nothing of the query.
func TestQueryInARefusal(t *testing.T) {
	const secret = "a value of the query/nobody may read"
	for name, echo := range map[string]func(*http.Request) string{
		"as it came": func(r *http.Request) string { return r.URL.RawQuery },
		"decoded":    func(r *http.Request) string { return r.URL.Query().Get("token") },
	} {
		t.Run(name, func(t *testing.T) {
			eachFormat(t, 1, func(b *testbed) {
				network := dialertest.NewNetwork()
				refuses := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("dg-error", "no such token: "+echo(r))
					w.WriteHeader(http.StatusForbidden)
				})}
				go refuses.Serve(network)
				defer refuses.Close()
				b.config.URL = "ws://service.test/v1/listen?token=" + url.QueryEscape(secret)
				b.session = start(b.config, b.ear, b.log, nil, network.Dial)
				state := b.wait()
				if !state.GivenUp || !strings.Contains(state.Err.Error(), "403 Forbidden: no such token: ") {
					b.Fatalf("%+v", state)
				}
				shown := state.Err.Error() + state.Hint
				for _, part := range []string{secret[:12], secret[12:24], url.QueryEscape(secret)[:12], url.QueryEscape(secret)[12:24]} {
					if strings.Contains(shown, part) {
						b.Errorf("%q can be read: %s", part, shown)
					}
				}
			})
		})
	}
}
