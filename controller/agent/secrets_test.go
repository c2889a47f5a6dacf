package agent

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// jwt is as long as such tokens are.
var jwt = "eyJhbGciOiJSUzI1NiJ9." + strings.Repeat("eyJpc3MiOiJib3QifQ-", 40) + ".c2lnbmF0dXJl"

// readable says whether more of a secret than may be is in a text, as it is or in quotes.
func readable(text, secret string) string {
	quoted := strconv.Quote(secret)
	for _, form := range []string{secret, quoted[1 : len(quoted)-1]} {
		n := min(maxSecretRun, len(form))
		for i := range len(form) - n + 1 {
			if strings.Contains(text, form[i:i+n]) {
				return form[i : i+n]
			}
		}
	}
	return ""
}

// checkSecret wants no token in what was logged and in the events of a bot that is lost.
func checkSecret(t *testing.T, b *bed, secret string) {
	t.Helper()
	b.await(Connected)
	for last := Kind(""); last != Failed; {
		e := <-b.Events()
		last = e.Kind
		if part := readable(fmt.Sprintf("%v %s", e.Err, e.Text), secret); part != "" {
			t.Errorf("%q can be read in the event %q: %v %s", part, e.Kind, e.Err, e.Text)
		}
	}
	for _, l := range b.logs.All() {
		if part := readable(fmt.Sprint(l.Message, l.ContextMap()), secret); part != "" {
			t.Errorf("%q can be read in the line %q %v", part, l.Message, l.ContextMap())
		}
	}
}

// Whatever a bot makes of a token that it was sent, it is not read anywhere.
func TestTokenInMessages(t *testing.T) {
	for _, secret := range []string{token, jwt, `with "quotes" and \ in it`, `a"b`} {
		quoted, _ := json.Marshal(secret)
		part, _ := json.Marshal(secret[:len(secret)*3/4])
		messages := []string{
			secret, `{"event":` + string(quoted) + `}`, `{"event":"clear",` + string(quoted) + `:1}`, `{"event":"start","sample_rate":` + string(quoted) + `}`,
			`{"event":"hangup","cause":` + string(quoted) + `}`, `{"event":"transfer","to":` + string(quoted) + `}`, `{"event":"dtmf","digits":` + string(quoted) + `}`,
			`{"event":"` + strings.Repeat("x", 70) + string(quoted[1:]) + `}`, `{"event":"` + strings.Repeat("x", maxText-10) + string(quoted[1:]) + `}`,
		}
		if len(secret) > 2*maxSecretRun {
			messages = append(messages, `{"event":`+string(part)+`}`)
		}
		for i, m := range messages {
			t.Run(fmt.Sprintf("%.5s %d", secret, i), func(t *testing.T) {
				c := testConfig(FormatPCM)
				c.Token, c.Reconnect = secret, 0
				bubble(t, c, func(b *botConn) {
					b.say(m)
					reason := secret
					if len(reason) > 100 {
						reason = reason[50:150]
					}
					b.ws.Close(4000, "no "+reason)
				}, func(b *bed) { checkSecret(t, b, secret) })
			})
		}
	}
}

// A request with a token in it would be read in logs and in the record: it is refused.
func TestTokenInRequests(t *testing.T) {
	c := testConfig(FormatPCM)
	c.Token, c.TwilioAuthToken = "SECRET_123456", "a.long.secret-0123456789"
	bubble(t, c, func(b *botConn) {
		b.say(`{"event":"transfer","to":"SECRET_123456"}`)
		b.say(`{"event":"transfer","to":"5000 XML xa.long.secret-01x"}`)
		b.say(`{"event":"hangup","cause":"SECRET_123456"}`)
		b.say(`{"event":"transfer","to":"5000"}`)
		b.all()
	}, func(b *bed) {
		b.await(Connected)
		for range 3 {
			if e := b.await(BadMessage); !strings.Contains(e.Err.Error(), "its own token") {
				t.Errorf("wrong: %v", e.Err)
			}
		}
		if e := b.await(Transfer); e.Text != "5000" {
			t.Errorf("transfer to %q", e.Text)
		}
		if n := b.State().Wrong[string(wrongMember)]; n != 3 {
			t.Errorf("%d wrong messages", n)
		}
	})
}

// So is a token in the answer to the handshake, the signature included.
func TestTokenInHandshake(t *testing.T) {
	for name, answer := range map[string]func(http.Header, string){
		"place":    func(h http.Header, s string) { h.Set("Location", "http://bot.test/"+s) },
		"protocol": func(h http.Header, s string) { h.Set("Sec-WebSocket-Protocol", s) },
		"upgrade":  func(h http.Header, s string) { h.Set("Upgrade", s); h.Set("Connection", s) },
	} {
		for _, secret := range []string{token, jwt, `with "quotes" and \ in it`} {
			t.Run(fmt.Sprintf("%s %.5s", name, secret), func(t *testing.T) {
				c := testConfig(FormatPCM)
				c.Token, c.TwilioAuthToken, c.Reconnect = secret, twilioToken, 0
				bubbleHTTP(t, c, func(w http.ResponseWriter, r *http.Request, _ int) {
					sent := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
					answer(w.Header(), sent+" "+r.Header.Get("X-Twilio-Signature"))
					w.WriteHeader(map[bool]int{true: 302, false: 101}[name == "place"])
				}, func(b *bed) {
					e := b.await(Failed)
					for _, s := range []string{secret, c.signature()} {
						if part := readable(e.Err.Error(), s); part != "" {
							t.Errorf("%q can be read in %v", part, e.Err)
						}
					}
				})
			})
		}
	}
}
