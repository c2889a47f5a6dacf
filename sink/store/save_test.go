package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"
)

const page = 4 << 10

var errDisk = errors.New("the disk says no")

// running makes the files of a running call on a disk: it returns its part, its path without
// extension, and the record that is to come.
func running(t *testing.T, disk store.Disk) (part *store.Part, base string, record store.Record) {
	t.Helper()
	dir := t.TempDir()
	record = store.Record{Call: sinktest.ID, Caller: "1001", Started: time.Now(), SampleRate: 8000, Channels: 1}
	part, err := store.New(dir, disk).Create(record.Call, record.Started)
	if err == nil {
		err = part.SaveSidecar(&record, false)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { part.Close() })
	record.Result, record.HangupCause = "completed", "NORMAL_CLEARING"
	return part, strings.TrimSuffix(filepath.Join(dir, filepath.FromSlash(part.WAV())), ".wav.part"), record
}

// A record is its sidecar's file; if that fails in any step, or if it is longer than a page,
// it gets a file of its own.
func TestRecordOverwritesTheSidecar(t *testing.T) {
	for _, step := range []string{"none", "open", "writeat", "sync", "too long"} {
		t.Run(step, func(t *testing.T) {
			part, base, record := running(t, &sinktest.BadDisk{Match: ".json.part", Step: step, Err: errDisk})
			if step == "too long" {
				record.Metadata = []string{strings.Repeat("x", page)}
			}
			sidecar, err := os.Stat(base + ".json.part")
			if err != nil {
				t.Fatal(err)
			}
			if err := part.Save(&record); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{".json", ".wav.part"}, extensions(t, base)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if got := sinktest.ReadRecord(t, base+".json"); got.Result != "completed" || len(got.Metadata) != len(record.Metadata) {
				t.Errorf("record %+v", got)
			}
			published, err := os.Stat(base + ".json")
			if err != nil || os.SameFile(sidecar, published) != (step == "none") {
				t.Errorf("the same file: %v, %v", step != "none", err)
			}
		})
	}
}

// A record that is shorter than its sidecar is followed by blanks, which JSON may be.
func TestShortRecordOverALongSidecar(t *testing.T) {
	part, base, record := running(t, store.OSDisk{})
	change(t, base+".json.part", func(b []byte) []byte { return append(b, bytes.Repeat([]byte("x"), 2000)...) })
	if err := part.Save(&record); err != nil {
		t.Fatal(err)
	}
	if got := sinktest.ReadRecord(t, base+".json"); got.Result != "completed" {
		t.Errorf("record %+v", got)
	}
}

