package doctor

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// reachTimeout bounds the attempts to reach an address.
const reachTimeout = 3 * time.Second

// daemon asks the running daemon how it is.
func (x *examination) daemon(ctx context.Context) {
	const check = "daemon"
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	code, text, err := x.admin(ctx, "/readyz")
	switch {
	case err != nil:
		x.report(finding(Fail, check, fmt.Sprintf("no tapdeck answers at admin.listen %s", x.Loaded.Config.Admin.Listen), "start it: tapdeck serve"))
	case code == http.StatusOK:
		x.report(pass(check, "ready at %s", x.Loaded.Config.Admin.Listen))
	default:
		x.report(finding(Warn, check, fmt.Sprintf("answers %d: %s", code, strings.TrimSpace(string(text))), "calls are refused until it is ready again"))
	}
}

// maxAnswer bounds what is read of the daemon's answers.
const maxAnswer = 16 << 20

// admin gets a page of the daemon's admin listener.
func (x *examination) admin(ctx context.Context, page string) (code int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+x.Loaded.Config.Admin.Listen+page, nil)
	if err != nil {
		return 0, nil, fmt.Errorf("ask the daemon: %w", err)
	}
	if token := x.Loaded.Config.Admin.Token; token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("ask the daemon: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, nil, fmt.Errorf("read the daemon's answer: %w", err)
	}
	return resp.StatusCode, body, nil
}

// prompts looks for the prompt of every plan where playback would.
func (x *examination) prompts(ctx context.Context) {
	plans := map[string][]string{}
	var order []string
	for _, name := range x.Loaded.PlanNames() {
		plan, _ := x.Loaded.Plan(name)
		if plan.Prompt == "" {
			continue
		}
		if plans[plan.Prompt] == nil {
			order = append(order, plan.Prompt)
		}
		plans[plan.Prompt] = append(plans[plan.Prompt], name)
	}
	for _, prompt := range order {
		x.prompt(ctx, prompt, strings.Join(plans[prompt], ", "))
	}
}

func (x *examination) prompt(ctx context.Context, prompt, plans string) {
	check := fmt.Sprintf("prompt %s (plan %s)", prompt, plans)
	if strings.Contains(prompt, "://") {
		x.report(finding(Unknown, check, "it is no file, so the switch can't be asked for it", ""))
		return
	}
	places := []string{prompt}
	if !path.IsAbs(prompt) {
		prefix, ok := x.ask(ctx, check, "global_getvar sound_prefix")
		if !ok {
			return
		}
		if prefix == "" || strings.HasPrefix(prefix, "-ERR") {
			x.report(finding(Unknown, check, "the global variable sound_prefix is not set, so it is unclear where playback looks", "give the prompt's whole path, or set sound_prefix in vars.xml"))
			return
		}
		places = promptPlaces(prefix, prompt)
	}
	for _, place := range places {
		answer, ok := x.ask(ctx, check, "file_exists "+place)
		if !ok {
			return
		}
		if answer == "true" {
			x.report(pass(check, "%s", place))
			return
		}
	}
	x.report(finding(Fail, check, "not at "+strings.Join(places, ", nor at "), "install the sound package, or change the plan's prompt; calls go on without it"))
}

// promptPlaces is where playback looks for a relative path: below sound_prefix, in
// a folder named after the sample rate or directly.
func promptPlaces(prefix, prompt string) []string {
	dir, file := path.Split(prompt)
	places := []string{path.Join(prefix, prompt)}
	for _, rate := range []string{"8000", "16000", "32000", "48000"} {
		places = append(places, path.Join(prefix, dir, rate, file))
	}
	return places
}

