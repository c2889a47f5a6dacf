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

	"tapdeck/controller/internal/dialertest"
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

// The page's bots repeat what they were told.
func TestPageBots(t *testing.T) {
	for _, c := range []struct{ language, file, command, library, get string }{
		{"python", "bot.py", "python3", "import websockets", "pip install --target DIR websockets, and PYTHONPATH=DIR"},
		{"js", "bot.cjs", "node", "require('ws')", "npm install --prefix DIR ws, and NODE_PATH=DIR/node_modules"},
	} {
		t.Run(c.language, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), c.file)
			if err := os.WriteFile(file, []byte(program(t, c.language)), 0o600); err != nil {
				t.Fatal(err)
			}
			interpreter, err := exec.LookPath(c.command)
			if err != nil {
				t.Skipf("no %s: with one in PATH, and its WebSocket library (%s), the page's bot is run", c.command, c.get)
			}
			evaluate := map[string]string{"python": "-c", "js": "-e"}[c.language]
			if exec.Command(interpreter, evaluate, c.library).Run() != nil {
				t.Skipf("%s has no WebSocket library; with %s the page's bot is run", c.command, c.get)
			}
			talkWithPage(t, listening(t, exec.Command(interpreter, file)))
		})
	}
}

// listening runs a bot until the end of the test and returns its port.
func listening(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	cmd.Env = append(os.Environ(), "PORT=0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	first, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(strings.TrimPrefix(first, "listening on "))
}

// talkWithPage says two frames; the second one before the bot is told that the caller speaks no more.
func talkWithPage(t *testing.T, port string) {
	c := testConfig(FormatPCM)
	c.URL = "ws://127.0.0.1:" + port
	ear, mouth := dialertest.NewEar(1), &testMouth{}
	marked := make(chan bool, 1)
	s := Start(t.Context(), c, ear, marking{mouth, marked}, zap.NewNop(), nil)
	defer s.Stop("test over")
	for e := range s.Events() {
		switch e.Kind {
		case Connected:
			s.Speech(true, 0)
		case Cleared: // the bot knows that the caller speaks
			ear.Add(append(frame(1), frame(2)...))
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