// Each step is on the disk before the next one replaces what it stands for: one write, one
// sync, one rename, and the folders.
func TestRecordIsSyncedInOrder(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"a page": {"", []string{"open", "writeat", "sync", "rename", "syncdir", "syncdir"}},
		"longer": {strings.Repeat("x", page), []string{"create", "write", "sync", "rename", "syncdir", "syncdir"}},
	} {
		t.Run(name, func(t *testing.T) {
			var steps []string
			disk := &sinktest.BadDisk{Match: ".json"}
			part, _, record := running(t, disk)
			record.Metadata = []string{c.text}
			disk.Seen = func(step, _ string) { steps = append(steps, step) }
			if err := part.Save(&record); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, steps); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

// A record that can't be renamed is known to Recover, as the sidecar, and so is the old text
// if nothing of a record can be written.
func TestRecordOfAnUnwillingDisk(t *testing.T) {
	for step, want := range map[string]string{"rename": "completed", "writeat": "aborted"} {
		for _, text := range []string{"", strings.Repeat("x", page)} {
			t.Run(fmt.Sprintf("%s, %d bytes", step, len(text)), func(t *testing.T) {
				disk := noNew{&sinktest.BadDisk{Match: ".json", Step: step, Err: errDisk}}
				part, base, record := running(t, disk)
				record.Metadata = []string{text}
				writes := 0
				disk.Seen = func(step, _ string) {
					if disk.Step == step && step == "writeat" { // of a record; the old text is put back by the next one
						writes++
						disk.Mended.Store(writes%2 == 0)
					}
				}
				if err := part.Save(&record); !errors.Is(err, errDisk) {
					t.Errorf("error %v", err)
				}
				if err := os.Remove(base + ".wav.part"); err != nil {
					t.Fatal(err)
				}
				recoverDir(t, filepath.Dir(filepath.Dir(base)))
				got := sinktest.ReadRecord(t, base+".json")
				if got.Result != want || got.Caller != "1001" || !got.Recovered {
					t.Errorf("record %+v", got)
				}
			})
		}
	}
}

// noNew is a disk that makes no file for a record, besides its other faults.
type noNew struct{ *sinktest.BadDisk }

func (d noNew) Create(path string) (store.File, error) {
	if strings.HasSuffix(path, ".json.new") {
		return nil, errDisk
	}
	return d.BadDisk.Create(path)
}

// After a crash while a record is written, Recover publishes what is whole: the record, the old
// text, or, if a disk has cut a page, what the WAV itself tells.
func TestRecoverSidecars(t *testing.T) {
	for name, c := range map[string]struct {
		written func(old, text []byte) []byte
		result  string
		caller  string
	}{
		"the old text":  {func(old, _ []byte) []byte { return old }, "aborted", "1001"},
		"the record":    {func(_, text []byte) []byte { return text }, "completed", "1001"},
		"half a record": {func(_, text []byte) []byte { return text[:len(bytes.TrimSpace(text))/2] }, "aborted", ""},
		"a cut page":    {func(old, text []byte) []byte { return append(text[:100:100], old[100:]...) }, "aborted", "1001"},
		"the old text, put back over a part of a longer record": {
			func(old, text []byte) []byte { return append(old, text[len(old):len(old)+50]...) }, "aborted", "1001",
		},
		"nothing": {func(_, _ []byte) []byte { return nil }, "aborted", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			base := sinktest.Crashed(t, dir, sinktest.ID, sinktest.Speech(1, 800))
			change(t, base+".json.part", func(old []byte) []byte {
				text := bytes.Replace(old, []byte(`"result":""`), []byte(`"result":"completed","err":"`+strings.Repeat("x", 100)+`"`), 1)
				return c.written(old, text)
			})
			recoverDir(t, dir)
			got := sinktest.ReadRecord(t, base+".json")
			if got.Call != sinktest.ID || got.Result != c.result || got.Result == "aborted" && (got.Err == "" || got.Hint == "") || got.Caller != c.caller || got.AudioMS != 100 || !got.Recovered {
				t.Errorf("record %+v", got)
			}
			if diff := cmp.Diff([]string{".json", ".wav"}, extensions(t, base)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// A record whose own name is taken goes to its day's folder, which need not be there.
func TestRecordInANewFolder(t *testing.T) {
	part, base, record := running(t, store.OSDisk{})
	if err := os.WriteFile(base+".json", []byte("taken"), 0o600); err != nil {
		t.Fatal(err)
	}
	record.Started = record.Started.Add(48 * time.Hour)
	if err := part.Save(&record); err != nil {
		t.Fatal(err)
	}
	sinktest.ReadRecord(t, filepath.Join(filepath.Dir(filepath.Dir(base)), record.Started.UTC().Format(time.DateOnly), sinktest.ID+".json"))
}

// countingDisk counts what is written to the disk of folders.
type countingDisk struct {
	store.OSDisk
	synced map[string]int
}

func (d *countingDisk) SyncDir(dir string) error {
	d.synced[dir]++
	return d.OSDisk.SyncDir(dir)
}

// Every published name is written to the disk, and the name of its day's folder once, or
// again if the folder had to be made again.
func TestNamesLast(t *testing.T) {
	dir := t.TempDir()
	d := &countingDisk{synced: map[string]int{}}
	s := store.New(dir, d)
	record := store.Record{Started: time.Now()}
	day := filepath.Join(dir, record.Started.UTC().Format(time.DateOnly))
	save := func(names, days int) {
		t.Helper()
		record.Call = sinktest.NewID()
		if err := s.Save(&record); err != nil {
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

// A record that is shorter than its sidecar leaves nothing of it behind.
func TestRecordShorterThanItsSidecar(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "2026-11-20", sinktest.ID+".json")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	long := `{"call": "` + sinktest.ID + `", "caller": "1001"}` + strings.Repeat(" ", 4000)
	if err := os.WriteFile(path+".part", []byte(long), 0o600); err != nil {
		t.Fatal(err)
	}
	recoverDir(t, dir)
	b, err := os.ReadFile(path)
	if err != nil || len(b) > 1500 || !bytes.HasSuffix(b, []byte("}\n")) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if r := sinktest.ReadRecord(t, path); r.Caller != "1001" || !r.Recovered {
		t.Errorf("record %+v", r)
	}
}

// Records of one call that are saved at once have a file each.
func TestRecordsOfOneCallAtOnce(t *testing.T) {
	const n = 50
	dir := t.TempDir()
	s := store.New(dir, nil)
	started := time.Now()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			r := store.Record{Call: sinktest.ID, Caller: fmt.Sprint(1000 + i), Started: started}
			if err := s.Save(&r); err != nil {
				t.Errorf("record %d: %v", i, err)
			}
		})
	}
	all.Wait()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	callers := map[string]bool{}
	for _, f := range files {
		callers[sinktest.ReadRecord(t, f).Caller] = true
	}
	if err != nil || len(files) != n || len(callers) != n {
		t.Errorf("%d files of %d callers, %v", len(files), len(callers), err)
	}
}
