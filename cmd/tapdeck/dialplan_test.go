package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/dialplan"
)

// rendered runs `tapdeck dialplan` and checks what it prints with the checker.
func rendered(t *testing.T, hosts []string, args ...string) dialplan.Result {
	t.Helper()
	code, stdout, stderr := runProgram(t, t.Context(), append([]string{"dialplan"}, args...)...)
	if code != exitDone || stderr != "" {
		t.Fatalf("%q: exit code %d\n%s", args, code, stderr)
	}
	result, err := dialplan.Check(strings.NewReader(stdout), hosts)
	if err != nil || len(result.Findings) > 0 || len(result.Sockets) != 1 || !result.Sockets[0].Right {
		t.Fatalf("%q: %v, %+v\n%s", args, err, result, stdout)
	}
	return result
}

func configFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tapdeck.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDialplan(t *testing.T) {
	file := configFile(t, "esl: {listen: \"10.0.0.2:8085\"}\nplans: {survey: {listen: 30s}}\n")

	// The configuration of this machine, whatever that is.
	s := rendered(t, []string{"127.0.0.1:8084"}).Sockets[0]
	if s.Number != "^9999$" || s.Extension != "tapdeck" || s.Plan != "" {
		t.Errorf("%+v", s)
	}
	rendered(t, []string{"10.0.0.2:8085"}, "--config", file)
	rendered(t, []string{"10.0.0.3:1"}, "-s", "esl.listen=10.0.0.3:1")

	// The command line.
	s = rendered(t, []string{"a.example:8084"}, "--config", file, "--number", "*77", "--name", "survey line", "--plan", "survey", "--host", "a.example:8084", "--host", "b.example:8085").Sockets[0]
	if s.Number != `^\*77$` || s.Extension != "survey line" || s.Plan != "survey" || strings.Join(s.Hosts, " ") != "a.example:8084 b.example:8085" {
		t.Errorf("%+v", s)
	}
	_, stdout, _ := runProgram(t, t.Context(), "dialplan", "--context", "public", "-v", "tapdeck_listen=30s")
	for _, want := range []string{`data="tapdeck_listen=30s"`, "conf/dialplan/public/"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %s in\n%s", want, stdout)
		}
	}
	rendered(t, []string{"10.0.0.2:8085"}, "--config", file, "--plan", "survey", "-v", "tapdeck_listen=${x}", "-v", "tapdeck_prompt=a b.wav", "-v", "mine=30x")
	// Without a configuration here, the plan is another machine's.
	t.Chdir(t.TempDir())
	rendered(t, []string{"a:8084"}, "--host", "a:8084", "--plan", "theirs", "-v", "tapdeck_listen=3s")
	rendered(t, []string{"a:8084"}, "--host", "a:8084", "-v", "tapdeck_plan=theirs")
}

func TestDialplanUsage(t *testing.T) {
	file := configFile(t, "plans: {survey: {listen: 30s}, x: {steps: [answer, listen: 3s]}}\n")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--plan", "servey"}, `no such plan in the configuration; there are ["default"]`},
		{[]string{"--config", file, "--plan", "servey", "--host", "a:1"}, `["default" "survey" "x"]`},
		{[]string{"--config", file, "--plan", "x", "-v", "tapdeck_listen=30s"}, `--variable: tapdeck_listen: "30s": no effect on plan x, which is made of steps`},
		{[]string{"--config", file, "-v", "tapdeck_plan=x", "-v", "tapdeck_listen=30s"}, "no effect on plan x"},
		{[]string{"--config", file, "--plan", "survey", "-v", "TAPDECK_listen=30"}, `--variable: tapdeck_listen: "30": a duration needs a unit`},
		{[]string{"-v", "tapdeck_lisen=30s"}, `--variable: tapdeck_lisen: "30s": no such variable; the nearest known is tapdeck_listen`},
		{[]string{"-v", "tapdeck_plan=servey"}, `--variable: plan "servey"`},
		{[]string{"--host", "a:1", "-v", "tapdeck_tone_frequency=1"}, "must be 20 to 3400 Hz"},
		{[]string{"-s", "esl.listen=0.0.0.0:8084"}, "say with --host"},
		{[]string{"-s", "esl.listen=:8084"}, "say with --host"},
		{[]string{"-s", "esl.listen=127.0.0.1:0"}, "any free port"},
		{[]string{"--host", "nowhere"}, "must be HOST:PORT"},
		{[]string{"--number", "99 99"}, "99 99"},
		{[]string{"--number", "<9999>"}, "<9999>"},
		{[]string{"--check", "/does/not/exist"}, "--check"},
		{[]string{"--config", "/does/not/exist"}, "no such file"},
	} {
		code, stdout, stderr := runProgram(t, t.Context(), append([]string{"dialplan"}, tt.args...)...)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, tt.want) {
			t.Errorf("%q: exit code %d\n%s%s", tt.args, code, stdout, stderr)
		}
	}
}

