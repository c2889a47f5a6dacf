package doctor

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"tapdeck/cmd/internal/config"
	"tapdeck/controller/switchsim"
)

func TestHealthy(t *testing.T) {
	l := newSetup(t)
	l.expect()
	var checks []string
	for _, f := range l.findings {
		checks = append(checks, f.Check)
	}
	for _, want := range []string{
		"daemon", "daemon version", "free disk", "event socket", "version", "module mod_event_socket", "module mod_dptools",
		"module mod_audio_stream", "module mod_tone_stream", "module mod_sndfile", "API uuid_audio_stream", "prompt of plan default",
		"prompt of plan survey", "dialplan", "call address", "sink address", "clock", "session limit", "call rate limit", "stream limit",
	} {
		if !slices.Contains(checks, want) {
			t.Errorf("no check %q in\n%s", want, l.text())
		}
	}
}

// broken are things that are broken, by their names, and what the doctor says
// then: it names that thing, its mend, and nothing else.
type broken map[string]struct {
	change func(*setup)
	want   []amiss
}

func (b broken) examine(t *testing.T) {
	t.Helper()
	for name, tt := range b {
		t.Run(name, func(t *testing.T) {
			l := newSetup(t)
			tt.change(l)
			l.expect(tt.want...)
		})
	}
}

func missing(modules ...string) func(*setup) { return func(l *setup) { l.facts.Missing = modules } }

// socket is another argument of the socket action.
func socket(data string) func(*setup) {
	return func(l *setup) { l.facts.Extensions[0].Actions[0].Data = data }
}

// before is an action before the socket action.
func before(application, data string) func(*setup) {
	return func(l *setup) {
		x := &l.facts.Extensions[0]
		x.Actions = append([]switchsim.Action{{Application: application, Data: data}}, x.Actions...)
	}
}

// action is an extension more.
func action(application, data string) func(*setup) {
	return func(l *setup) {
		l.facts.Extensions = append(l.facts.Extensions, switchsim.Extension{Name: "old", Number: "9998", Actions: []switchsim.Action{{Application: application, Data: data}}})
	}
}

// answer is another page of the daemon.
func answer(path string, code int, body string) func(*setup) {
	return func(l *setup) { l.pages[path] = page{code, body} }
}

func TestBrokenSwitch(t *testing.T) {
	broken{
		"password":            {func(l *setup) { l.options.Password = "not-this-one" }, []amiss{{"event socket", Fail, "refuses the password", "TAPDECK_FREESWITCH_PASSWORD"}}},
		"password with a LF":  {func(l *setup) { l.options.Password = "not\nthis" }, []amiss{{"event socket", Fail, "line end", ""}}},
		"mod_event_socket":    {missing("mod_event_socket"), []amiss{{"module mod_event_socket", Fail, "hands calls", "load mod_event_socket"}}},
		"mod_dptools":         {missing("mod_dptools"), []amiss{{"module mod_dptools", Fail, "playback", "load mod_dptools"}}},
		"mod_audio_stream":    {missing("mod_audio_stream"), []amiss{{"module mod_audio_stream", Fail, "streams", "load mod_audio_stream"}}},
		"mod_tone_stream":     {missing("mod_tone_stream"), []amiss{{"module mod_tone_stream", Fail, "tone of plan default", "load mod_tone_stream"}}},
		"mod_sndfile":         {missing("mod_sndfile"), []amiss{{"module mod_sndfile", Fail, "prompt of plan default", "load mod_sndfile"}}},
		"mod_loopback unused": {missing("mod_loopback"), nil},
		"API":                 {func(l *setup) { l.facts.NoStreamAPI = true }, []amiss{{"API uuid_audio_stream", Fail, "not registered", "reload mod_audio_stream"}}},
		"clock ahead":         {func(l *setup) { l.facts.ClockSkew = time.Minute }, []amiss{{"clock", Warn, "ahead of", "NTP"}}},
		"clock behind":        {func(l *setup) { l.facts.ClockSkew = -time.Minute }, []amiss{{"clock", Warn, "behind", "NTP"}}},
		"clock nearly":        {func(l *setup) { l.facts.ClockSkew = 900 * time.Millisecond }, nil},
		"sessions":            {func(l *setup) { l.facts.MaxSessions = 100 }, []amiss{{"session limit", Warn, "100 sessions", "max-sessions"}}},
		"old FreeSWITCH":      {func(l *setup) { l.facts.Version = "1.8.7" }, []amiss{{"version", Warn, "1.8.7", "update"}}},
		"newer FreeSWITCH":    {func(l *setup) { l.facts.Version = "1.11.0-dev" }, nil},
		"no tone at all":      {func(l *setup) { missing("mod_tone_stream")(l); change(l, func(p *config.Plan) { p.Tone.Duration = 0 }) }, nil},
	}.examine(t)
}

