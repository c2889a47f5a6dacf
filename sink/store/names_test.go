package sink

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tapdeck/wav"
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
	if part := filepath.Join(day, testID+"-5.wav.part"); !(osDisk{}).Exists(part) {
		t.Errorf("%s is not there", part)
	}
	awaitGone(t, r, 1)
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
	for _, want := range []string{testID, testID + "-2"} {
		record, err := b.sink.SaveRecord(call, Outcome{Result: "refused", Alarms: []string{AlarmNoSocket}})
		if err != nil || record.Result != "refused" {
			t.Fatalf("%+v, %v", record, err)
		}
		readRecord(t, filepath.Join(b.sink.store.dir, call.Started.UTC().Format(dayForm), want+jsonExt))
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

func TestLockedFilesAreLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	f, err := osDisk{}.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = osDisk{}.Open(path)
	wantError(t, err, errLocked)
	f.Close()
	if f, err = (osDisk{}).Open(path); err != nil {
		t.Fatal(err)
	}
	f.Close()
}

func TestRenameOverwritesNothing(t *testing.T) {
	for name, rename := range map[string]func(a, b string) error{
		"the system's": osDisk{}.Rename, "link and remove": linkAndRemove,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
			if err := errors.Join(os.WriteFile(a, []byte("a"), 0o600), os.WriteFile(b, []byte("b"), 0o600)); err != nil {
				t.Fatal(err)
			}
			wantError(t, rename(a, b), fs.ErrExist)
			if raw, _ := os.ReadFile(b); string(raw) != "b" {
				t.Errorf("b holds %q", raw)
			}
			if err := rename(a, b+"2"); err != nil {
				t.Error(err)
			}
			if (osDisk{}).Exists(a) || !(osDisk{}).Exists(b+"2") {
				t.Error("it has not moved")
			}
		})
	}
}

var _ wav.File = file(nil)

// countingDisk counts what is made to last.
type countingDisk struct {
	osDisk
	synced map[string]int
}

func (d *countingDisk) SyncDir(dir string) error {
	d.synced[dir]++
	return d.osDisk.SyncDir(dir)
}

// Every published name is made to last, and the name of its day's folder once, or
// again where the folder had to be made again.
func TestNamesLast(t *testing.T) {
	dir := t.TempDir()
	d := &countingDisk{synced: map[string]int{}}
	s := &store{disk: d, dir: dir}
	record := newRecord(testCall(testID))
	day := filepath.Join(dir, record.Started.Format(dayForm))
	save := func(names, days int) {
		t.Helper()
		record.Call = newID()
		if err := s.saveRecord(&record, ""); err != nil {
			t.Fatal(err)
		}
		if d.synced[day] != names || d.synced[dir] != days {
			t.Errorf("synced %v, want %d names and the day %d times", d.synced, names, days)
		}
	}
	save(1, 1)
	save(2, 1)
	if err := os.RemoveAll(day); err != nil {
		t.Fatal(err)
	}
	save(3, 2)
	save(4, 2)
}

func TestRoundedZeroHasNoSign(t *testing.T) {
	if got := round2(-0.004); math.Signbit(got) || got != 0 {
		t.Errorf("%v", got)
	}
}
