package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"syscall"
)

// daemon asks the running daemon how it is.
func (x *examination) daemon(ctx context.Context) {
	const check = "daemon"
	listen := x.Loaded.Config.Admin.Listen
	code, text, err := x.admin(ctx, "/readyz")
	said := strings.TrimSpace(string(text))
	switch {
	case ctx.Err() != nil:
	case err != nil:
		x.daemonAway = true
		x.report(finding(Fail, check, fmt.Sprintf("no tapdeck answers at admin.listen %s (%v)", listen, err), "start it: tapdeck serve; if it runs, is this its configuration?"))
	case code == http.StatusOK && said == "ready":
		x.report(pass(check, "ready, says %s", listen))
		x.build(ctx)
	case code == http.StatusTooManyRequests:
		x.report(finding(Warn, check, "running, but full: esl.max_calls calls are up, and more are refused", "wait, or raise esl.max_calls"))
	case code == http.StatusServiceUnavailable:
		x.report(finding(Fail, check, fmt.Sprintf("running, but not ready (%s): calls are refused", quote(said)), "if it drains, start its successor; if it starts, wait"))
	default:
		x.report(finding(Fail, check, fmt.Sprintf("what answers at admin.listen %s is no tapdeck (%d, %s)", listen, code, quote(said)), "is another program there, or is this not the daemon's configuration?"))
	}
}

// build compares the daemon's version and configuration with ours.
func (x *examination) build(ctx context.Context) {
	const check = "daemon version"
	code, text, err := x.admin(ctx, "/metrics")
	if ctx.Err() != nil {
		return
	}
	if code == http.StatusUnauthorized {
		x.report(finding(Fail, "daemon", "it refuses the admin.token of this configuration", "run doctor with the configuration that the daemon runs with"))
		return
	}
	label := regexp.MustCompile(`(?m)^tapdeck_build_info\{.*\bversion="([^"]*)".*\} 1$`).FindSubmatch(text)
	switch {
	case err != nil || label == nil:
		x.report(finding(Unknown, check, "its metrics do not say", ""))
	case string(label[1]) != x.Version:
		x.report(finding(Warn, check, fmt.Sprintf("%s runs, and this is %s", label[1], x.Version), "restart the daemon: it has not run the installed version since that was installed"))
	default:
		x.report(pass(check, "%s, as this program", x.Version))
	}
	if regexp.MustCompile(`(?m)^tapdeck_config_last_reload_successful 0$`).Match(text) {
		x.report(finding(Warn, "daemon configuration", "the file was changed into one that is not valid, and the daemon runs with the one before", "tapdeck check says what is wrong with it"))
	}
}

// maxAnswer bounds what is read of the daemon's answers.
const maxAnswer = 16 << 20

// admin gets a page of the daemon's admin listener.
func (x *examination) admin(ctx context.Context, page string) (code int, body []byte, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, x.patience.reach, errSilent)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+dialable(x.Loaded.Config.Admin.Listen)+page, nil)
	if err != nil {
		return 0, nil, fmt.Errorf("ask the daemon: %w", err)
	}
	if token := x.Loaded.Config.Admin.Token; token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, why(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, nil, why(err)
	}
	return resp.StatusCode, body, nil
}

// why says of a failed connection only what matters.
func why(err error) error {
	var u *url.Error
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("connection refused")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, errSilent):
		return errSilent
	case errors.As(err, &dns):
		return dns
	case errors.As(err, &u):
		return u.Err
	}
	return err
}

// dialable is where a listener's address can be reached from its own machine.
func dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
