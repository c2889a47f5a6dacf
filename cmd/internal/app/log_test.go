package app

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/logqueue"
	"tapdeck/controller/switchsim"
)

// logFields are the fields of a call's lines, beside its last one, which has
// those of the record.
var logFields = []string{
	"level", "ts", "msg", "call", "plan", "caller", "destination", "peer", "step", "dur_ms", "result", "cause", "file", "audio_ms", "err", "hint",
	// of the stream
	"sample_rate", "mix", "connections",
}

// TestLogTellsTheStory reads the log as a person does who greps one call of several.
func TestLogTellsTheStory(t *testing.T) {
	s := newTestDaemon(t, shortCalls)
	var calls []*switchsim.Call
	for range 5 {
		calls = append(calls, s.place(switchsim.CallSpec{
			Caller: "1001", Voice: switchsim.ToneVoice(8000, 400, 0.5),
			Variables: map[string]string{"tapdeck_prompt": "silence_stream://100", "tapdeck_tone_duration": "40ms"},
		}))
	}
	for _, call := range calls {
		call.Wait()
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	id := calls[2].UUID()
	var story []map[string]any
	for _, line := range s.journal.Lines(t) {
		text, _ := json.Marshal(line)
		if mentions := strings.Contains(string(text), id); mentions != (line["call"] == id) {
			t.Errorf("a line that mentions the call without being its own: %s", text)
		}
		if line["call"] == id {
			story = append(story, line)
		}
	}
	var told []string
	last := ""
	for i, line := range story {
		told = append(told, line["msg"].(string))
		ts := line["ts"].(string)
		if _, err := time.Parse("2006-01-02T15:04:05.000Z", ts); err != nil || ts < last {
			t.Errorf("time %q after %q: %v", ts, last, err)
		}
		last = ts
		for name := range line {
			if i < len(story)-1 && !slices.Contains(logFields, name) {
				t.Errorf("field %q of %q is not one of the list", name, line["msg"])
			}
		}
	}
	want := []string{"call started", "answered", "stream connected", "prompt played", "listened", "recording saved", "call ended"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Fatalf("the story of the call (-want +got):\n%s", diff)
	}
	s.sameAsRecord(id, story[len(story)-1])
}

// sameAsRecord is that a call's last line has the fields of its record.
func (s *testDaemon) sameAsRecord(id string, ended map[string]any) {
	s.t.Helper()
	found, _ := filepath.Glob(filepath.Join(s.dir, "*", id+".json"))
	if len(found) != 1 {
		s.t.Fatalf("%d records of %s", len(found), id)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		s.t.Fatal(err)
	}
	var record map[string]any
	if err := json.Unmarshal(data, &record); err != nil {
		s.t.Fatal(err)
	}
	for _, name := range []string{"level", "ts", "msg", "hint"} {
		delete(ended, name)
	}
	if diff := cmp.Diff(record, ended); diff != "" {
		s.t.Errorf("the record and the last line (-record +line):\n%s", diff)
	}
}

// TestEveryProblemHasAHint checks that each known problem is logged with a hint.
func TestEveryProblemHasAHint(t *testing.T) {
	s := newTestDaemon(t, shortCalls)
	dead := apptest.ListenAnywhere(t)
	nobody := dead.Addr().String()
	_ = dead.Close()
	elsewhere := func(url string) string {
		_, path, _ := strings.Cut(strings.TrimPrefix(url, "ws://"), "/")
		return "ws://" + nobody + "/" + path
	}
	long := map[string]string{"tapdeck_listen": "2500ms", "tapdeck_stream_restarts": "1"}
	short := map[string]string{"tapdeck_stream_restarts": "0", "tapdeck_stream_connect_timeout": "300ms"}
	type problem struct {
		name      string
		spec      switchsim.CallSpec
		msg, hint string
		result    string
	}
	table := []problem{
		{"module not loaded", switchsim.CallSpec{Faults: switchsim.Faults{NoAPI: true}}, "call ended", "mod_audio_stream is not loaded", "stream_failed"},
		{"start refused", switchsim.CallSpec{Faults: switchsim.Faults{RefuseStart: true}}, "call ended", "does not support this rate", "stream_failed"},
		{"prompt missing", switchsim.CallSpec{Variables: map[string]string{"tapdeck_prompt": "ivr/missing.wav"}}, "prompt not found", "sound_prefix", "completed"},
		{"sink not reachable", switchsim.CallSpec{Variables: short, Faults: switchsim.Faults{TamperURL: elsewhere}}, "call ended", "nothing listens at sink.advertise", "stream_failed"},
		{"no socket", switchsim.CallSpec{Variables: short, Faults: switchsim.Faults{NeverConnect: true}}, "call ended", "sink.advertise", "stream_failed"},
		{
			"stream of 0.3 s",
			switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 400, 0.5), Variables: long, Faults: switchsim.Faults{Drops: []switchsim.Drop{{After: 300 * time.Millisecond, How: switchsim.DropRST}}}},
			"stream ended abnormally", "the network or the switch dropped", "completed",
		},
		{
			"static or wrong speed",
			switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 400, 0.5), Variables: long, Faults: switchsim.Faults{Audio: switchsim.AudioFaults{Omit: 0.5}}},
			"stream alarm", "audio was lost", "completed",
		},
		{"empty file", switchsim.CallSpec{Variables: long, Faults: switchsim.Faults{Audio: switchsim.AudioFaults{None: true}}}, "stream alarm", "brings no audio", "completed"},
		{"no async", switchsim.CallSpec{Arguments: "full"}, "call ended", "async full", "misconfigured"},
		{"no full", switchsim.CallSpec{Arguments: "async"}, "call ended", "async full", "misconfigured"},
		{"wrong rate", switchsim.CallSpec{Variables: map[string]string{"tapdeck_stream_sample_rate": "8k"}}, "plan value ignored", "", "completed"},
	}
	var calls []*switchsim.Call
	for _, c := range table {
		calls = append(calls, s.place(c.spec))
	}
	for i, c := range table {
		calls[i].Wait()
		apptest.Until(t, "the end of the call with "+c.name, func() bool { return s.told(calls[i].UUID(), "call ended") != nil })
		line := s.told(calls[i].UUID(), c.msg)
		hint, _ := line["hint"].(string)
		if line == nil || !strings.Contains(hint, c.hint) {
			t.Errorf("%s: no line %q with the hint %q, but %v", c.name, c.msg, c.hint, line)
		}
		if result := s.told(calls[i].UUID(), "call ended")["result"]; result != c.result {
			t.Errorf("%s: result %v, want %s", c.name, result, c.result)
		}
	}
	for _, line := range s.journal.Lines(t) {
		if _, wrong := line["error"]; wrong {
			t.Errorf("the field error is called err here: %v", line)
		}
		if line["level"] == "error" && line["hint"] == nil {
			t.Errorf("an error without a hint: %v", line)
		}
	}
}

