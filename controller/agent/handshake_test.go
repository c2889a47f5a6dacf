package agent

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tapdeck/controller/internal/dialertest"
)

const (
	token       = "bearer-of-this-test"
	twilioToken = "twilio-token-of-this-test"
)

// The handshake says who we are. The signature was made with another program:
// printf %s URL | openssl dgst -sha1 -hmac TOKEN -binary | base64
func TestHandshakeHeaders(t *testing.T) {
	c := testConfig(FormatTwilio)
	c.Token, c.TwilioAuthToken, c.URL = token, "12345", "wss://myapp.com/media?a=b"
	h := c.header()
	if got := h.Get("Authorization"); got != "Bearer "+token {
		t.Errorf("Authorization is %q", got)
	}
	if got := h.Get("X-Twilio-Signature"); got != "eHokRkczrpzBkco7XHWduRiknRc=" {
		t.Errorf("the signature is %q", got)
	}
	if h := testConfig(FormatTwilio).header(); len(h) != 0 {
		t.Errorf("without tokens the header is %v", h)
	}
}

// connectOnce returns the failure of a session that tries once.
func connectOnce(t *testing.T, c Config) Event {
	t.Helper()
	c.Reconnect = 0
	s := Start(t.Context(), c, dialertest.NewEar(1), &testMouth{}, zap.NewNop(), nil)
	defer s.Stop("test over")
	for e := range s.Events() {
		if e.Kind == Failed {
			return e
		}
	}
	return Event{}
}

// A bot that sends back what it was sent brings no token into logs and events.
func TestTokensStaySecret(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		secret := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		for _, m := range []string{secret, `{"event":"` + secret + `"}`, `{"event":"media","streamSid":"` + secret + `"}`, `{"event":"` + twilioToken + `"}`} {
			_ = ws.Write(r.Context(), websocket.MessageText, []byte(m))
		}
		ws.Close(4000, secret+twilioToken)
	}))
	defer bot.Close()
	c := testConfig(FormatTwilio)
	c.URL, c.Token, c.TwilioAuthToken, c.Reconnect = "ws://user:"+token+"@"+bot.Listener.Addr().String()+"/?"+token, token, twilioToken, 1
	s := Start(t.Context(), c, dialertest.NewEar(1), &testMouth{}, zap.New(core), nil)
	defer s.Stop("test over")
	for e := range s.Events() {
		if text := fmt.Sprintf("%v %+v %s", e.Err, e.Err, e.Text); strings.Contains(text, token) || strings.Contains(text, twilioToken) {
			t.Errorf("event %q: %s", e.Kind, text)
		}
		if e.Kind == Failed {
			break
		}
	}
	if logs.Len() < 8 {
		t.Errorf("%d lines", logs.Len())
	}
	for _, l := range logs.All() {
		if text := fmt.Sprint(l.Message, l.ContextMap()); strings.Contains(text, token) || strings.Contains(text, twilioToken) {
			t.Errorf("line %s", text)
		}
	}
}
