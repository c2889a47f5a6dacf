package sink

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tapdeck/sink/internal/sinktest"
)

// A name that is taken is left alone; WAV and record share the next.
func TestNamesAreNeverOverwritten(t *testing.T) {
	cfg := testConfig(t)
	b := serve(t, cfg)
	day := filepath.Join(cfg.Directory, time.Now().UTC().Format(dayForm))
	for _, ext := range []string{"", "-2", "-3", "-4"} {
		taken := filepath.Join(day, testID+ext) + map[string]string{"": wavExt, "-2": jsonExt, "-3": wavExt + partExt, "-4": jsonExt + partExt}[ext]
		if err := errors.Join(os.MkdirAll(day, 0o750), os.WriteFile(taken, []byte("mine"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	r := b.expect(testCall(testID))
	s := b.connect(r)
	await(t, r, "begun", func(st State) bool { return st.Live })
	s.audio(speech(1, 160))
	s.hangUp()
	awaitGone(t, r, 1)
	for part := filepath.Join(day, testID+"-5.wav.part"); !sinktest.Exists(part); {
		elapse(time.Millisecond) // the file is made beside the stream
	}
	// Someone takes the name while the recording runs.
	if err := os.WriteFile(filepath.Join(day, testID+"-5.wav"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	record := b.finish(r)
	if !strings.HasSuffix(record.WAV, testID+"-6.wav") {
		t.Errorf("wav %q", record.WAV)
	}
	b.saved(record)
	files, err := os.ReadDir(day)
	if err != nil {
		t.Fatal(err)
	}
	mine := 0
	for _, f := range files {
		if raw, err := os.ReadFile(filepath.Join(day, f.Name())); err == nil && string(raw) == "mine" {
			mine++
		}
	}
	if mine != 5 || len(files) != 7 {
		t.Errorf("%d of 5 files are as they were, of %v", mine, files)
	}
}

func TestSaveRecordWithoutRecording(t *testing.T) {
	b := serve(t, testConfig(t))
	call := testCall(testID)
	call.Result, call.Alarms = "refused", []string{AlarmNoSocket}
	for _, want := range []string{testID, testID + "-2"} {
		record, err := b.sink.SaveRecord(call)
		if err != nil || record.Result != "refused" {
			t.Fatalf("%+v, %v", record, err)
		}
		readRecord(t, b.path(call.Started.UTC().Format(dayForm)+"/"+want+jsonExt))
	}
	if got := b.metric("tapdeck_sink_alarms_total", AlarmNoSocket); got != 2 {
		t.Errorf("alarms %v", got)
	}
}

func TestModes(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	cfg := testConfig(t)
	cfg.Directory = filepath.Join(cfg.Directory, "a", "b")
	b := serve(t, cfg)
	r := b.expect(testCall(testID))
	b.connect(r).hangUp()
	path := b.path(b.finish(r).WAV)
	for path, want := range map[string]fs.FileMode{
		path: 0o640, strings.TrimSuffix(path, wavExt) + jsonExt: 0o640, filepath.Dir(path): 0o750, cfg.Directory: 0o750,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}
