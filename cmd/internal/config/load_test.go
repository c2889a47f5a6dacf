package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write makes a file below a new directory and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func origin(t *testing.T, l *Loaded, key string) (value, origin string) {
	t.Helper()
	for _, v := range l.Values() {
		if v.Key == key {
			return v.Value, v.Origin.String()
		}
	}
	t.Fatalf("no value of %s", key)
	return "", ""
}

// Flags override the environment, which overrides the file, which overrides the
// default; a plan's own value overrides what it inherits, whatever that is from.
func TestLayersAndOrigins(t *testing.T) {
	l := mustParse(t, `
esl:
  listen: 127.0.0.1:1
  max_calls: 11
log: {level: warn}
plans:
  default:
    listen: 20s
    tone:
      duration: 1s
  survey:
    listen: 30s
`, Options{
		Environ: []string{
			"TAPDECK_ESL_LISTEN=127.0.0.1:2", "TAPDECK_ESL_ALLOW=10.0.0.0/8, 192.0.2.1", "TAPDECK_LOG_LEVEL=error",
			"TAPDECK_PLANS_DEFAULT_LISTEN=25s", "TAPDECK_PLANS_DEFAULT_PROMPT=", "HOME=/", "TAPDECK_PLANS_SURVEY_STREAM_MIX=stereo",
		},
		Flags: map[string]string{"log.level": "debug", "plans.default.silence": "2s"},
	})
	for _, c := range []struct{ key, value, origin string }{
		{"esl.listen", "127.0.0.1:2", "environment TAPDECK_ESL_LISTEN"},
		{"esl.allow", "10.0.0.0/8, 192.0.2.1", "environment TAPDECK_ESL_ALLOW"},
		{"esl.max_calls", "11", "tapdeck.yaml:4"},
		{"sink.max_streams", "0", "default"},
		{"log.level", "debug", "flag -s log.level"},
		{"plans.default.listen", "25s", "environment TAPDECK_PLANS_DEFAULT_LISTEN"},
		{"plans.default.prompt", "", "environment TAPDECK_PLANS_DEFAULT_PROMPT"},
		{"plans.survey.listen", "30s", "tapdeck.yaml:12"},
		{"plans.survey.tone.duration", "1s", "tapdeck.yaml:10, by plan default"},
		{"plans.survey.tone.frequency", "800", "default"},
		{"plans.survey.prompt", "", "environment TAPDECK_PLANS_DEFAULT_PROMPT, by plan default"},
		{"plans.survey.silence", "2s", "flag -s plans.default.silence, by plan default"},
		{"plans.survey.stream.mix", "stereo", "environment TAPDECK_PLANS_SURVEY_STREAM_MIX"},
		{"plans.default.stream.mix", "mono", "default"},
	} {
		value, from := origin(t, l, c.key)
		if value != c.value || from != c.origin {
			t.Errorf("%s = %q from %q, want %q from %q", c.key, value, from, c.value, c.origin)
		}
	}
}

