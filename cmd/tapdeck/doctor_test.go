package main

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/doctor"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
)

// brief is a plan that is long enough to hear the doctor's pattern, and no longer.
const brief = `
esl: {listen: "127.0.0.1:0"}
sink: {listen: "127.0.0.1:0", min_free: 0MiB, read_interval: 20ms}
admin: {listen: "127.0.0.1:0"}
plans:
  default: {answer_pause: 0s, tone: {duration: 0s}, prompt: "", listen: 1400ms, stream: {connect_timeout: 300ms, restarts: 0}}
`

// examined is a running daemon, and a switch with an inbound event socket whose
// extension 9999 leads there.
type examined struct {
	*served
	switchAddress string
	facts         switchsim.Facts
}

// newExamined runs a daemon with more flags, and a switch that misbehaves.
func newExamined(t *testing.T, faults switchsim.Faults, flags ...string) *examined {
	t.Helper()
	return newExaminedOf(t, brief, faults, flags...)
}

// newExaminedOf is newExamined with another configuration.
func newExaminedOf(t *testing.T, yaml string, faults switchsim.Faults, flags ...string) *examined {
	t.Helper()
	e := &examined{served: serve(t, yaml, flags...)}
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	socket := []switchsim.Action{{Application: "socket", Data: e.esl + " async full"}}
	e.facts = switchsim.Facts{
		Extensions: []switchsim.Extension{{Name: "tapdeck", Number: "9999", Actions: socket}},
		Globals:    map[string]string{"hostname": name}, Faults: faults,
	}
	e.sw.SetFacts(e.facts)
	ln := apptest.ListenAnywhere(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.sw.ServeInbound(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	e.switchAddress = ln.Addr().String()
	return e
}

// command is the command line of a doctor with the daemon's own configuration.
func (e *examined) command(args ...string) []string {
	return append([]string{
		"doctor", "--config", e.file, "--freeswitch", e.switchAddress,
		"-s", "esl.listen=" + e.esl, "-s", "sink.advertise=ws://" + e.sink,
		"-s", "admin.listen=" + e.admin, "-s", "sink.directory=" + e.dir,
	}, args...)
}

// examine runs `doctor --json` and returns its findings.
func (e *examined) examine(args ...string) (code int, findings []doctor.Finding) {
	e.t.Helper()
	code, stdout, stderr := runProgram(e.t, e.t.Context(), e.command(append(args, "--json")...)...)
	if code > exitFailed {
		e.t.Fatalf("exit code %d: %s", code, stderr)
	}
	for line := range strings.Lines(stdout) {
		var f doctor.Finding
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			e.t.Fatalf("%q: %v", line, err)
		}
		findings = append(findings, f)
	}
	return code, findings
}

func amiss(findings []doctor.Finding) (list []string) {
	for _, f := range findings {
		if f.Status != doctor.Pass {
			list = append(list, f.Check+": "+string(f.Status))
		}
	}
	return list
}

func findingOf(t *testing.T, findings []doctor.Finding, check string) doctor.Finding {
	t.Helper()
	for _, f := range findings {
		if f.Check == check {
			return f
		}
	}
	t.Fatalf("no finding of %s in %+v", check, findings)
	return doctor.Finding{}
}

func TestDoctorCall(t *testing.T) {
	for _, mix := range []string{"mono", "stereo", "mixed"} {
		t.Run(mix, func(t *testing.T) {
			t.Parallel()
			e := newExamined(t, switchsim.Faults{}, "-s", "plans.default.stream.mix="+mix)
			code, findings := e.examine("--call", "9999")
			if code != exitDone || len(amiss(findings)) > 0 {
				t.Fatalf("exit code %d, %+v", code, findings)
			}
			heard := findingOf(t, findings, "test recording").Seen
			if !strings.Contains(heard, "1000 Hz pattern is in "+e.dir) || !strings.Contains(heard, "-15.1 dBFS") {
				t.Error(heard)
			}
			if length := findingOf(t, findings, "recording length").Seen; !strings.Contains(length, "the stream ran for 1.") {
				t.Error(length)
			}
		})
	}
}

// A plan with a bot is proved by what FreeSWITCH plays, by a bot of the doctor's own and by the plan's.
func TestDoctorCallWithABot(t *testing.T) {
	b := bot.Start(bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		s.Play(bot.Tone(8000, 440, 300*time.Millisecond))
		return bot.Hooks{}
	}})
	t.Cleanup(b.Close)
	e := newExamined(t, switchsim.Faults{}, "-s", "plans.default.agent.url="+b.URL())
	code, findings := e.examine("--call", "9999", "-s", "plans.default.agent.url="+b.URL())
	if code != exitDone || len(amiss(findings)) > 0 {
		t.Fatalf("exit code %d, %+v", code, findings)
	}
	for check, want := range map[string]string{
		"bot of plan default": "answers after", "test playback": "FreeSWITCH plays what a bot says, by the player's method stream",
		"test conversation": "heard the bot 1 times, by the player's method stream",
	} {
		if seen := findingOf(t, findings, check).Seen; !strings.Contains(seen, want) {
			t.Errorf("%s: %s", check, seen)
		}
	}
}

