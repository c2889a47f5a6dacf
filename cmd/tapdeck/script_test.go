package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/callview"
	"tapdeck/controller/switchsim/bot"
)

// TestScripts runs the program as its users do. See testdata/script/README for
// the commands beyond testscript's own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Values[daemonsKey{}] = map[string]*process{}
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("GORACE", fastExit)
			if err := os.Mkdir(filepath.Join(e.WorkDir, "rec"), 0o750); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(e.WorkDir, "short.yaml"), []byte(scriptConfig), 0o600)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"serve": scriptServe, "log": scriptLog, "signal": scriptSignal, "exit": scriptExit, "get": scriptGet,
			"replace": scriptReplace, "records": scriptRecords, "parts": scriptParts, "bot": scriptBot,
			"recogniser": scriptRecogniser, "say": scriptSay,
		},
	})
}

// scriptConfig is short.yaml of every script: free ports, and calls that are over soon.
const scriptConfig = `esl: {listen: "127.0.0.1:0"}
sink: {listen: "127.0.0.1:0", directory: rec, min_free: 0MiB, read_interval: 20ms}
admin: {listen: "127.0.0.1:0"}
plans:
  default: {answer_pause: 0s, tone: {duration: 0s}, prompt: "", listen: 300ms}
`

// fastExit keeps a binary with the race detector from waiting a second at its end.
const fastExit = "atexit_sleep_ms=0"

type daemonsKey struct{}

// process is a daemon that a script has started.
type process struct {
	cmd *exec.Cmd
	log string
}

func (p *process) text() string {
	b, _ := os.ReadFile(p.log)
	return string(b)
}

func daemons(ts *testscript.TestScript) map[string]*process {
	return ts.Value(daemonsKey{}).(map[string]*process)
}

func daemonOf(ts *testscript.TestScript, args []string) (*process, []string) {
	if len(args) == 0 || daemons(ts)[args[0]] == nil {
		ts.Fatalf("first must come the name of a daemon that `serve` has started")
	}
	return daemons(ts)[args[0]], args[1:]
}

// scriptServe is `serve NAME FLAG…`: starts tapdeck serve, its log in NAME.log,
// and waits until it is ready; $NAME_ESL and $NAME_ADMIN are its addresses then.
func scriptServe(ts *testscript.TestScript, _ bool, args []string) {
	name := args[0]
	p := &process{log: ts.MkAbs(name + ".log")}
	file, err := os.Create(p.log)
	ts.Check(err)
	defer func() { _ = file.Close() }()
	path, err := exec.LookPath("tapdeck")
	ts.Check(err)
	p.cmd = exec.Command(path, append([]string{"serve"}, args[1:]...)...)
	p.cmd.Dir, p.cmd.Stderr, p.cmd.Stdout = ts.MkAbs("."), file, file
	p.cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "GORACE="+fastExit)
	ts.Check(p.cmd.Start())
	daemons(ts)[name] = p
	ts.Defer(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
		ts.Logf("[%s.log]\n%s", name, p.text())
	})
	waitLog(ts, p, `"msg":"tapdeck is ready"`)
	for _, line := range strings.Split(p.text(), "\n") {
		var ready struct{ Msg, ESL, Admin string }
		if json.Unmarshal([]byte(line), &ready) == nil && ready.Msg == "tapdeck is ready" {
			ts.Setenv(name+"_ESL", ready.ESL)
			ts.Setenv(name+"_ADMIN", ready.Admin)
		}
	}
}

// scriptLog is `log NAME REGEXP…`: waits until the log has a line for each, in
// this order; `! log NAME REGEXP` is that it has none now.
func scriptLog(ts *testscript.TestScript, neg bool, args []string) {
	p, patterns := daemonOf(ts, args)
	if neg {
		for _, pattern := range patterns {
			if line := regexp.MustCompile("(?m)^.*" + pattern + ".*$").FindString(p.text()); line != "" {
				ts.Fatalf("the log has the line %s", line)
			}
		}
		return
	}
	waitLog(ts, p, patterns...)
}

func waitLog(ts *testscript.TestScript, p *process, patterns ...string) {
	for i, pattern := range patterns {
		patterns[i] = ".*(" + pattern + ").*\n"
	}
	re := regexp.MustCompile(strings.Join(patterns, `(?:.*\n)*`))
	if !apptest.Asked(func() bool { return re.MatchString(p.text()) }) {
		ts.Fatalf("the log has no such lines in this order: %q", patterns)
	}
}

