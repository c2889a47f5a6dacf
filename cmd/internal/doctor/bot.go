package doctor

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"tapdeck/controller/flow"
)

// agents are the steps of a plan in which a caller talks with a bot.
func agents(steps []flow.Step) (list []*flow.Agent) {
	for _, step := range steps {
		if agent, is := step.(*flow.Agent); is {
			list = append(list, agent)
		}
	}
	return list
}

// bots connects with the bot of every plan, once each.
func (x *examination) bots(ctx context.Context) {
	type reached struct{ url, token, twilio string }
	var order []reached
	plans, of := map[reached][]string{}, map[reached]*flow.Bot{}
	for _, plan := range x.plans {
		for _, agent := range agents(plan.Steps) {
			key := reached{agent.URL, agent.TokenFile + "=" + agent.TokenEnv, agent.TwilioAuthTokenFile + "=" + agent.TwilioAuthTokenEnv}
			if of[key] == nil {
				order, of[key] = append(order, key), &agent.Bot
			}
			if !slices.Contains(plans[key], plan.Name) {
				plans[key] = append(plans[key], plan.Name)
			}
		}
	}
	for _, key := range order {
		x.bot(ctx, "bot of plan "+strings.Join(plans[key], ", "), of[key])
	}
}

// bot connects with one bot, and says nothing to it.
func (x *examination) bot(ctx context.Context, check string, bot *flow.Bot) {
	begun := time.Now()
	response, err := handshake(ctx, bot)
	if ctx.Err() != nil {
		return
	}
	at := shownURL(bot.URL)
	if err == nil {
		x.pass(check, "%s answers within %v; `tapdeck agent-test` tries a whole conversation", at, time.Since(begun).Round(time.Millisecond))
		return
	}
	seen, todo := refused(response, err)
	x.report(Fail, check, todo, "%s %s", at, seen)
}

// errPublic is of an address that the bot's URL must not lead to.
var errPublic = errors.New("the URL must be wss:// for that address")

// handshake connects as a call does: with the plan's tokens, following no redirect, and to no
// address that the plan does not permit. The response is nil if there was none.
func handshake(ctx context.Context, bot *flow.Bot) (*http.Response, error) {
	header, err := credentials(bot)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, bot.ConnectTimeout)
	defer cancel()
	transport := &http.Transport{DialContext: guardedDialer(bot).DialContext, DisableKeepAlives: true}
	if strings.HasPrefix(bot.URL, "wss:") { // a proxy would hide the address of the others
		transport.Proxy = http.ProxyFromEnvironment
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	conn, response, err := websocket.Dial(ctx, bot.URL, &websocket.DialOptions{HTTPClient: client, HTTPHeader: header})
	if err == nil {
		_ = conn.Close(websocket.StatusNormalClosure, "tapdeck doctor was here")
	}
	return response, err
}

// guardedDialer connects only to addresses that the bot may be reached at.
func guardedDialer(bot *flow.Bot) *net.Dialer {
	return &net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || bot.CheckAddress(to.Addr()) != nil {
			return errPublic
		}
		return nil
	}}
}

// credentials are the headers by which a bot knows tapdeck.
func credentials(bot *flow.Bot) (http.Header, error) {
	tokens, err := bot.Tokens()
	header := http.Header{}
	if tokens.Bearer != "" {
		header.Set("Authorization", "Bearer "+tokens.Bearer)
	}
	if tokens.Twilio != "" {
		signature := hmac.New(sha1.New, []byte(tokens.Twilio))
		signature.Write([]byte(bot.URL))
		header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(signature.Sum(nil)))
	}
	return header, err
}

// shownURL is a URL without what may be secret in it.
func shownURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "the bot"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// refused says why there is no connection with a bot, and what to do.
func refused(response *http.Response, err error) (seen, todo string) {
	if response != nil && response.StatusCode != http.StatusSwitchingProtocols {
		return refusedStatus(response)
	}
	var token *flow.TokenError
	var dns *net.DNSError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	switch {
	case errors.As(err, &token):
		return "can't be asked: " + token.Error(), "let the user who runs doctor read the token, as tapdeck's must"
	case errors.Is(err, errPublic):
		return "leads to an address that is not private", "write wss:// in its URL, or insecure: true"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refuses the connection: nothing listens there", "is the bot running, at the host and port of agent.url?"
	case errors.As(err, &dns):
		return "is not found: its name stands for no address here", "correct the host of agent.url, or the names that this machine knows"
	case errors.As(err, &authority), errors.As(err, &name):
		return "shows a certificate that is not good for it", "give it one for the name in agent.url, of an authority that this machine trusts"
	case errors.Is(err, context.DeadlineExceeded):
		return "does not answer within agent.connect_timeout", "is the bot running, and does a firewall let this machine reach it?"
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Sprintf("can't be connected with (%v)", reason(err)), "does agent.url name a WebSocket server, with TLS if it is wss://?"
}

// refusedStatus is refused for an answer of HTTP.
func refusedStatus(response *http.Response) (seen, todo string) {
	seen = fmt.Sprintf("answers HTTP %d in place of a WebSocket", response.StatusCode)
	switch code := response.StatusCode; {
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return seen, "is the token of agent.token_file, or of twilio_auth_token_file, the one that the bot expects? Twilio's signature is over agent.url as it is written"
	case code >= 300 && code < 400:
		return seen, "no redirect is followed: write the URL that it leads to, " + shownURL(response.Header.Get("Location"))
	case code == http.StatusNotFound:
		return seen, "correct the path of agent.url"
	}
	return seen, "does agent.url name the bot's WebSocket? Its log says more"
}