func TestBadEnvironmentAndFlags(t *testing.T) {
	_, err := Parse("tapdeck.yaml", []byte("plans: {a-b: {}, a_b: {}}\nlog: {level: loud}"), Options{
		Environ: []string{
			"TAPDECK_PORT_NAME=x", "TAPDECK_PORT_8084=x", "TAPDECK_PORT_8084_TCP_X=x", "TAPDECK_SERVICE_PORT_=x", "TAPDECK_SERVICE_HOSTS=x",
			"TAPDECK_ESL_LISTN=x", "TAPDECK_LOG_LEVEL=noisy", "TAPDECK_PLANS_A_B_LISTEN=3s", "TAPDECK_CONFIG=x", "TAPDECK_MINE=1",
			"TAPDECK_PLANS_OTHER_LISTEN=3s", "tapdeck_esl_listen=x",
		},
		Reserved: []string{"TAPDECK_MINE"},
		Flags:    map[string]string{"esl.lissten": "x", "plans.other.listen": "3s", "plans.a-b.bogus": "1", "sink.tls": "x", "": "2", "drain_timeout": "60"},
	})
	want := []string{
		`tapdeck.yaml:2: log.level: "loud": must be debug, info, warn or error`,
		`environment TAPDECK_ESL_LISTN: no such setting; the nearest known is TAPDECK_ESL_LISTEN`,
		`environment TAPDECK_LOG_LEVEL: log.level: "noisy": must be debug, info, warn or error`,
		`environment TAPDECK_PLANS_A_B_LISTEN: could mean plans.a-b.listen and plans.a_b.listen; set it in the file`,
		`environment TAPDECK_PLANS_OTHER_LISTEN: no such setting; a plan must be stated in the file first`,
		`environment TAPDECK_PORT_8084: no such setting`,
		`environment TAPDECK_PORT_8084_TCP_X: no such setting`,
		`environment TAPDECK_PORT_NAME: no such setting`,
		`environment TAPDECK_SERVICE_HOSTS: no such setting`,
		`environment TAPDECK_SERVICE_PORT_: no such setting`,
		`flag -s =: needs a key before the =; write it as in -s esl.max_calls=100`,
		`flag -s drain_timeout: drain_timeout: "60": a duration needs a unit; write 60s or 60ms`,
		`flag -s esl.lissten: no such setting; the nearest known is esl.listen`,
		`flag -s plans.a-b.bogus: no such setting`,
		`flag -s plans.other.listen: no such setting; a plan must be stated in the file first`,
		`flag -s sink.tls: no such setting; it holds certificate, key`,
	}
	if diff := cmp.Diff(want, messages(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What Kubernetes and Docker put beside a service named tapdeck is no setting.
func TestInjectedEnvironment(t *testing.T) {
	mustParse(t, "", Options{Environ: []string{
		"TAPDECK_PORT=tcp://10.0.0.1:8084", "TAPDECK_PORT_8084_TCP=tcp://10.0.0.1:8084", "TAPDECK_PORT_8084_TCP_ADDR=10.0.0.1",
		"TAPDECK_PORT_8084_TCP_PORT=8084", "TAPDECK_PORT_8084_TCP_PROTO=tcp", "TAPDECK_SERVICE_HOST=10.0.0.1",
		"TAPDECK_SERVICE_PORT=8084", "TAPDECK_SERVICE_PORT_ESL=8084",
	}})
}

func TestEnvNamesAreDistinct(t *testing.T) {
	seen := map[string]string{}
	for _, key := range defaultKeys() {
		name := EnvName(key)
		if other := seen[name]; other != "" || name == EnvConfig {
			t.Errorf("%s is %s and %s", name, key, other)
		}
		seen[name] = key
	}
	if EnvName("sink.min_free") != "TAPDECK_SINK_MIN_FREE" {
		t.Error(EnvName("sink.min_free"))
	}
}

func TestWhichFileIsRead(t *testing.T) {
	debug, warn := write(t, "a.yaml", "log: {level: debug}"), write(t, "b.yaml", "log: {level: warn}")
	t.Chdir(t.TempDir())
	for name, c := range map[string]struct {
		opts       Options
		level, why string
	}{
		"none":            {Options{}, "info", "default"},
		"by option":       {Options{Path: debug}, "debug", debug + ":1"},
		"by environment":  {Options{Environ: []string{"TAPDECK_CONFIG=" + warn}}, "warn", warn + ":1"},
		"option is first": {Options{Path: debug, Environ: []string{"TAPDECK_CONFIG=" + warn}}, "debug", debug + ":1"},
	} {
		t.Run(name, func(t *testing.T) { checkLevel(t, c.opts, c.level, c.why) })
	}
	if err := os.WriteFile(DefaultPath, []byte("log: {level: error}"), 0o600); err != nil {
		t.Fatal(err)
	}
	checkLevel(t, Options{}, "error", "tapdeck.yaml:1")
}

func checkLevel(t *testing.T, opts Options, level, why string) {
	t.Helper()
	l, err := Load(opts)
	if err != nil {
		t.Fatal(err)
	}
	if value, from := origin(t, l, "log.level"); value != level || from != why {
		t.Errorf("%s from %s, want %s from %s", value, from, level, why)
	}
}

func TestFilesThatCanNotBeRead(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := Load(Options{Path: "missing.yaml"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is named must be there: %v", err)
	}
	if _, err := Load(Options{Environ: []string{"TAPDECK_CONFIG=missing.yaml"}}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is named must be there: %v", err)
	}
	if _, err := Load(Options{Path: t.TempDir()}); err == nil {
		t.Error("a directory is no configuration")
	}
	if err := os.Mkdir(DefaultPath, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(Options{}); err == nil {
		t.Error("what is at the default path is not skipped if it can't be read")
	}
}

func TestAdvertiseFollowsListen(t *testing.T) {
	for file, want := range map[string]string{
		"":                              "ws://127.0.0.1:8080",
		"sink: {listen: 10.0.0.5:9000}": "ws://10.0.0.5:9000",
		"sink: {listen: ':9000'}":       "ws://127.0.0.1:9000",
		"sink: {listen: 0.0.0.0:9000}":  "ws://127.0.0.1:9000",
		"sink: {listen: 10.0.0.5:9000, tls: {certificate: c, key: k}}":   "wss://10.0.0.5:9000",
		"sink: {listen: 10.0.0.5:9000, advertise: ws://sink.example:80}": "ws://sink.example:80",
		"sink: {listen: 127.0.0.1:9000, advertise: ws://127.0.0.1:8080}": "ws://127.0.0.1:8080",
	} {
		l, err := Parse("f", []byte(file), Options{})
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if got := l.Config.Sink.Advertise; got != want {
			t.Errorf("%s: advertise %s, want %s", file, got, want)
		}
	}
}

func TestWarnings(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"wss, no TLS":     {"sink: {advertise: wss://h}", `sink.advertise: "wss://h": wss without sink.tls needs a TLS proxy before sink.listen`},
		"ws, but TLS":     {"sink: {advertise: ws://h, tls: {certificate: c, key: k}}", `sink.advertise: "ws://h": ws, but sink.listen speaks TLS: FreeSWITCH could not connect; write wss://`},
		"IPv6":            {"sink: {listen: '[::1]:8080'}", `sink.advertise: "ws://[::1]:8080": mod_audio_stream refuses a URL whose host has an _ or is an IPv6 address, and connects over IPv4 only; state sink.advertise with an address that leads to sink.listen`},
		"name with an _":  {"sink: {listen: 'my_host:8080'}", `sink.advertise: "ws://my_host:8080": mod_audio_stream refuses a URL whose host has an _ or is an IPv6 address, and connects over IPv4 only; state sink.advertise with an address that leads to sink.listen`},
		"IPv6, but told":  {"sink: {listen: '[::1]:8080', advertise: 'ws://sink.example:8080'}", ""},
		"listens longer":  {"sink: {max_duration: 10s}", `plans.default.listen: "15s": longer than sink.max_duration (10s): the recording ends before the call`},
		"silence no use":  {"plans: {a: {silence: 15s}}", `plans.a.silence: "15s": not shorter than listen (15s): it never ends the listening`},
		"no_input no use": {"plans: {a: {no_input: 20s}}", `plans.a.no_input: "20s": not shorter than listen (15s): it never ends the listening`},
		"empty, stop":     {"plans: {a: {steps: [answer, pause: 1s, stream, set: a=b, stream: stop, pause: 1s]}}", "plans.a.steps[2].stream: nothing takes time before stream: stop: the recording would be empty; write a step that takes time after it, such as listen, or remove it"},
		"empty, hangup":   {"plans: {a: {steps: [answer, stream, listen: 0s, hangup: USER_BUSY]}}", "plans.a.steps[1].stream: nothing takes time before hangup: the recording would be empty; write a step that takes time after it, such as listen, or remove it"},
		"empty, transfer": {"plans: {a: {steps: [answer, stream, listen: 1s, stream: stop, stream, transfer: 5000]}}", "plans.a.steps[4].stream: nothing takes time before transfer: the recording would be empty; write a step that takes time after it, such as listen, or remove it"},
		"empty, at end":   {"plans: {a: {steps: [answer, stream: start]}}", "plans.a.steps[1].stream: nothing takes time before the plan's end: the recording would be empty; write a step that takes time after it, such as listen, or remove it"},
		"not empty":       {"plans: {a: {steps: [answer, stream, play: a.wav, stream: stop, stream, pause: 1s, stream: stop, stream, tone: 1s]}}", ""},
		"step, too long":  {"plans: {a: {steps: [answer, listen: 5h, stream, pause: 1s, listen: 4h1m]}}", `plans.a.steps[4].listen: "4h1m": longer than sink.max_duration (4h): the recording ends before the call`},
		"not recorded":    {"plans: {a: {steps: [answer, listen: 5h]}}", ""},
		"no more so":      {"plans: {a: {steps: [answer, stream, pause: 1s, stream: stop, listen: 5h]}}", ""},
		"step's silence":  {"plans: {a: {steps: [answer, stream, listen: {for: 3s, silence: 3s}]}}", `plans.a.steps[2].listen.silence: "3s": not shorter than for (3s): it never ends the listening`},
		"step's no_input": {"plans: {a: {steps: [answer, stream, listen: {for: 3s, no_input: 4s}]}}", `plans.a.steps[2].listen.no_input: "4s": not shorter than for (3s): it never ends the listening`},
		"no digits":       {"plans: {a: {typeahead: true}}", `plans.a.typeahead: "true": the plan waits for no digits; say where they count by stop_on or finish_on, or remove it`},
		"no digits, step": {"plans: {a: {dtmf: inband, steps: [answer, play: a.wav]}}", `plans.a.dtmf: "inband": the plan waits for no digits; say where they count by stop_on or finish_on, or remove it`},
		"inherits dtmf":   {"plans: {default: {dtmf: inband, typeahead: true, finish_on: '#'}, a: {finish_on: ''}}", ""},
		"digits":          {"plans: {a: {dtmf: inband, stop_on: '#'}, b: {typeahead: true, steps: [answer, listen: {for: 1s, finish_on: 1}]}}", ""},
		"no stream":       {"plans: {default: {stream: {buffer: 100ms}}, a: {steps: [answer]}}", `plans.default.stream.buffer: "100ms": callers whose packets (ptime) are of 30, 40 or 60 ms bring no audio then, or a part of it; write 20ms, or 120ms, unless every caller sends packets of 20 ms`},
		"forgotten step":  {"plans: {a: {stream: {buffer: 100ms, mix: stereo}, on_stream_failure: continue, steps: [answer]}}", `plans.a.stream.mix: "stereo": no step streams anything: nothing is recorded; write the step stream where the recording begins, or remove this key`},
		"long buffer":     {"plans: {a: {stream: {buffer: 100ms}}}", `plans.a.stream.buffer: "100ms": callers whose packets (ptime) are of 30, 40 or 60 ms bring no audio then, or a part of it; write 20ms, or 120ms, unless every caller sends packets of 20 ms`},
		"resampled":       {"plans: {a: {stream: {sample_rate: 16000}}}", `plans.a.stream.sample_rate: "16000": narrow-band calls (8000 Hz) are resampled: callers whose packets (ptime) are of 30, 40 or 60 ms bring no audio then, or a part of it; write 8000 unless every caller sends packets of 20 ms, or has a codec of this rate`},
		"plain stream":    {"plans: {a: {stream: {mix: stereo, sample_rate: 8000, buffer: 20ms}}}", ""},
		"any packet":      {"plans: {a: {stream: {buffer: 240ms}}}", ""},
		"proxied":         {"sink: {listen: 127.0.0.1:9000, advertise: ws://h:80}", ""},
		"wss with TLS":    {"sink: {advertise: wss://h, tls: {certificate: c, key: k}}", ""},
		"nothing strange": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, w := range mustParse(t, c.file, Options{}).Warnings {
				got += w.Error()
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestListenersThatOverlap(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"127.0.0.1:1", "127.0.0.1:1", true},
		{"127.0.0.1:1", "127.0.0.1:2", false},
		{"127.0.0.1:0", "127.0.0.1:0", false},
		{"127.0.0.1:1", ":1", true},
		{"0.0.0.0:1", "10.0.0.1:1", true},
		{"localhost:1", "127.0.0.1:1", true},
		{"127.0.0.1:1", "127.0.0.2:1", false},
		{"Host:1", "host:1", true},
	} {
		if got := overlap(c.a, c.b); got != c.want || overlap(c.b, c.a) != got {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

func TestPipeIsNoConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(Options{Path: path}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("%v", err)
	}
	if _, err := content(path); err == nil {
		t.Error("a pipe has no content to be watched")
	}
}
