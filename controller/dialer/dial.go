package dialer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/coder/websocket"
)

const (
	// maxResponseHeader bounds the answer to the handshake, in bytes.
	maxResponseHeader = 16 << 10
	// handshakeBuffer is net/http's, which lives as long as the WebSocket and is not used by it: in bytes.
	handshakeBuffer = 512
)

// Connect connects with a host, as net.Dialer.DialContext does.
type Connect func(ctx context.Context, network, address string) (net.Conn, error)

// Dial connects with the target. It follows no redirect: the secrets are for this URL only. The net.Conn is
// the one below the WebSocket, and TLS if there is one; whoever closes it ends all that is read and
// written. What the peer sends passes through c, if it is not nil. The caller must close the WebSocket.
//
// A *RefusalError is an answer that is no WebSocket. The text of an error may have in it what the peer has
// written: whoever shows one asks Hint what to do about it, and then passes it through Redact.
func (t Target) Dial(ctx context.Context, c *FrameCounter) (*websocket.Conn, net.Conn, error) {
	return t.DialWith(ctx, nil, c)
}

// DialWith is Dial for tests that have a network of their own: connect does not ask Permits. If it is nil,
// DialWith is Dial.
func (t Target) DialWith(ctx context.Context, connect Connect, c *FrameCounter) (*websocket.Conn, net.Conn, error) {
	if connect == nil {
		connect = t.connect()
	}
	ctx, cancel := context.WithTimeout(ctx, t.ConnectTimeout)
	defer cancel()
	var below net.Conn
	var keep func() bool // has it stay when ctx is over
	// net/http goes on by itself after the end of a request, for as long as a peer has it wait.
	client := t.client(c, func(_ context.Context, network, address string) (net.Conn, error) {
		conn, err := connect(ctx, network, address)
		if err == nil {
			below, keep = conn, context.AfterFunc(ctx, func() { _ = conn.Close() })
		}
		return conn, err
	})
	ws, response, err := websocket.Dial(ctx, t.URL, &websocket.DialOptions{HTTPClient: client, HTTPHeader: t.header()})
	if response == nil && ctx.Err() != nil { // and not what the close has led to
		err = fmt.Errorf("no answer to the handshake within %v: %w", t.ConnectTimeout, ctx.Err())
	}
	if err != nil {
		return nil, nil, t.dialError(response, err)
	}
	if !keep() {
		_ = ws.CloseNow()
		return nil, nil, t.dialError(nil, ctx.Err())
	}
	return ws, below, nil
}

// client is for one handshake. Each connection that it makes is connect's.
func (t Target) client(c *FrameCounter, connect Connect) *http.Client {
	transport := &http.Transport{
		Proxy:                  t.proxy,
		DialContext:            connect,
		MaxResponseHeaderBytes: maxResponseHeader,
		ReadBufferSize:         handshakeBuffer,
		WriteBufferSize:        handshakeBuffer,
		DisableKeepAlives:      true,
	}
	return &http.Client{
		Transport:     counted{transport, c},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// header of the handshake: who we are.
func (t Target) header() http.Header {
	h := http.Header{}
	maps.Copy(h, t.Header)
	h.Set("User-Agent", "tapdeck")
	return h
}

// dialError leaves out what net/http says about the URL, whose query can hold a secret.
func (t Target) dialError(response *http.Response, err error) error {
	if response != nil {
		return t.refusal(response, err)
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
	return fmt.Errorf("reach %s: %w", t.Words.Peer, err)
}

var errNoHeader = errors.New("malformed HTTP response: a line of its header is none")

// errSpokeFirst is said of what listens, if it does not wait for a request.
var errSpokeFirst = errors.New("it spoke before it was asked")