// extension is one extension with these actions, the first on line 4.
func extension(actions ...string) string {
	return "<include>\n<extension name=\"x\">\n<condition field=\"destination_number\" expression=\"^9999$\">\n" +
		strings.Join(actions, "\n") + "\n</condition>\n</extension>\n</include>\n"
}

func TestDialplanCheck(t *testing.T) {
	const good = `<action application="socket" data="127.0.0.1:8084 async full"/>`
	for name, tt := range map[string]struct {
		file string
		code int
		want []string
	}{
		"good":        {extension(good), exitDone, []string{":4: ok: calls to ^9999$ come to tapdeck"}},
		"no async":    {extension(`<action application="socket" data="127.0.0.1:8084 full"/>`), exitFailed, []string{":4: error: ", "lacks async", "    → write <action"}},
		"no full":     {extension(`<action application="socket" data="127.0.0.1:8084 async"/>`), exitFailed, []string{":4: error: ", "lacks full"}},
		"port":        {extension(`<action application="socket" data="127.0.0.1:8085 async full"/>`), exitFailed, []string{":4: error: ", "127.0.0.1:8085", "tapdeck listens on 127.0.0.1:8084"}},
		"expansion":   {extension(`<action application="set" data="x=${uuid_audio_stream(${uuid} start ws://127.0.0.1:8080 mono 8000)}"/>`, good), exitFailed, []string{":4: error: ", "uuid_audio_stream", ":5: ok"}},
		"application": {extension(`<action application="audio_stream" data="start"/>`, good), exitFailed, []string{":4: error: ", "no application", ":5: ok"}},
		"another":     {extension(good, `<action application="socket" data="10.0.0.9:8084 async full"/>`), exitDone, []string{":4: ok", ":5: note: "}},
		"plan":        {extension(`<action application="set" data="tapdeck_plan=nosuch"/>`, good), exitDone, []string{":4: warning: plan \"nosuch\"", "write one of default"}},
		"path":        {extension(`<action application="socket" data="127.0.0.1:8084/nosuch async full"/>`), exitDone, []string{":4: warning: plan \"nosuch\""}},
		"hook":        {extension(`<action application="set" data="api_on_answer=uuid_audio_stream ${uuid} start ws://x mono 8000"/>`, good), exitFailed, []string{":4: error: api_on_answer"}},
		"web page":    {extension("<action application=\"socket\" data=\"127.0.0.1:8084\u00a0async full\"/>"), exitFailed, []string{":4: error: ", "no-break space (U+00A0)"}},
		"none":        {extension(`<action application="answer"/>`), exitFailed, []string{"no socket action", "tapdeck dialplan prints"}},
		"no XML":      {"<include>\n<extension>\n</include>", exitFailed, []string{"line 3"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "00_tapdeck.xml")
			if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
			code, stdout, stderr := runProgram(t, t.Context(), "dialplan", "--check", path)
			if code != tt.code {
				t.Errorf("exit code %d", code)
			}
			for _, want := range append(tt.want, path) {
				if !strings.Contains(stdout+stderr, want) {
					t.Errorf("no %q in\n%s%s", want, stdout, stderr)
				}
			}
		})
	}
}

