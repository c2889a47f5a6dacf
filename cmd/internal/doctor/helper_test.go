package doctor

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/config"
	"tapdeck/controller/switchsim"
)

// password is in no text that the doctor could have from anywhere else.
const password = "Xq7-tell-nobody"

const ourVersion = "v1.2.3"

// setup is a healthy one: a simulated switch with its inbound event socket, a
// daemon's admin listener, a sink that takes connections. A test breaks one thing.
type setup struct {
	t        *testing.T
	sw       *switchsim.Switch
	facts    switchsim.Facts
	admin    *httptest.Server
	pages    map[string]page
	calls    func() page // if not nil: answers /calls
	sink     net.Listener
	loaded   *config.Loaded
	options  Options
	tune     func(*examination)
	findings []Finding
}

// page is what the admin listener answers.
type page struct {
	code int
	body string
}

const setupConfig = `
esl: {listen: "127.0.0.1:8084"}
sink: {min_free: 0MiB}
plans:
  default: {}
  survey: {prompt: "ivr/survey.wav"}
`

func newSetup(t *testing.T) *setup {
	t.Helper()
	loaded, err := config.Parse("tapdeck.yaml", []byte(setupConfig), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := &setup{t: t, loaded: loaded, tune: func(*examination) {}}
	l.sw = switchsim.New(switchsim.Config{Password: password})
	l.facts = switchsim.Facts{
		Extensions: []switchsim.Extension{{Name: "tapdeck", Number: "9999", Actions: []switchsim.Action{{Application: "socket", Data: "127.0.0.1:8084 async full"}}}},
		Globals:    map[string]string{"hostname": machineName(t)},
	}
	l.pages = map[string]page{
		"/readyz":  {http.StatusOK, "ready\n"},
		"/metrics": {http.StatusOK, metrics(ourVersion, 1)},
	}
	l.admin = httptest.NewServer(http.HandlerFunc(l.serveAdmin))
	t.Cleanup(l.admin.Close)
	l.sink = apptest.ListenAnywhere(t)
	c := &loaded.Config
	c.Admin.Listen, c.Sink.Advertise, c.Sink.Directory = l.admin.Listener.Addr().String(), "ws://"+l.sink.Addr().String(), t.TempDir()
	l.options = Options{Password: password, Loaded: loaded, Version: ourVersion, Context: "default", Progress: func(string) {}}
	return l
}

func machineName(t *testing.T) string {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func metrics(version string, reloaded int) string {
	return fmt.Sprintf("# TYPE tapdeck_build_info gauge\ntapdeck_build_info{go_version=\"go1.26\",version=%q} 1\ntapdeck_config_last_reload_successful %d\n", version, reloaded)
}

func (l *setup) serveAdmin(w http.ResponseWriter, r *http.Request) {
	p, ok := l.pages[r.URL.Path]
	if r.URL.Path == "/calls" && l.calls != nil {
		p, ok = l.calls(), true
		if n, err := strconv.Atoi(r.URL.Query().Get("ended")); err != nil || n < 1 || n > 100 {
			l.t.Errorf("%s asks for more than the latest calls", r.URL)
		}
	}
	if !ok {
		p = page{http.StatusNotFound, "404 page not found\n"}
	}
	if token := l.loaded.Config.Admin.Token; token != "" && r.Header.Get("Authorization") != "Bearer "+token {
		p = page{http.StatusUnauthorized, "no"}
	}
	w.WriteHeader(p.code)
	_, _ = w.Write([]byte(p.body))
}

// simulate serves the simulated switch's inbound event socket; it returns its address.
func (l *setup) simulate() string {
	l.t.Helper()
	l.sw.SetFacts(l.facts)
	ln := apptest.ListenAnywhere(l.t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.sw.ServeInbound(ctx, ln) }()
	l.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			l.t.Error(err)
		}
		l.sw.Wait()
	})
	return ln.Addr().String()
}

// examine makes the checks, and those of every finding: it is whole, and without
// the password.
func (l *setup) examine(ctx context.Context) (healthy bool, err error) {
	l.t.Helper()
	if l.options.FreeSWITCH == "" {
		l.options.FreeSWITCH = l.simulate()
	}
	l.findings = nil
	l.options.Report = func(f Finding) { l.findings = append(l.findings, f) }
	x := newExamination(l.options)
	l.tune(x)
	healthy, err = x.run(ctx)
	text := fmt.Sprint(err)
	for _, f := range l.findings {
		text += fmt.Sprint(f)
		if f.Check == "" || f.Seen == "" || f.Status != Pass && f.Status != Unknown && f.Todo == "" {
			l.t.Errorf("incomplete finding %+v", f)
		}
	}
	if strings.Contains(text, l.options.Password) {
		l.t.Errorf("the password is told: %s", text)
	}
	return healthy, err
}

// amiss is a finding that is no pass, with a part of what was seen and of what to do.
type amiss struct {
	check      string
	status     Status
	seen, todo string
}

// expect makes the checks and compares all that did not pass.
func (l *setup) expect(want ...amiss) {
	l.t.Helper()
	healthy, err := l.examine(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	l.compare(healthy, want)
}

func (l *setup) compare(healthy bool, want []amiss) {
	l.t.Helper()
	var got, names []string
	for _, f := range l.findings {
		if f.Status != Pass {
			got = append(got, f.Check+": "+string(f.Status))
		}
	}
	wantHealthy := true
	for _, w := range want {
		names = append(names, w.check+": "+string(w.status))
		wantHealthy = wantHealthy && w.status != Fail
	}
	if d := cmp.Diff(names, got); d != "" {
		l.t.Errorf("findings (-want +got):\n%s%s", d, l.text())
		return
	}
	if healthy != wantHealthy {
		l.t.Errorf("healthy: %v", healthy)
	}
	for _, w := range want {
		if !l.has(w) {
			l.t.Errorf("%s: no %q with %q:\n%s", w.check, w.seen, w.todo, l.text())
		}
	}
}

func (l *setup) has(w amiss) bool {
	for _, f := range l.findings {
		if f.Check == w.check && f.Status == w.status && strings.Contains(f.Seen, w.seen) && strings.Contains(f.Todo, w.todo) {
			return true
		}
	}
	return false
}

func (l *setup) text() string {
	var b strings.Builder
	for _, f := range l.findings {
		fmt.Fprintf(&b, "%s  %s: %s\n   → %s\n", f.Status, f.Check, f.Seen, f.Todo)
	}
	return b.String()
}

// hasty makes the bounds on others short.
func hasty(x *examination) {
	const short = 400 * time.Millisecond
	x.timeouts = timeouts{connect: short, answer: short, originate: short, unanswered: short, appear: short, call: short, playback: short, reach: short, poll: time.Millisecond}
}