func TestBrokenDialplan(t *testing.T) {
	broken{
		"no extension":             {func(l *setup) { l.facts.Extensions = nil }, []amiss{{"dialplan", Fail, "no socket action", "tapdeck dialplan"}}},
		"no async":                 {socket("127.0.0.1:8084 full"), []amiss{{"dialplan", Fail, "lacks async", `data="127.0.0.1:8084 async full"`}}},
		"no full":                  {socket("127.0.0.1:8084 async"), []amiss{{"dialplan", Fail, "lacks full", `data="127.0.0.1:8084 async full"`}}},
		"wrong port":               {socket("127.0.0.1:8085 async full"), []amiss{{"dialplan", Fail, "127.0.0.1:8085", "127.0.0.1:8084"}}},
		"unknown plan":             {socket("127.0.0.1:8084/servey async full"), []amiss{{"dialplan", Warn, `"servey"`, "default, survey"}}},
		"unknown plan by variable": {before("set", "tapdeck_plan=nosuch"), []amiss{{"dialplan", Warn, `plan "nosuch", by tapdeck_plan`, "default, survey"}}},
		"known plan by variable":   {before("export", "tapdeck_plan=survey"), nil},
		"api hook":                 {before("set", "api_on_answer=uuid_audio_stream ${uuid} start ws://127.0.0.1:8080 mono 8000"), []amiss{{"dialplan", Fail, "api_on_answer", "remove it"}}},
		"another host": {func(l *setup) {
			socket("tapdeck.example:8084 async full")(l)
			l.options.Hosts = []string{"tapdeck.example:8084"}
		}, nil},
		"${}":         {action("set", "x=${uuid_audio_stream(${uuid} start ws://x mono 8000)}"), []amiss{{"dialplan", Warn, "uuid_audio_stream", "remove it"}}},
		"application": {action("audio_stream", "x"), []amiss{{"dialplan", Fail, "no application", "remove it"}}},
		"API as app":  {action("uuid_audio_stream", "x"), []amiss{{"dialplan", Fail, "no application", "remove it"}}},
	}.examine(t)
}

// An extension with two socket lines is one extension, and one whose plan is unknown is not
// called right beside that.
func TestExtensionsOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*setup)
		passes int
	}{
		"two lines":    {before("socket", "127.0.0.1:8084 async full"), 1},
		"unknown plan": {before("set", "tapdeck_plan=nosuch"), 0},
		"two extensions": {func(l *setup) {
			l.facts.Extensions = append(l.facts.Extensions, switchsim.Extension{Name: "more", Number: "9998", Actions: l.facts.Extensions[0].Actions})
		}, 2},
	} {
		l := newSetup(t)
		tt.change(l)
		if _, err := l.examine(t.Context()); err != nil {
			t.Fatal(err)
		}
		passes := 0
		for _, f := range l.findings {
			if f.Check == "dialplan" && f.Status == Pass {
				passes++
			}
		}
		if passes != tt.passes {
			t.Errorf("%s: %d extensions that come to tapdeck, want %d:\n%s", name, passes, tt.passes, l.text())
		}
	}
}

func TestBrokenDaemon(t *testing.T) {
	broken{
		"draining":        {answer("/readyz", http.StatusServiceUnavailable, "draining\n"), []amiss{{"daemon", Fail, "draining", "successor"}}},
		"full":            {answer("/readyz", http.StatusTooManyRequests, "full\n"), []amiss{{"daemon", Warn, "full", "max_calls"}}},
		"another program": {answer("/readyz", http.StatusOK, "<html>"), []amiss{{"daemon", Fail, "no tapdeck", "another program"}}},
		"token":           {answer("/metrics", http.StatusUnauthorized, ""), []amiss{{"daemon", Fail, "admin.token", "configuration"}}},
		"old daemon":      {answer("/metrics", http.StatusOK, metrics("v1.2.2", 1)), []amiss{{"daemon version", Warn, "v1.2.2 runs, and this is v1.2.3", "restart"}}},
		"no metrics":      {answer("/metrics", http.StatusNotFound, ""), []amiss{{"daemon version", Unknown, "do not say", ""}}},
		"failed reload":   {answer("/metrics", http.StatusOK, metrics(ourVersion, 0)), []amiss{{"daemon configuration", Warn, "not valid", "tapdeck check"}}},
		"sink":            {func(l *setup) { _ = l.sink.Close() }, []amiss{{"sink address", Fail, "connection refused", "sink.listen"}}},
		"disk full":       {func(l *setup) { l.loaded.Config.Sink.MinFree = 1000 * config.TiB }, []amiss{{"free disk", Fail, "free at", "make room"}}},
		"container":       {func(l *setup) { l.facts.Globals["hostname"] = "5c0ffee" }, []amiss{{"FreeSWITCH's machine", Unknown, "5c0ffee", "--call"}, {"sink address", Unknown, "can't be asked", "--call"}}},
		"esl.allow":       {func(l *setup) { l.loaded.Config.ESL.Allow = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} }, []amiss{{"call address", Fail, "127.0.0.1", "esl.allow"}}},
		"sink.allow":      {func(l *setup) { l.loaded.Config.Sink.Allow = nil }, []amiss{{"sink address", Fail, "127.0.0.1", "sink.allow"}}},
		"wss":             {func(l *setup) { l.loaded.Config.Sink.Advertise = "wss" + l.loaded.Config.Sink.Advertise[2:] }, []amiss{{"TLS of mod_audio_stream", Unknown, "TLS", "USE_TLS"}}},
	}.examine(t)
}