// told is a call's first line with this message, or nil.
func (s *testDaemon) told(id, msg string) map[string]any {
	for _, line := range s.journal.Lines(s.t) {
		if line["call"] == id && line["msg"] == msg {
			return line
		}
	}
	return nil
}

func TestConsole(t *testing.T) {
	entry := zapcore.Entry{Level: zapcore.WarnLevel, Time: time.Date(2026, 11, 22, 10, 15, 4, 180e6, time.UTC), Message: "prompt not found"}
	fields := []zap.Field{
		zap.String("hint", "look below sound_prefix"), zap.String("file", "a b.wav"), zap.Int("dur_ms", 24), zap.Duration("limit", time.Minute),
		zap.NamedError("err", errors.New("no\nfile")), zap.Strings("list", []string{"a", "b"}), zap.String("empty", ""), zap.String("greek", "ω"),
	}
	write := func(colour bool) string {
		enc := newEncoder("console", colour)
		enc = enc.Clone()
		enc.AddString("call", "45e46232")
		b, err := enc.EncodeEntry(entry, fields)
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := `10:15:04.180 WARN  prompt not found   call=45e46232 file="a b.wav" dur_ms=24 limit=1m0s err="no\nfile" list=["a","b"] empty="" greek=ω hint="look below sound_prefix"` + "\n"
	if diff := cmp.Diff(want, write(false)); diff != "" {
		t.Errorf("without colours (-want +got):\n%s", diff)
	}
	coloured := write(true)
	if !strings.Contains(coloured, yellow+"WARN "+plain) || !strings.Contains(coloured, bold+"prompt not found"+plain) {
		t.Errorf("with colours: %q", coloured)
	}
	for _, colour := range []string{dim, bold, yellow, plain} {
		coloured = strings.ReplaceAll(coloured, colour, "")
	}
	if diff := cmp.Diff(want, coloured); diff != "" {
		t.Errorf("with the colours taken away (-want +got):\n%s", diff)
	}
}

// TestConsoleKeepsWhatItCannotRead is that no line is lost or split by its values.
func TestConsoleKeepsWhatItCannotRead(t *testing.T) {
	var out apptest.Journal
	log := NewLogger(&out, "console", zap.NewAtomicLevel()).With(zap.String("call", "x"))
	log.Info("odd", zap.String("a b", "c\r\nd\x1b[31m"), zap.Any("nested", map[string]any{"k": []int{1}}), zap.Float64("nan", 1.5), zap.Binary("raw", []byte{0, 255}))
	log.Info("plain")
	lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	if len(lines) != 2 || strings.Contains(out.String(), "\x1b") || !strings.Contains(lines[0], `nested={"k":[1]}`) {
		t.Errorf("%q", lines)
	}
}

// stopped is an output that takes nothing until it is told to.
type stopped struct {
	apptest.Journal
	goOn chan struct{}
}

func (s *stopped) Write(p []byte) (int, error) {
	<-s.goOn
	return s.Journal.Write(p)
}

// TestLogDropsAndSaysSo is that a log whose reader stops keeps nobody waiting, and says in its
// own form what is missing.
func TestLogDropsAndSaysSo(t *testing.T) {
	for format, want := range map[string]string{
		"json":    `"level":"warn","ts":"[^"]*Z","msg":"log lines dropped","count":[1-9]\d*,"hint":"who reads`,
		"console": `WARN  log lines dropped  count=[1-9]\d* hint="who reads`,
	} {
		out := &stopped{goOn: make(chan struct{})}
		q := logqueue.New(out)
		log := NewLogger(q, format, zap.NewAtomicLevelAt(zapcore.ErrorLevel))
		for q.Dropped() == 0 {
			log.Error("much", zap.String("text", strings.Repeat("x", 10_000)))
		}
		close(out.goOn)
		out.Wait(t, want)
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestGraveLinesAreWritten is that a line which may be the process's last is written when the
// logger returns.
func TestGraveLinesAreWritten(t *testing.T) {
	out := &stopped{goOn: make(chan struct{})}
	q := logqueue.New(out)
	defer func() { _ = q.Close() }()
	time.AfterFunc(10*time.Millisecond, func() { close(out.goOn) })
	NewLogger(q, "json", zap.NewAtomicLevel()).DPanic("the end is near")
	if !strings.Contains(out.String(), "the end is near") {
		t.Error("the line still waits")
	}
}
