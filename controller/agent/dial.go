package agent

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"

	"github.com/coder/websocket"
)

const (
	// maxResponseHeader bounds the answer to the handshake, in bytes.
	maxResponseHeader = 16 << 10
	// handshakeBuffer is net/http's, which lives as long as the WebSocket and is not used by it: in bytes.
	handshakeBuffer = 512
)

// refusal is an answer to the handshake that is no WebSocket.
type refusal struct {
	status   int
	location string // where a redirect leads, without query and user
	err      error
}

func (r *refusal) Error() string {
	switch {
	case r.status == http.StatusSwitchingProtocols:
		return r.err.Error()
	case r.location != "":
		return fmt.Sprintf("the bot answers %d %s, to %s", r.status, http.StatusText(r.status), r.location)
	}
	return fmt.Sprintf("the bot answers %d %s", r.status, http.StatusText(r.status))
}

// dialer connects with a host: that of net, except in tests.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// dialer refuses addresses that are not permitted.
func (c Config) dialer() dialer {
	d := &net.Dialer{}
	if c.Permits != nil {
		d.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			if err := c.Permits(to.Addr()); err != nil {
				return &notPermitted{err}
			}
			return nil
		}
	}
	return d.DialContext
}

// notPermitted is an address that must not be dialled.
type notPermitted struct{ error }

func (e *notPermitted) Unwrap() error { return e.error }

// proxy is the one of the environment, but for an address that has to be judged.
func (c Config) proxy(r *http.Request) (*url.URL, error) {
	if c.Permits != nil && r.URL.Scheme == "http" {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}

// dial connects with the bot. It follows no redirect: the token is for this URL only. The net.Conn is
// the one below the WebSocket, and TLS if there is one. What the bot sends passes through m.
func dial(ctx context.Context, c Config, connect dialer, m *meter) (*websocket.Conn, net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.ConnectTimeout)
	defer cancel()
	var below net.Conn
	var keep func() bool // has it stay when ctx is over
	transport := &http.Transport{
		Proxy: c.proxy,
		// net/http goes on by itself after the end of a request, for as long as a peer has it wait.
		DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
			conn, err := connect(ctx, network, address)
			if err == nil {
				below, keep = conn, context.AfterFunc(ctx, func() { _ = conn.Close() })
			}
			return conn, err
		},
		MaxResponseHeaderBytes: maxResponseHeader,
		ReadBufferSize:         handshakeBuffer,
		WriteBufferSize:        handshakeBuffer,
		DisableKeepAlives:      true,
	}
	client := &http.Client{
		Transport:     metered{transport, m},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ws, response, err := websocket.Dial(ctx, c.URL, &websocket.DialOptions{HTTPClient: client, HTTPHeader: header(c)})
	if response == nil && ctx.Err() != nil { // and not what the close has led to
		err = fmt.Errorf("no answer to the handshake within %v: %w", c.ConnectTimeout, ctx.Err())
	}
	if err != nil {
		return nil, nil, dialError(response, err)
	}
	if !keep() {
		_ = ws.CloseNow()
		return nil, nil, dialError(nil, ctx.Err())
	}
	return ws, below, nil
}

// header of the handshake: who we are.
func header(c Config) http.Header {
	h := http.Header{"User-Agent": {"tapdeck"}}
	if c.Token != "" {
		h.Set("Authorization", "Bearer "+c.Token)
	}
	if signature := c.signature(); signature != "" {
		h.Set("X-Twilio-Signature", signature)
	}
	return h
}

// signature is Twilio's of a WebSocket's URL, which has no form parameters behind it; "" without a token.
func (c Config) signature() string {
	if c.TwilioAuthToken == "" {
		return ""
	}
	mac := hmac.New(sha1.New, []byte(c.TwilioAuthToken))
	mac.Write([]byte(c.URL))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// dialError leaves out what net/http says about the URL, whose query can hold a secret.
func dialError(response *http.Response, err error) error {
	if response != nil {
		return &refusal{response.StatusCode, withoutSecrets(response.Header.Get("Location")), err}
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	switch text := err.Error(); {
	case strings.Contains(text, "readLoopPeekFailLocked"): // net/http's name for it
		err = errSpokeFirst
	case strings.Contains(text, "malformed MIME header"): // which it shows, with whatever is in it
		err = errNoHeader
	}
	return fmt.Errorf("reach the bot: %w", err)
}

var errNoHeader = errors.New("malformed HTTP response: a line of its header is none")

// errSpokeFirst is said of what listens, if it does not wait for a request.
var errSpokeFirst = errors.New("it spoke before it was asked")

// withoutSecrets is a URL without its query and user.
func withoutSecrets(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
