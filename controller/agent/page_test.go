package agent

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
)

// page returns .github/bots.md.
func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../.github/bots.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// program returns the page's one in a language.
func program(t *testing.T, language string) string {
	t.Helper()
	found := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(page(t))
	if found == nil {
		t.Fatalf("no program in %s", language)
	}
	lines := 0
	for line := range strings.Lines(found[1]) {
		if strings.TrimSpace(line) != "" {
			lines++
		}
	}
	if lines > 30 {
		t.Errorf("the program in %s has %d lines, want 30 at most", language, lines)
	}
	return found[1]
}

// The page's messages are as the schema says.
func TestPageShowsTheMessages(t *testing.T) {
	toBot, fromBot := schemas(t)
	right := map[string]int{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\{.*?\\})` \\|").FindAllStringSubmatch(page(t), -1) {
		var m struct{ Event string }
		if err := json.Unmarshal([]byte(row[1]), &m); err != nil {
			t.Errorf("%s: %v", row[1], err)
		}
		if valid(toBot, []byte(row[1])) == nil {
			right["to "+m.Event]++
		} else if err := valid(fromBot, []byte(row[1])); err != nil {
			t.Errorf("%s: %v", row[1], err)
		} else {
			right["from "+m.Event]++
		}
	}
	if len(right) != 12 {
		t.Errorf("the page has %v, want 6 of each direction", right)
	}
}

func TestPythonBotCompiles(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3: with one in PATH, the page's bot is compiled")
	}
	file := filepath.Join(t.TempDir(), "bot.py")
	if err := os.WriteFile(file, []byte(program(t, "python")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(python, "-m", "py_compile", file).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// The page's bot in JavaScript repeats what it was told.
func TestJavaScriptBot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bot.cjs")
	if err := os.WriteFile(file, []byte(program(t, "js")), 0o600); err != nil {
		t.Fatal(err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node: with one in PATH, and ws in NODE_PATH, the page's bot is run")
	}
	if exec.Command(node, "-e", "require('ws')").Run() != nil {
		t.Skip("node has no package ws: npm install --prefix DIR ws, and NODE_PATH=DIR/node_modules")
	}
	cmd := exec.Command(node, file)
	cmd.Env = append(os.Environ(), "PORT=0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	first, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	talkWithJavaScript(t, strings.TrimSpace(strings.TrimPrefix(first, "listening on ")))
}

// talkWithJavaScript says two frames; the second one before the bot is told that the caller speaks no more.
func talkWithJavaScript(t *testing.T, port string) {
	c := testConfig(FormatPCM)
	c.URL = "ws://127.0.0.1:" + port
	ear, mouth := newEar(), &testMouth{}
	marked := make(chan bool, 1)
	s := Start(t.Context(), c, ear, marking{mouth, marked}, zap.NewNop(), nil)
	defer s.Stop("test over")
	for e := range s.Events() {
		switch e.Kind {
		case Connected:
			s.Speech(true, 0)
		case Cleared: // the bot knows that the caller speaks
			ear.hear(append(frame(1), frame(2)...))
			for s.State().Frames < 2 { // told once they were written
				elapse(time.Millisecond)
			}
			s.Speech(false, 0)
			<-marked
			s.Digit("#", 0)
		case HangUp:
			if want := append(frame(1), frame(2)...); !bytes.Equal(mouth.played, want) {
				t.Errorf("%d bytes came back, want %d", len(mouth.played), len(want))
			}
			return
		default:
			t.Fatalf("event %q: %v", e.Kind, e.Err)
		}
	}
}

// marking is a mouth that tells of a mark.
type marking struct {
	*testMouth
	marked chan bool
}

func (m marking) Mark(done func(bool)) { done(false); m.marked <- true }
