package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"

	"tapdeck/cmd/internal/callview"
)

// daemon asks the running daemon how it is.
func (x *examination) daemon(ctx context.Context) {
	const check = "daemon"
	listen := x.Loaded.Config.Admin.Listen
	code, text, err := x.page(ctx, "/readyz")
	said := strings.TrimSpace(text)
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
	code, text, err := x.page(ctx, "/metrics")
	if ctx.Err() != nil {
		return
	}
	if code == http.StatusUnauthorized {
		x.report(finding(Fail, "daemon", "it refuses the admin.token of this configuration", "run doctor with the configuration that the daemon runs with"))
		return
	}
	label := regexp.MustCompile(`(?m)^tapdeck_build_info\{.*\bversion="([^"]*)".*\} 1$`).FindStringSubmatch(text)
	switch {
	case err != nil || label == nil:
		x.report(finding(Unknown, check, "its metrics do not say", ""))
	case label[1] != x.Version:
		x.report(finding(Warn, check, fmt.Sprintf("%s runs, and this is %s", label[1], x.Version), "restart the daemon: it has not run the installed version since that was installed"))
	default:
		x.report(pass(check, "%s, as this program", x.Version))
	}
	if regexp.MustCompile(`(?m)^tapdeck_config_last_reload_successful 0$`).MatchString(text) {
		x.report(finding(Warn, "daemon configuration", "the file was changed into one that is not valid, and the daemon runs with the one before", "tapdeck check says what is wrong with it"))
	}
}

// page gets a page of the daemon's admin listener.
func (x *examination) page(ctx context.Context, path string) (code int, body string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, x.timeouts.reach, errSilent)
	defer cancel()
	code, data, err := x.client.Get(ctx, path)
	return code, string(data), reason(err)
}

// latest is how many of the ended calls are asked for: the test call is among them for
// many times the poll's interval, and a page of all is large.
const latest = 50

// calls asks the daemon for its running and its latest calls.
func (x *examination) calls(ctx context.Context) (*callview.Page, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, x.timeouts.reach, errSilent)
	defer cancel()
	page, err := x.client.Page(ctx, latest)
	var wrong *callview.Error
	if errors.As(err, &wrong) && wrong.Code != 0 && wrong.Code != http.StatusOK {
		err = fmt.Errorf("it answers %d", wrong.Code)
	}
	return page, reason(err)
}

// reason is what matters of a failed connection, nil of none.
func reason(err error) error {
	var asking *callview.Error
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("connection refused")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, errSilent):
		return errSilent
	case errors.As(err, &dns):
		return dns
	case errors.As(err, &asking):
		return asking.Err
	}
	return err
}
