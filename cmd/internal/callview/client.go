package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tapdeck/sink"
)

// adminClient asks a daemon's admin listener.
type adminClient struct {
	http           *http.Client
	address, token string
}

// adminPatience bounds one question, adminAnswer the bytes of its answer.
const (
	adminPatience = 10 * time.Second
	adminAnswer   = 64 << 20
)

func newAdminClient(address, token string) *adminClient {
	// Its own transport, without connections that outlive a question.
	transport := &http.Transport{DisableKeepAlives: true}
	return &adminClient{http: &http.Client{Timeout: adminPatience, Transport: transport}, address: address, token: token}
}

var errNoCall = errors.New("no such call among the running ones and the latest 1,000 that ended")

// calls asks for the running calls and the last ones that ended.
func (a *adminClient) calls(ctx context.Context, last int) (*callsPage, error) {
	data, err := a.get(ctx, "/calls?ended="+strconv.Itoa(last))
	if err != nil {
		return nil, err
	}
	page := &callsPage{}
	if err := json.Unmarshal(data, page); err != nil {
		return nil, a.strange(err)
	}
	return page, nil
}

// call asks for one call: running, else ended.
func (a *adminClient) call(ctx context.Context, id string) (*runningCall, *sink.Record, error) {
	data, err := a.get(ctx, "/calls/"+url.PathEscape(id))
	if err != nil {
		return nil, nil, err
	}
	var now runningCall
	if err := json.Unmarshal(data, &now); err != nil {
		return nil, nil, a.strange(err)
	}
	if now.Step != "" {
		return &now, nil, nil
	}
	var record sink.Record
	if err := json.Unmarshal(data, &record); err != nil {
		return nil, nil, a.strange(err)
	}
	return nil, &record, nil
}

func (a *adminClient) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.address+path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask tapdeck at %s: %w", a.address, err)
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := a.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, fmt.Errorf("no tapdeck answers at %s: %w (is `tapdeck serve` running, and is this its admin.listen? --admin names another)", a.address, err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, adminAnswer))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer of tapdeck at %s: %w", a.address, err)
	case resp.StatusCode == http.StatusUnauthorized:
		return nil, fmt.Errorf("tapdeck at %s wants its admin.token: give it with --token, or use the configuration that the daemon runs with", a.address)
	case resp.StatusCode == http.StatusNotFound && strings.Contains(string(data), "no such call"):
		return nil, errNoCall
	case resp.StatusCode != http.StatusOK:
		return nil, a.strange(errors.New(resp.Status))
	}
	return data, nil
}

// strange is an answer that is not tapdeck's.
func (a *adminClient) strange(err error) error {
	return fmt.Errorf("what answers at %s does not speak as tapdeck's admin listener: %w", a.address, err)
}
