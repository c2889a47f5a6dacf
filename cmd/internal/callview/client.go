package callview

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// timeout bounds one question.
	timeout = 10 * time.Second
	// maxAnswer bounds the bytes of its answer.
	maxAnswer = 64 << 20
)

// ErrNoCall says that a daemon knows nothing of a call.
var ErrNoCall = errors.New("no such call among the running ones and the latest 1,000 that ended")

// Error is a question that a daemon did not answer as it should.
type Error struct {
	Address string
	Code    int // of HTTP; 0 if nothing answered
	Err     error
}

func (e *Error) Error() string {
	switch e.Code {
	case 0:
		return fmt.Sprintf("no tapdeck answers at %s: %v (is `tapdeck serve` running, and is this its admin.listen? --admin names another)", e.Address, e.Err)
	case http.StatusUnauthorized:
		return fmt.Sprintf("tapdeck at %s wants its admin.token: give it with --token, or use the configuration that the daemon runs with", e.Address)
	}
	return fmt.Sprintf("what answers at %s does not speak as tapdeck's admin listener: %v", e.Address, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Client asks a daemon's admin listener.
type Client struct {
	http    *http.Client
	address string
	token   string
}

// NewClient returns a client of the daemon with this admin.listen, on the same machine
// if listen names no host, and this admin.token.
func NewClient(listen, token string) *Client {
	// No connection outlives a question: the client needs no Close.
	transport := &http.Transport{DisableKeepAlives: true}
	return &Client{http: &http.Client{Timeout: timeout, Transport: transport}, address: Dialable(listen), token: token}
}

// Dialable is the address at which a listener is reached from its own machine.
func Dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// Address is the host:port that the client asks.
func (c *Client) Address() string { return c.address }

// Page asks for the running calls and the last ones that ended. Its error is an *Error.
func (c *Client) Page(ctx context.Context, last int) (*Page, error) {
	page := &Page{}
	return page, c.getJSON(ctx, "/calls?ended="+strconv.Itoa(last), page)
}

// Call asks for one call: a running one, else the record of one that has ended. Its
// error is an *Error or ErrNoCall.
func (c *Client) Call(ctx context.Context, uuid string) (*Running, *Record, error) {
	now, ended := &Running{}, &Record{}
	if err := c.getJSON(ctx, "/calls/"+url.PathEscape(uuid), now, ended); err != nil {
		return nil, nil, err
	}
	if ended.Result == "" { // which every record has, and a call has no step before its first
		return now, nil, nil
	}
	return nil, ended, nil
}

// getJSON asks for a page and decodes it into each of these.
func (c *Client) getJSON(ctx context.Context, path string, into ...any) error {
	code, data, err := c.Get(ctx, path)
	switch {
	case err != nil:
		return err
	case code == http.StatusNotFound && strings.Contains(string(data), "no such call"):
		return ErrNoCall
	case code != http.StatusOK:
		return &Error{c.address, code, fmt.Errorf("%d %s", code, http.StatusText(code))}
	}
	for _, v := range into {
		if err := json.Unmarshal(data, v); err != nil {
			return &Error{c.address, code, fmt.Errorf("decode calls: %w", err)}
		}
	}
	return nil
}

// Get asks for a page and returns whatever comes. The error is an *Error with Code 0.
func (c *Client) Get(ctx context.Context, path string) (code int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.address+path, nil)
	if err != nil {
		return 0, nil, &Error{c.address, 0, err}
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err == nil {
		defer func() { _ = resp.Body.Close() }()
		body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	}
	var asking *url.Error
	if errors.As(err, &asking) {
		err = asking.Err // without the URL
	}
	if err != nil {
		return 0, nil, &Error{c.address, 0, err}
	}
	return resp.StatusCode, body, nil
}