// TestDialplanCheckInput checks standard input, such as the answer of xml_locate,
// and the program's own output.
func TestDialplanCheckInput(t *testing.T) {
	_, own, _ := runProgram(t, t.Context(), "dialplan", "--host", "10.0.0.2:8084")
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--host", "10.0.0.2:8084"}, exitDone, "standard input:"},
		{nil, exitFailed, "tapdeck listens on 127.0.0.1:8084"},
		{[]string{"-s", "esl.listen=0.0.0.0:8084"}, exitDone, "ok: calls to"},
	} {
		var out, errs apptest.Journal
		p := &program{Stdin: strings.NewReader(own), Stdout: &out, Stderr: &errs}
		if code := p.Run(t.Context(), append([]string{"dialplan", "--check", "-"}, tt.args...)); code != tt.code || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%q: exit code %d\n%s%s", tt.args, code, out.String(), errs.String())
		}
	}
}

// TestDialplanCheckFights checks what stands beside socket actions: what it says of it, line by
// line, and that only an error fails.
func TestDialplanCheckFights(t *testing.T) {
	const good = `<action application="socket" data="127.0.0.1:8084/survey async full"/>`
	config := configFile(t, "plans: {survey: {listen: 30s}}\n")
	set := func(data string) string { return `<action application="set" data="` + data + `"/>` }
	for name, tt := range map[string]struct {
		actions []string
		code    int
		want    []string
	}{
		"variables": {
			[]string{
				set("tapdeck_lisen=30s"), set("tapdeck_listen=30x"), `<action application="multiset" data="^^;a=b;TAPDECK_LISTEN=20s;tapdeck_tone_frequency=1"/>`,
				set("tapdeck_listen='30s'"), set("tapdeck_listen=${x}"), set("tapdeck_plan=servey"), good,
			},
			exitDone,
			[]string{
				`:4: warning: tapdeck_lisen: "30s": no such variable; the nearest known is tapdeck_listen`, `:5: warning: tapdeck_listen: "30x": a duration`,
				`:6: warning: tapdeck_tone_frequency: "1": must be 20 to 3400 Hz`, `:7: warning: tapdeck_listen: "'30s'": a duration`,
				`:9: warning: plan "servey"`,
			},
		},
		"media":        {[]string{set("bypass_media=true"), good}, exitDone, []string{":4: note: bypass_media=true"}},
		"bridge":       {[]string{set("bypass_media=true"), `<action application="bridge" data="user/1"/>`, good}, exitDone, []string{":4: warning: bypass_media=true"}},
		"silence":      {[]string{set("proxy_media=true"), `<action application="bridge" data="user/1"/>`, good}, exitFailed, []string{":4: error: proxy_media=true"}},
		"second":       {[]string{set("execute_on_media=bgapi uuid_audio_stream ${uuid} start ws://x mono"), good}, exitFailed, []string{":4: error: execute_on_media calls"}},
		"typographic":  {[]string{set("x=“y”"), good}, exitDone, []string{":4: warning: the data \"x=“y”\" of set holds a typographic quote (U+201C)"}},
		"nothing else": {[]string{set("tapdeck_listen=1m"), set("api_on_answer=uuid_dump ${uuid}"), good}, exitDone, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "00_tapdeck.xml")
			if err := os.WriteFile(path, []byte(extension(tt.actions...)), 0o600); err != nil {
				t.Fatal(err)
			}
			code, stdout, stderr := runProgram(t, t.Context(), "dialplan", "--config", config, "--check", path)
			var got []string
			for line := range strings.Lines(stdout) {
				if rest, found := strings.CutPrefix(line, path); found && !strings.Contains(rest, ": ok: ") {
					got = append(got, rest)
				}
			}
			if code != tt.code || len(got) != len(tt.want) {
				t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("line %q, want %q", got[i], want)
				}
			}
		})
	}
}

// TestDialplanCheckDefaults: without a configuration file here, the defaults say what a variable
// can be, whoever's hosts these are.
func TestDialplanCheckDefaults(t *testing.T) {
	t.Chdir(t.TempDir())
	path := filepath.Join(t.TempDir(), "dialplan.xml")
	file := extension(`<action application="set" data="tapdeck_listen=x"/>`, `<action application="set" data="tapdeck_plan=theirs"/>`, `<action application="socket" data="a:1 async full"/>`)
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := runProgram(t, t.Context(), "dialplan", "--host", "a:1", "--check", path)
	if code != exitDone || !strings.Contains(stdout, `:4: warning: tapdeck_listen: "x": a duration`) || strings.Contains(stdout, "theirs") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}