func TestBrokenPrompts(t *testing.T) {
	broken{
		"prompt": {func(l *setup) {
			l.facts.Files = func(path string) bool {
				return !strings.HasSuffix(path, "survey.wav")
			}
		}, []amiss{{"prompt of plan survey", Fail, "/usr/share/freeswitch/sounds/en/us/callie/ivr/survey.wav", "name another prompt"}}},
		"prompt at another rate": {func(l *setup) {
			l.facts.Files = func(path string) bool {
				return !strings.HasSuffix(path, "survey.wav") || path == "/usr/share/freeswitch/sounds/en/us/callie/ivr/48000/survey.wav"
			}
		}, nil},
		"sound_prefix": {func(l *setup) { l.facts.Globals["sound_prefix"] = "" }, []amiss{
			{"prompt of plan default", Unknown, "sound_prefix is not set", "vars.xml"}, {"prompt of plan survey", Unknown, "sound_prefix is not set", "whole path"},
		}},
		"no file prompt": {func(l *setup) { missing("mod_sndfile")(l); change(l, func(p *config.Plan) { p.Prompt = "" }) }, nil},
		"spoken prompt":  {func(l *setup) { change(l, func(p *config.Plan) { p.Prompt = "say:hello" }) }, []amiss{{"prompt of plan default, survey", Unknown, "no file", "listen"}}},
		"whole path": {func(l *setup) {
			change(l, func(p *config.Plan) { p.Prompt = "/srv/a.wav" })
			l.facts.Globals["sound_prefix"], l.facts.Files = "", func(path string) bool { return path == "/srv/a.wav" }
		}, nil},
		"MP3": {func(l *setup) {
			change(l, func(p *config.Plan) { p.Prompt = "/srv/a.mp3" })
			l.facts.Files = func(path string) bool { return path == "/srv/8000/a.mp3" }
		}, []amiss{{"module mod_shout", Fail, "prompt", "load mod_shout"}, {"prompt of plan default, survey", Fail, "/srv/a.mp3", ""}}},
	}.examine(t)
}

// change changes every plan.
func change(l *setup, f func(*config.Plan)) {
	for name, plan := range l.loaded.Config.Plans {
		f(&plan)
		l.loaded.Config.Plans[name] = plan
	}
}

func TestDaemonAway(t *testing.T) {
	l := newSetup(t)
	l.admin.Close()
	l.expect(amiss{"daemon", Fail, "connection refused", "tapdeck serve"})

	// Without the daemon there is no sink, which is not one fault more.
	l = newSetup(t)
	l.admin.Close()
	_ = l.sink.Close()
	l.expect(amiss{"daemon", Fail, "no tapdeck answers", "tapdeck serve"}, amiss{"sink address", Unknown, "while tapdeck does not run", "start it"})
}

func TestAnotherMachine(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*config.Config)
		want   []amiss
	}{
		"loopback everywhere": {func(*config.Config) {}, []amiss{
			{"call address", Fail, "esl.listen 127.0.0.1:8084", "set esl.listen"},
			{"sink address", Fail, "on itself", "set sink.advertise"},
		}},
		"advertise": {func(c *config.Config) { c.ESL.Listen = "0.0.0.0:8084" }, []amiss{
			{"call address", Unknown, "can't be asked", "--call"},
			{"sink address", Fail, "on itself", "set sink.advertise"},
		}},
		"listen": {func(c *config.Config) { c.Sink.Advertise = "ws://" + anyHost(c.Sink.Advertise) }, []amiss{
			{"call address", Fail, "on itself", "set esl.listen"},
			{"sink address", Unknown, "can't be asked", "--call"},
		}},
		"allow": {func(c *config.Config) {
			c.ESL.Listen, c.Sink.Advertise, c.ESL.Allow, c.Sink.Allow = "0.0.0.0:8084", "ws://"+anyHost(c.Sink.Advertise), nil, nil
		}, []amiss{
			{"call address", Warn, "esl.allow does not hold", "add 127.0.0.1"},
			{"sink address", Warn, "sink.allow does not hold", "add 127.0.0.1"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newSetup(t)
			tt.change(&l.loaded.Config)
			l.tune = func(x *examination) { x.owns = func(netip.Addr) bool { return false } }
			l.expect(tt.want...)
		})
	}
}

// anyHost is a sink's address by a host that is no loopback address by its name.
func anyHost(advertise string) string { return "0.0.0.0" + advertise[len("ws://127.0.0.1"):] }