// sinkAddress looks whether the address that FreeSWITCH is told leads to the sink.
func (x *examination) sinkAddress(ctx context.Context) {
	const check = "sink address"
	advertise := x.Loaded.Config.Sink.Advertise
	u, err := url.Parse(advertise)
	if err != nil {
		x.report(finding(Fail, check, advertise+" is no URL", "mend sink.advertise"))
		return
	}
	local := x.onThisMachine()
	if !local && isLoopback(u.Hostname()) {
		x.report(finding(Fail, check, fmt.Sprintf("FreeSWITCH at %s would look for %s on itself", x.FreeSWITCH, advertise), "set sink.advertise and sink.listen to an address of this machine that FreeSWITCH can reach, and sink.allow to FreeSWITCH's"))
		return
	}
	dialer := net.Dialer{Timeout: reachTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", hostPort(u))
	switch {
	case err != nil:
		x.report(finding(Fail, check, fmt.Sprintf("%s can't be reached from here: %v", advertise, err), "is tapdeck running, and does sink.advertise name the port of sink.listen?"))
		return
	case local:
		x.report(pass(check, "%s takes connections, on the switch's own machine", advertise))
	default:
		x.report(finding(Unknown, check, advertise+" takes connections from this machine; FreeSWITCH can't be asked to try", "--call proves it"))
	}
	_ = conn.Close()
	if u.Scheme == "wss" {
		x.report(finding(Unknown, "TLS of mod_audio_stream", "sink.advertise is wss://, and FreeSWITCH can't tell whether the module was built with TLS", "--call proves it; build the module with -DUSE_TLS=ON"))
	}
}

func hostPort(u *url.URL) string {
	port := u.Port()
	switch {
	case port == "" && u.Scheme == "wss":
		port = "443"
	case port == "":
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// onThisMachine says whether the switch runs on this machine: then both ends of
// the connection to it have the same address.
func (x *examination) onThisMachine() bool {
	host, _, err := net.SplitHostPort(x.conn.RemoteAddr().String())
	if err != nil {
		return false
	}
	if isLoopback(host) {
		return true
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.String() == host {
			return true
		}
	}
	return false
}

// clock compares the switch's seconds with ours.
func (x *examination) clock(ctx context.Context) {
	const check = "clock"
	before := time.Now()
	answer, ok := x.ask(ctx, check, "strepoch")
	if !ok {
		return
	}
	seconds, err := strconv.ParseInt(answer, 10, 64)
	if err != nil {
		x.report(finding(Unknown, check, "strepoch answered "+answer, ""))
		return
	}
	// The switch's time lies within the second that it names.
	difference := time.Duration(0)
	theirs := time.Unix(seconds, 0)
	if theirs.After(time.Now()) {
		difference = time.Until(theirs)
	} else if end := theirs.Add(time.Second); end.Before(before) {
		difference = before.Sub(end)
	}
	if difference > 2*time.Second {
		x.report(finding(Warn, check, fmt.Sprintf("differs by %v", difference.Round(time.Second)), "keep both machines on NTP: records and FreeSWITCH's log are hard to compare"))
		return
	}
	x.report(pass(check, "agrees within 2 s"))
}

// limits compares how many calls the switch takes with how many tapdeck does.
func (x *examination) limits(ctx context.Context) {
	sessions, ok := x.number(ctx, "session limit", "fsctl max_sessions")
	if limit := x.Loaded.Config.ESL.MaxCalls; ok && sessions < limit {
		x.report(finding(Warn, "session limit", fmt.Sprintf("%d sessions, below esl.max_calls %d", sessions, limit), "raise max-sessions in autoload_configs/switch.conf.xml, or lower esl.max_calls"))
	} else if ok {
		x.report(pass("session limit", "%d sessions", sessions))
	}
	if rate, ok := x.number(ctx, "call rate limit", "fsctl sps"); ok {
		x.report(pass("call rate limit", "%d new sessions a second", rate))
	}
}

// number is the number at the end of an API's answer, as in "+OK max sessions: 2000".
func (x *examination) number(ctx context.Context, check, command string) (int, bool) {
	answer, ok := x.ask(ctx, check, command)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(answer[strings.LastIndexByte(answer, ' ')+1:])
	if err != nil {
		x.report(finding(Unknown, check, fmt.Sprintf("%s answered %q", command, answer), ""))
		return 0, false
	}
	return n, true
}
