package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/controller/switchsim/recogniser"
	"tapdeck/controller/transcript"
	"tapdeck/sink/store"
)

// scriptRecogniser is `recogniser NAME FORMAT [FAULT [KEY]]`: a simulated recogniser at $NAME_URL.
func scriptRecogniser(ts *testscript.TestScript, _ bool, args []string) {
	server := &recogniser.Server{Format: recogniser.Format(args[1])}
	if len(args) > 2 {
		server.SetFault(0, recogniser.Faults()[args[2]])
	}
	if len(args) > 3 {
		server.Key = args[3]
	}
	url, stop := server.Start()
	ts.Defer(stop)
	ts.Setenv(args[0]+"_URL", url)
}

// scriptSay is `say FILE RATE WORDS [WORDS]`: a WAV that says a word each second, and others on a second
// channel. A word of - is silence.
func scriptSay(ts *testscript.TestScript, _ bool, args []string) {
	rate := map[string]int{"8000": 8000, "16000": 16000, "44100": 44100}[args[1]]
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), sayWAV(rate, args[2:]...), 0o600))
}

// sayWAV is a WAV that says a word each second, on as many channels as there are texts.
func sayWAV(rate int, channels ...string) []byte {
	var spoken [][]byte
	for _, text := range channels {
		var list []recogniser.Spoken
		for i, word := range strings.Fields(text) {
			list = append(list, recogniser.Spoken{At: time.Duration(i) * time.Second, Word: strings.Trim(word, "-")}, recogniser.Spoken{At: time.Duration(i+1) * time.Second, Length: 1})
		}
		spoken = append(spoken, recogniser.Say(rate, list...))
	}
	pcm := recogniser.Interleave(spoken...)
	b := append([]byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00"), byte(len(channels)), 0)
	for _, n := range []int{rate, 2 * rate * len(channels)} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	b = append(b, byte(2*len(channels)), 0, 16, 0)
	b = binary.LittleEndian.AppendUint32(append(b, "data"...), uint32(len(pcm)))
	b = append(b, pcm...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// Ctrl-C ends it at once, with what was said so far, and the next file is not begun.
func TestTranscribeInterrupted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long.wav")
	if err := os.WriteFile(path, sayWAV(8000, "one two "+strings.Repeat("- ", 60)), 0o600); err != nil {
		t.Fatal(err)
	}
	for output, want := range map[string]string{"text": " caller: one\n", "vtt": "WEBVTT\n", "json": `"text":"one"`} {
		server := &recogniser.Server{}
		url, stop := server.Start()
		ctx, cancel := context.WithCancel(t.Context())
		args := []string{"transcribe", "--url", url, "--speed", "4", "--output", output, path}
		if output != "vtt" {
			args = append(args, path)
		}
		var out, errs apptest.Journal
		p := &program{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}
		ended := make(chan int)
		go func() { ended <- p.Run(ctx, args) }()
		if output == "vtt" { // which is written at the end
			errs.Wait(t, "long.wav: ")
		} else {
			out.Wait(t, want)
		}
		cancel()
		code := <-ended
		stop()
		hint := "run it again to have all of it"
		if output != "vtt" || strings.Contains(out.String(), "-->") {
			hint = "what was said so far is above; " + hint
		}
		if code != exitFailed || !strings.Contains(out.String(), want) || !strings.Contains(errs.String(), "s are not transcribed: interrupted\ntapdeck: hint: "+hint) {
			t.Errorf("%s: code %d\n%s\n%s", output, code, out.String(), errs.String())
		}
		if strings.Contains(errs.String(), "tapdeck: 1 more file was not begun\n") != (output != "vtt") || server.Accepted() > 1 {
			t.Errorf("%s: %d connections\n%s", output, server.Accepted(), errs.String())
		}
	}
}

// While nobody reads what it writes, a second signal ends it.
func TestTranscribeKilled(t *testing.T) {
	server := &recogniser.Server{}
	url, stop := server.Start()
	defer stop()
	path := filepath.Join(t.TempDir(), "long.wav")
	if err := os.WriteFile(path, sayWAV(8000, "one two "+strings.Repeat("- ", 60)), 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("tapdeck")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "transcribe", "--url", url, "--speed", "4", path)
	cmd.Env, cmd.Stdout = append(os.Environ(), "GORACE="+fastExit), fullPipe(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ended atomic.Bool
	var waiting sync.WaitGroup
	defer waiting.Wait()
	waiting.Go(func() { _ = cmd.Wait(); ended.Store(true) })
	defer func() { _ = cmd.Process.Kill() }()
	apptest.Until(t, "a connection with words", func() bool {
		all := server.Connections()
		return len(all) > 0 && all[0].Report().Audio > 2*time.Second
	})
	apptest.Until(t, "its end", func() bool {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		return ended.Load()
	})
}

// fullPipe is a pipe that nobody reads, and that holds nothing more.
func fullPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err == nil {
		err = w.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	if _, err := w.Write(make([]byte, 4<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return w
}

// A segment of a file is a JSON object with its name.
func TestWordsAsJSON(t *testing.T) {
	var out strings.Builder
	w := words{w: &out, output: "json"}
	if err := w.say("a b.wav", transcript.Segment{Channel: "callee", From: 320 * time.Millisecond, To: 1540 * time.Millisecond, Text: "hello \u202e", Confidence: 0.5}); err != nil {
		t.Fatal(err)
	}
	if want := `{"file":"a b.wav","channel":"callee","from_ms":320,"to_ms":1540,"text":"hello ` + "\u202e" + `","confidence":0.5}` + "\n"; out.String() != want || !json.Valid([]byte(out.String())) {
		t.Errorf("%s", out.String())
	}
}

// What a service says does nothing to the terminal.
func TestWordsOnATerminal(t *testing.T) {
	var out strings.Builder
	w := words{w: &out, output: "text", several: true}
	if err := w.say("a\x1b.wav", transcript.Segment{Channel: "caller", From: time.Second, To: 61 * time.Second, Text: "so\u202eever\x1b[2J"}); err != nil {
		t.Fatal(err)
	}
	if want := `a\x1b.wav: 1.000-61.000 caller: so\u202eever\x1b[2J` + "\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

// Words that wait for the end of a file have a bound, which is said.
func TestWordsBeyondTheBound(t *testing.T) {
	var out strings.Builder
	w := words{w: &out, output: "vtt", most: 1 << 20}
	for range 300 {
		_ = w.say("a.wav", transcript.Segment{Channel: "caller", Text: strings.Repeat("x", 4<<10)})
	}
	if err := w.end(); err == nil || !strings.HasPrefix(err.Error(), "51 segments are missing above: there are more than 1 MiB of words; --output json") || strings.Count(out.String(), "-->") != 249 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
	if err := (&words{w: brokenPipe{}, output: "vtt", kept: []store.Segment{{}}}).end(); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// Progress is one line, which the next one replaces and a note removes.
func TestNotes(t *testing.T) {
	var out strings.Builder
	n := notes{w: &out}
	n.print("first")
	n.progress("a.wav", 2*time.Second, time.Minute)
	n.clear()
	n.print("last")
	if want := "first\n\r\x1b[Ka.wav: 2s of 1m0s\r\x1b[Klast\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

// What is said of a file that can't be transcribed has what to do: sox is for sound in another form alone.
func TestRefusedFiles(t *testing.T) {
	whole := sayWAV(8000, "one")
	adpcm := append([]byte{}, whole...)
	adpcm[20] = 17 // the encoding
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"six.wav":     {sayWAV(44100, "one", "-", "-", "-", "-", "-"), "make one of it: sox SIX -r 16000 -c 1 "},
		"adpcm.wav":   {adpcm, "make one of it: sox ADPCM -r 16000 -b 16"},
		"strange.mp3": {[]byte("ID3"), "make one of it: sox STRANGE -r 16000 -b 16"},
		"empty.wav":   {nil, "it ends too early; name a recording that is a WAV file, and whole"},
		"cut.wav":     {whole[:30], "it ends too early; name a recording that is a WAV file, and whole"},
		"text.wav":    {[]byte("What was said, as a text."), "not a WAV file; name a recording that is a WAV file, and whole"},
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := runProgram(t, t.Context(), "transcribe", "--url", "ws://127.0.0.1:1", path)
		base, _, _ := strings.Cut(name, ".")
		if want := strings.ReplaceAll(c.want, strings.ToUpper(base), path); code != exitUsage || !strings.Contains(stderr, want) || strings.Contains(stderr, "sox") != strings.Contains(want, "sox") {
			t.Errorf("%s: code %d: %s", name, code, stderr)
		}
	}
}

// A copy that was cut short is transcribed as far as it goes, and a note says how much is missing. A recording that
// runs has a header of its own time.
func TestTranscribeTruncated(t *testing.T) {
	server := &recogniser.Server{Format: recogniser.Vosk}
	url, stop := server.Start()
	defer stop()
	const note = ": 1.500 s of the 4.000 s that its header promises are missing: it is a truncated copy\n"
	for name, noted := range map[string]bool{"cut.wav": true, "running.wav.part": false} {
		path := filepath.Join(t.TempDir(), name)
		file := sayWAV(8000, "one two three -")
		if err := os.WriteFile(path, file[:len(file)-24000], 0o600); err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr := runProgram(t, t.Context(), "transcribe", "--url", url, "--format", "vosk", path)
		if code != exitDone || !strings.Contains(stdout, "caller: two") || strings.Contains(stderr, path+note) != noted || strings.Contains(stderr, "promises") != noted {
			t.Errorf("%s: code %d\n%s\n%s", name, code, stdout, stderr)
		}
	}
}