func TestDoctorCallFails(t *testing.T) {
	again := []string{"-s", "plans.default.listen=2400ms", "-s", "plans.default.stream.restarts=3"}
	for name, tt := range map[string]struct {
		flags      []string
		faults     switchsim.Faults
		number     string
		want       []string
		check      string
		seen, todo string
	}{
		"no number":     {nil, switchsim.Faults{}, "7777", []string{"test call: fail"}, "test call", "NO_ROUTE_DESTINATION", "tapdeck dialplan"},
		"no stream":     {nil, switchsim.Faults{NeverConnect: true}, "9999", []string{"test call: fail"}, "test call", "stream_failed", "sink.advertise"},
		"refused start": {nil, switchsim.Faults{RefuseStart: true}, "9999", []string{"test call: fail"}, "test call", "stream_failed", "another"},
		"module gone":   {nil, switchsim.Faults{NoAPI: true}, "9999", []string{"test call: fail"}, "test call", "Command not found", "load mod_audio_stream"},
		"no room":       {[]string{"-s", "sink.min_free=1000TiB"}, switchsim.Faults{}, "9999", []string{"daemon: fail", "test call: fail"}, "test call", "refused: ", "sink.min_free"},
		"wrong ticket":  {nil, switchsim.Faults{TamperURL: func(url string) string { return url + "x" }}, "9999", []string{"test call: fail"}, "test call", "stream_failed", "refused the WebSocket"},
		"silence":       {nil, switchsim.Faults{Audio: switchsim.AudioFaults{Silent: true}}, "9999", []string{"test recording: fail"}, "test recording", "only silence", "media"},
		"no audio":      {nil, switchsim.Faults{Audio: switchsim.AudioFaults{None: true}}, "9999", []string{"test recording: fail"}, "test recording", "no audio", "mod_audio_stream"},
		"dropped":       {nil, switchsim.Faults{Drops: []switchsim.Drop{{After: 900 * time.Millisecond}}}, "9999", []string{"test call: fail"}, "test call", "stream_failed", "a proxy"},
		"a gap":         {again, switchsim.Faults{Drops: []switchsim.Drop{{After: 900 * time.Millisecond}}}, "9999", []string{"test recording: fail"}, "test recording", "but interrupted for 0.", "restarts 1"},
		"lossy":         {again, switchsim.Faults{Audio: switchsim.AudioFaults{Omit: 0.25}}, "9999", []string{"recording length: fail"}, "recording length", "the stream ran for", "short_audio"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newExamined(t, tt.faults, tt.flags...)
			code, findings := e.examine("--call", tt.number)
			if d := cmp.Diff(tt.want, amiss(findings)); d != "" || code != exitFailed {
				t.Fatalf("exit code %d (-want +got):\n%s%+v", code, d, findings)
			}
			if f := findingOf(t, findings, tt.check); !strings.Contains(f.Seen, tt.seen) || !strings.Contains(f.Todo, tt.todo) {
				t.Errorf("%+v", f)
			}
		})
	}
}

// TestDoctorNoAsync is about an extension without async: the call is never answered, and the
// daemon's record says why.
func TestDoctorNoAsync(t *testing.T) {
	e := newExamined(t, switchsim.Faults{})
	e.facts.Extensions[0].Actions[0].Data = e.esl + " full"
	e.sw.SetFacts(e.facts)
	_, findings := e.examine("--call", "9999")
	if d := cmp.Diff([]string{"dialplan: fail", "test call: fail"}, amiss(findings)); d != "" {
		t.Fatalf("(-want +got):\n%s%+v", d, findings)
	}
	if f := findingOf(t, findings, "test call"); !strings.Contains(f.Seen, "misconfigured") || !strings.Contains(f.Todo, e.esl+" async full") {
		t.Errorf("%+v", f)
	}
}

// TestDoctorNobody asks while no daemon runs.
func TestDoctorNobody(t *testing.T) {
	e := newExamined(t, switchsim.Faults{})
	e.stop()
	code, findings := e.examine("--call", "9999")
	want := []string{"daemon: fail", "sink address: unknown", "test call: fail"}
	if d := cmp.Diff(want, amiss(findings)); d != "" || code != exitFailed {
		t.Fatalf("exit code %d (-want +got):\n%s", code, d)
	}
	if f := findingOf(t, findings, "test call"); !strings.Contains(f.Seen, "NORMAL_CLEARING") || !strings.Contains(f.Todo, "does it run") {
		t.Errorf("%+v", f)
	}
}

