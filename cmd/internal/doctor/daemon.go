package doctor

import (
	"context"
	"errors"
	"net"
	"net/http"
	"regexp"
	"strings"

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
		x.report(Fail, check, "start it: tapdeck serve; if it runs, is this its configuration?", "no tapdeck answers at admin.listen %s (%v)", listen, err)
	case code == http.StatusOK && said == "ready":
		x.pass(check, "ready, says %s", listen)
		x.build(ctx)
	case code == http.StatusTooManyRequests:
		x.report(Warn, check, "wait, or raise esl.max_calls or sink.max_streams, whichever it is", "running, but %.120q: more calls are refused", said)
	case code == http.StatusServiceUnavailable:
		x.report(Fail, check, "if it drains, start its successor; if it starts, wait; if it names a disk, see that of sink.directory", "running, but not ready (%.120q): calls are refused", said)
	default:
		x.report(Fail, check, "is another program there, or is this not the daemon's configuration?",
			"what answers at admin.listen %s is no tapdeck (%d, %.120q)", listen, code, said)
	}
}

// build compares the daemon's version and configuration with ours.
func (x *examination) build(ctx context.Context) {
	const check = "daemon version"
	code, text, err := x.page(ctx, "/metrics")
	label := regexp.MustCompile(`(?m)^tapdeck_build_info\{.*\bversion="([^"]*)".*\} 1$`).FindStringSubmatch(text)
	switch {
	case ctx.Err() != nil:
	case code == http.StatusUnauthorized:
		x.report(Fail, "daemon", "run doctor with the configuration that the daemon runs with", "it refuses the admin.token of this configuration")
	case err != nil || label == nil:
		x.report(Unknown, check, "", "its metrics do not say")
	case label[1] != x.Version:
		x.report(Warn, check, "restart the daemon: it has not run the installed version since that was installed", "%s runs, and this is %s", label[1], x.Version)
	default:
		x.pass(check, "%s, as this program", x.Version)
	}
	if regexp.MustCompile(`(?m)^tapdeck_config_last_reload_successful 0$`).MatchString(text) {
		x.report(Warn, "daemon configuration", "tapdeck check says what is wrong with it",
			"the file was changed into one that is not valid; the daemon runs with the one before")
	}
}

// page gets a page of the daemon's admin listener.
func (x *examination) page(ctx context.Context, path string) (code int, body string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, x.timeouts.reach, errSilent)
	defer cancel()
	code, data, err := x.client.Get(ctx, path)
	return code, string(data), reason(err)
}

// calls asks the daemon for its running and its latest calls.
func (x *examination) calls(ctx context.Context) (*callview.Page, error) {
	// The test call is among these for many times the poll's interval, and a page of all is large.
	const latest = 50
	ctx, cancel := context.WithTimeoutCause(ctx, x.timeouts.reach, errSilent)
	defer cancel()
	page, err := x.client.Page(ctx, latest)
	return page, reason(err)
}

// reason is what matters of a failed connection, nil of none.
func reason(err error) error {
	var asking *callview.Error
	var network *net.OpError
	switch {
	case errors.As(err, &network):
		return network.Err
	case errors.As(err, &asking):
		return asking.Err
	}
	return err
}
