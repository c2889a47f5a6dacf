package agent

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"

	"tapdeck/controller/dialer"
)

// The hints of other tests, word for word.
const (
	hintSecret = "the bot refuses who calls it, or something it was told: compare agent.token_file and agent.twilio_auth_token_file with what the bot expects; Twilio's signature is made of agent.url as the plan has it, so a proxy must not change what the bot takes for its URL"
	hintCrash  = "the bot's process has ended, or a proxy before it has cut the connection: look at the log of both. If it was never reached, it may speak TLS: wss:// instead of ws://"
)

// maxSecretRun is how much of a token may be read, and maxText how much of a text is looked at, in bytes.
const (
	maxSecretRun = 12
	maxText      = 1 << 10
)

// What is said of a bot is in the words of its configuration.
func TestHints(t *testing.T) {
	s := &Session{target: testConfig(FormatPCM).target()}
	for _, c := range []struct {
		err  error
		hint string
	}{
		{context.DeadlineExceeded, "the bot's machine or a firewall before it drops what is sent to agent.url, or the bot is too busy to answer: look there, or raise agent.connect_timeout. Or it speaks no TLS, and agent.url must say ws://"},
		{syscall.ECONNREFUSED, "nothing listens at agent.url: is the bot running, and are host and port those of its WebSocket server?"},
		{&net.DNSError{Err: "no such host"}, "the host of agent.url is not known to DNS on this machine: is it spelled right?"},
		{syscall.EHOSTUNREACH, "this machine has no route to the host of agent.url: look at its network and firewall"},
		{x509.UnknownAuthorityError{}, "the certificate of agent.url is not one that this machine trusts for that host: give the bot a valid one, or name its authority in the daemon's environment: SSL_CERT_FILE=ca.pem"},
		{tls.RecordHeaderError{}, "agent.url says wss://, but no TLS answers there: is it ws://, or another port?"},
		{errors.New("malformed HTTP response"), "what listens at agent.url speaks no HTTP: is it another port, or wss:// instead of ws://?"},
		{&dialer.RefusalError{Status: 403}, "the bot refuses who calls it, or something it was told: compare agent.token_file and agent.twilio_auth_token_file with what the bot expects; Twilio's signature is made of agent.url as the plan has it, so a proxy must not change what the bot takes for its URL"},
		{&dialer.RefusalError{Status: 404}, "the bot's server has nothing at the path of agent.url: compare it with the bot's"},
		{&dialer.RefusalError{Status: 200}, "a web server answers at agent.url, but no WebSocket: is it the right path, and does a proxy before the bot pass upgrades on?"},
		{&dialer.RefusalError{Status: 500}, "the bot or a proxy before it has an error: look at its log"},
		{io.EOF, "the bot's process has ended, or a proxy before it has cut the connection: look at the log of both. If it was never reached, it may speak TLS: wss:// instead of ws://"},
		{errors.New("received unknown opcode 3"), "what came is no WebSocket frame: does a proxy change what the bot sends?"},
		{websocket.CloseError{Code: 4000}, "the bot has closed with an error: look at its log"},
		{errors.New("something else"), "look at the bot's log at this time"},
		{dialer.ErrNoWrite, hintSlow},
		{dialer.ErrNoPong, hintSlow},
		{errNoRead, hintSlow},
		{dialer.ErrOnlyFrames, hintFrames},
		{errPanic, hintReport},
		{websocket.ErrMessageTooBig, hintTooBig},
	} {
		if got := s.hintOf(fmt.Errorf("lost: %w", c.err)); got != c.hint {
			t.Errorf("%v: %q, want %q", c.err, got, c.hint)
		}
	}
}

// A bot that is not reached is an event with why, and what to do.
func TestNotReached(t *testing.T) {
	answer := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Error(w, r.Header.Get("Authorization"), status) }
	}
	refuse := func(netip.Addr) error { return errors.New("not this one") }
	for name, c := range map[string]struct {
		bot       http.Handler
		permits   func(netip.Addr) error
		err, hint string
	}{
		"401":      {answer(401), nil, "the bot answers 401 Unauthorized", hintSecret},
		"redirect": {http.RedirectHandler("http://bot.test/?a=b", http.StatusFound), nil, "the bot answers 302 Found, to http://bot.test/", "redirects are not followed, so that no secret goes elsewhere: put the final address into agent.url"},
		"address":  {answer(200), refuse, "reach the bot: dial tcp HOST: not this one", "use wss://, or set agent.insecure: true if the way to the bot is safe by other means"},
	} {
		t.Run(name, func(t *testing.T) {
			bot := httptest.NewServer(c.bot)
			defer bot.Close()
			config := testConfig(FormatTwilio)
			config.URL, config.Token, config.Permits = "ws://"+bot.Listener.Addr().String(), token, c.permits
			e := connectOnce(t, config)
			if got := strings.ReplaceAll(e.Err.Error(), bot.Listener.Addr().String(), "HOST"); got != c.err || e.Text != c.hint {
				t.Errorf("%q (%s), want %q (%s)", got, e.Text, c.err, c.hint)
			}
			if _, todo, err := Reach(t.Context(), config); todo != e.Text || fmt.Sprint(err) != e.Err.Error() {
				t.Errorf("Reach says %v, %q, a session %v, %q", err, todo, e.Err, e.Text)
			}
		})
	}
}