// TestDoctorText is about what a person sees.
func TestDoctorText(t *testing.T) {
	e := newExamined(t, switchsim.Faults{})
	code, stdout, stderr := runProgram(t, t.Context(), e.command()...)
	if code != exitDone || stderr != "" || !strings.Contains(stdout, "ok       event socket: "+e.switchAddress+" answers") || !strings.Contains(stdout, " 0 failed, 0 unknown\n") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr = runProgram(t, t.Context(), e.command("--password", "s3cret-of-test")...)
	if code != exitFailed || !strings.Contains(stdout, "FAIL     event socket: ") || !strings.Contains(stdout, "\n         → give the one of") || !strings.Contains(stderr, "see FAIL above") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if strings.Contains(stdout+stderr, "s3cret") {
		t.Errorf("the password is told:\n%s%s", stdout, stderr)
	}
}

func TestDoctorUsage(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--call", "99 99"}, `--call "99 99": must be`},
		{[]string{"--call", "1/default &park"}, "must be letters"},
		{[]string{"--context", "a\nb"}, "--context"},
		{[]string{"--host", "tapdeck"}, `--host "tapdeck": must be HOST:PORT`},
		{[]string{"--password", "a", "--password-file", "b"}, "can't be used together"},
		{[]string{"--password-file", "/does/not/exist"}, "--password-file"},
		{[]string{"-s", "esl.listne=x"}, "esl.listen"},
	} {
		code, stdout, stderr := runProgram(t, t.Context(), append([]string{"doctor"}, tt.args...)...)
		if code != exitUsage || !strings.Contains(stderr, tt.want) {
			t.Errorf("%q: exit code %d\n%s%s", tt.args, code, stdout, stderr)
		}
	}
}

func TestLogin(t *testing.T) {
	file := func(content string) string {
		path := filepath.Join(t.TempDir(), "password")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const conf = `<configuration name="event_socket.conf" description="Socket Client">
  <settings>
    <param name="nat-map" value="false"/>
    <param name="listen-ip" value="::"/>
    <param name="listen-port" value="8022"/>
    <param name="password" value="of &quot;XML&quot;"/>
  </settings>
</configuration>`
	for name, tt := range map[string]struct {
		command doctorCommand
		environ []string
		want    doctor.Login
	}{
		"stock":            {want: doctor.Login{Address: "127.0.0.1:8021", Password: "ClueCon"}},
		"environment":      {environ: []string{"TAPDECK_FREESWITCH=fs:1", "TAPDECK_FREESWITCH_PASSWORD=e"}, want: doctor.Login{Address: "fs:1", Password: "e"}},
		"flags":            {command: doctorCommand{Freeswitch: "10.0.0.1", Password: "p"}, environ: []string{"TAPDECK_FREESWITCH=fs:1", "TAPDECK_FREESWITCH_PASSWORD=e"}, want: doctor.Login{Address: "10.0.0.1:8021", Password: "p"}},
		"IPv6":             {command: doctorCommand{Freeswitch: "[::1]"}, want: doctor.Login{Address: "[::1]:8021", Password: "ClueCon"}},
		"file":             {command: doctorCommand{PasswordFile: file("of file \r\nmore\n")}, environ: []string{"TAPDECK_FREESWITCH_PASSWORD=e"}, want: doctor.Login{Address: "127.0.0.1:8021", Password: "of file "}},
		"XML":              {command: doctorCommand{PasswordFile: file(conf)}, want: doctor.Login{Address: "127.0.0.1:8022", Password: `of "XML"`}},
		"XML, environment": {command: doctorCommand{PasswordFile: file(conf)}, environ: []string{"TAPDECK_FREESWITCH=fs"}, want: doctor.Login{Address: "fs:8021", Password: `of "XML"`}},
	} {
		got, err := tt.command.login(&program{Environ: tt.environ})
		if err != nil || got != tt.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for content, want := range map[string]string{
		"":                 "first line is empty",
		"\nsecret":         "first line is empty",
		"<settings secret": "no XML that can be read",
		"<a>secret</a>":    "no password",
		strings.Replace(conf, `of &quot;XML&quot;`, "$${secret}", 1): "variable of vars.xml",
	} {
		_, err := (&doctorCommand{PasswordFile: file(content)}).login(&program{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", content, err)
		}
	}
}

// TestDoctorEnvironment gives address and password by the environment only.
func TestDoctorEnvironment(t *testing.T) {
	ln := apptest.ListenAnywhere(t)
	_ = ln.Close()
	var out, errs apptest.Journal
	p := &program{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Environ: []string{"TAPDECK_FREESWITCH=" + ln.Addr().String(), "TAPDECK_FREESWITCH_PASSWORD=s3cret"}}
	code := p.Run(t.Context(), []string{"doctor", "-s", "admin.listen=" + net.JoinHostPort("127.0.0.1", "1")})
	if code != exitFailed || !strings.Contains(out.String(), ln.Addr().String()+" refuses the connection") || strings.Contains(out.String()+errs.String(), "s3cret") {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errs.String())
	}
}