// scriptSignal is `signal NAME TERM|INT|HUP|KILL`.
func scriptSignal(ts *testscript.TestScript, _ bool, args []string) {
	p, rest := daemonOf(ts, args)
	signals := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL}
	ts.Check(p.cmd.Process.Signal(signals[rest[0]]))
}

// scriptExit is `exit NAME CODE`: waits for the daemon's end; a killed one has -1.
func scriptExit(ts *testscript.TestScript, _ bool, args []string) {
	p, rest := daemonOf(ts, args)
	_ = p.cmd.Wait() // the code is looked at instead
	if code := strconv.Itoa(p.cmd.ProcessState.ExitCode()); code != rest[0] {
		ts.Fatalf("exit code %s, want %s", code, rest[0])
	}
}

// scriptGet is `get ADDRESS/PATH REGEXP…`: asks as curl does until the answer
// has a match for each, and prints the answer.
func scriptGet(ts *testscript.TestScript, _ bool, args []string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: apptest.Patience}
	answer := ""
	ok := apptest.Asked(func() bool {
		resp, err := client.Get("http://" + args[0])
		if err != nil {
			answer = err.Error()
			return false
		}
		defer func() { _ = resp.Body.Close() }()
		var b strings.Builder
		_, _ = bufio.NewReader(resp.Body).WriteTo(&b)
		answer = b.String()
		for _, pattern := range args[1:] {
			if !regexp.MustCompile(pattern).MatchString(answer) {
				return false
			}
		}
		return true
	})
	_, _ = fmt.Fprint(ts.Stdout(), answer)
	if !ok {
		ts.Fatalf("no answer with %q; the last was\n%s", args[1:], answer)
	}
}

// scriptReplace is `replace FILE OLD NEW`, as an editor does it: by a new file.
func scriptReplace(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	path := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(path+"~", []byte(strings.ReplaceAll(text, args[1], args[2])), 0o600))
	ts.Check(os.Rename(path+"~", path))
}

// scriptRecords is `records DIR N KEY=VALUE…`: there are N records, each with
// these values, each of a WAV that is as long as the record says.
func scriptRecords(ts *testscript.TestScript, _ bool, args []string) {
	found, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*", "*.json"))
	ts.Check(err)
	if strconv.Itoa(len(found)) != args[1] {
		ts.Fatalf("there are %d records, not %s: %q", len(found), args[1], found)
	}
	for _, path := range found {
		var record map[string]any
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(path)), &record))
		for _, pair := range args[2:] {
			key, want, _ := strings.Cut(pair, "=")
			if got := fmt.Sprint(record[key]); got != want {
				ts.Fatalf("%s: %s is %s, not %s (err %v)", path, key, got, want, record["err"])
			}
		}
		_, pcm, err := callview.ReadWAV(filepath.Join(ts.MkAbs(args[0]), fmt.Sprint(record["wav"])))
		ts.Check(err)
		if ms := float64(len(pcm) / 16); ms != record["audio_ms"] || ms == 0 {
			ts.Fatalf("%s: the WAV has %v ms of audio, the record says %v", path, ms, record["audio_ms"])
		}
	}
}

// scriptBot is `bot NAME BEHAVIOUR [FAULT [FORMAT]]`: a simulated bot at $NAME_URL.
func scriptBot(ts *testscript.TestScript, _ bool, args []string) {
	o := bot.Options{Behaviour: bot.Behaviours()[args[1]]}
	if len(args) > 2 {
		o.Faults = []bot.Fault{bot.Faults()[args[2]]}
	}
	if len(args) > 3 {
		o.Format = bot.Format(args[3])
	}
	b := bot.Start(o)
	ts.Defer(b.Close)
	ts.Setenv(args[0]+"_URL", b.URL())
}

// scriptParts is `parts DIR N`: waits until N recordings run below DIR, each
// with at least 100 ms of audio in its file.
func scriptParts(ts *testscript.TestScript, _ bool, args []string) {
	const header, audio = 512, 1600
	var found []string
	if !apptest.Asked(func() bool {
		found, _ = filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*", "*.wav.part"))
		grown := 0
		for _, path := range found {
			if info, err := os.Stat(path); err == nil && info.Size() > header+audio {
				grown++
			}
		}
		return strconv.Itoa(grown) == args[1]
	}) {
		ts.Fatalf("there are not %s running recordings with audio: %q", args[1], found)
	}
}
