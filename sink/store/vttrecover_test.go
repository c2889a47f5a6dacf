package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sys/unix"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"
)

// errKilled is a process that ends in the midst of a step.
var errKilled = errors.New("killed")

// killedAt publishes a call, and panics before the n-th step on the disk. It returns the directory as it is
// then, and whether the call was published before. Once the call runs, before is called.
func killedAt(t *testing.T, n int, way func(*sinktest.BadDisk) store.Disk, before func(base string)) (dir string, done bool) {
	t.Helper()
	bad := &sinktest.BadDisk{Match: sinktest.ID}
	part, base, record := transcribed(t, way(bad))
	before(base)
	bad.Seen = func(string, string) {
		if n--; n < 0 {
			panic(errKilled)
		}
	}
	func() {
		defer func() {
			if panicked := recover(); panicked != nil && panicked != any(errKilled) {
				panic(panicked)
			}
		}()
		if err := finish(part, &record); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Error(err)
		}
		done = true
	}()
	dir = t.TempDir() // nobody has a lock there
	if err := os.CopyFS(dir, os.DirFS(filepath.Dir(filepath.Dir(base)))); err != nil {
		t.Fatal(err)
	}
	return dir, done
}

// Whenever a process dies, the recording is published with its record, which has words, and names a file of
// them that is there.
func TestKilledWhileWordsArePublished(t *testing.T) {
	for name, way := range map[string]func(*sinktest.BadDisk) store.Disk{
		"": func(d *sinktest.BadDisk) store.Disk { return d }, "without links": func(d *sinktest.BadDisk) store.Disk { return reserving{d} },
	} {
		t.Run("disk "+name, func(t *testing.T) {
			all := 0
			for n := 0; ; n++ {
				dir, done := killedAt(t, n, way, func(string) {})
				if done {
					break
				}
				checkKilled(t, dir, n)
				all++
			}
			if all != 13 {
				t.Errorf("killed at %d steps", all)
			}
		})
	}
}

// Whenever a process dies beside somebody else's file of the words' name, the recording has one record, and
// the file stays as it is.
func TestKilledBesideAnothersWords(t *testing.T) {
	for name, mine := range map[string]string{"": "mine", " of few bytes": "WEB", " of another kind": "WEBVTTx"} {
		t.Run("a file"+name, func(t *testing.T) {
			for n := 0; ; n++ {
				dir, done := killedAt(t, n, func(d *sinktest.BadDisk) store.Disk { return d }, func(base string) {
					if err := os.WriteFile(base+".vtt", []byte(mine), 0o600); err != nil {
						t.Fatal(err)
					}
				})
				if done {
					break
				}
				checkBesideAnothers(t, dir, mine, n)
			}
		})
	}
}

func checkBesideAnothers(t *testing.T, dir, mine string, n int) {
	t.Helper()
	recoverDir(t, dir)
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("step %d: %v, %v", n, files, err)
	}
	base := strings.TrimSuffix(files[0], ".json")
	if diff := cmp.Diff([]string{".json", ".vtt", ".wav"}, extensions(t, base)); diff != "" {
		t.Errorf("step %d: files (-want +got):\n%s", n, diff)
	}
	if record := sinktest.ReadRecord(t, files[0]); record.Transcript == nil || record.Transcript.VTT != "" || record.WAV != strings.TrimPrefix(base, dir+"/")+".wav" {
		t.Errorf("step %d: WAV %s, transcript %+v", n, record.WAV, record.Transcript)
	}
	if text, err := os.ReadFile(base + ".vtt"); err != nil || string(text) != mine {
		t.Errorf("step %d: %q, %v", n, text, err)
	}
}

func checkKilled(t *testing.T, dir string, n int) {
	t.Helper()
	recoverDir(t, dir)
	records, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if err != nil || len(records) != 1 {
		t.Fatalf("step %d: %v, %v", n, records, err)
	}
	base := strings.TrimSuffix(records[0], ".json")
	if diff := cmp.Diff([]string{".json", ".vtt", ".wav"}, extensions(t, base)); diff != "" {
		t.Errorf("step %d: files (-want +got):\n%s", n, diff)
	}
	record := sinktest.ReadRecord(t, records[0])
	text, err := os.ReadFile(filepath.Join(dir, record.Transcript.VTT))
	if err != nil {
		t.Fatalf("step %d: %v", n, err)
	}
	cues, err := parseVTT(text)
	if known := len(record.Transcript.Segments); err != nil || known < 15 || len(cues) < known || len(cues) != known && len(cues) != 100 {
		t.Errorf("step %d: %d cues of %d segments, %v", n, len(cues), known, err)
	}
	if again := recoverDir(t, dir); len(again.Files) != 0 {
		t.Errorf("step %d: a second recovery found %v", n, again)
	}
}

// reserving is a disk that gives names by reserving them.
type reserving struct{ *sinktest.BadDisk }

func (d reserving) Rename(from, to string) error {
	if d.Seen != nil {
		d.Seen("rename", from)
	}
	return fewWays{no: unix.EPERM}.Rename(from, to)
}

// What is left of words after a crash in the midst of a rename, or of somebody else, or of nobody.
func TestRecoverWords(t *testing.T) {
	whole := func(n int) string { return string(store.VTTText(shortWords(n).Segments)) }
	write := func(t *testing.T, path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	published := func(t *testing.T, base string) { rename(t, base+".wav.part", base+".wav") }
	for name, c := range map[string]struct {
		crash func(t *testing.T, base string)
		files []string
		cues  int
		known bool // to the record
	}{
		"published": {func(t *testing.T, base string) {
			published(t, base)
			write(t, base+".vtt", whole(90))
		}, []string{".json", ".vtt", ".wav"}, 90, true},
		"linked, not removed": {func(t *testing.T, base string) {
			published(t, base)
			write(t, base+".vtt.new", whole(90))
			if err := os.Link(base+".vtt.new", base+".vtt"); err != nil {
				t.Fatal(err)
			}
		}, []string{".json", ".vtt", ".wav"}, 90, true},
		"reserved": {func(t *testing.T, base string) {
			published(t, base)
			write(t, base+".vtt.new", whole(90))
			empty(t, base+".vtt")
		}, []string{".json", ".vtt", ".wav"}, 90, true},
		"reserved, and nothing else": {func(t *testing.T, base string) {
			published(t, base)
			empty(t, base+".vtt")
		}, []string{".json", ".vtt", ".wav"}, 3, true},
		"half written": {func(t *testing.T, base string) {
			published(t, base)
			write(t, base+".vtt.new", whole(90)[:1000])
		}, []string{".json", ".vtt", ".wav"}, 3, true},
		"half written, before the WAV": {func(t *testing.T, base string) {
			write(t, base+".vtt.new", "WEBVTT")
		}, []string{".json", ".vtt", ".wav"}, 3, true},
		"reserved, no sidecar": {func(t *testing.T, base string) {
			published(t, base)
			change(t, base+".json.part", func([]byte) []byte { return nil })
			write(t, base+".vtt.new", whole(90))
			empty(t, base+".vtt")
		}, []string{".json", ".vtt", ".wav"}, 90, false},
		"beside a part": {func(t *testing.T, base string) {
			write(t, base+".vtt", whole(90))
		}, []string{".json", ".vtt", ".wav"}, 90, true},
		"a record without them": {func(t *testing.T, base string) {
			published(t, base)
			rename(t, base+".json.part", base+".json")
			write(t, base+".vtt.new", whole(90)[:1000])
		}, []string{".json", ".wav"}, -1, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			base := sinktest.Crashed(t, dir, sinktest.ID, sinktest.Speech(1, 8000))
			record := sinktest.ReadRecord(t, base+".json.part")
			record.Transcript = shortWords(3)
			note(t, base, record)
			c.crash(t, base)
			rec := recoverDir(t, dir)
			if diff := cmp.Diff(c.files, extensions(t, base)); diff != "" || rec.Left() != 0 {
				t.Fatalf("%v: files (-want +got):\n%s", rec, diff)
			}
			if c.cues >= 0 {
				text, err := os.ReadFile(base + ".vtt")
				if got, errText := parseVTT(text); err != nil || errText != nil || len(got) != c.cues {
					t.Errorf("%d cues, want %d; %v, %v", len(got), c.cues, err, errText)
				}
			}
			if !c.known {
				return
			}
			if got := sinktest.ReadRecord(t, base+".json"); got.Transcript.VTT != strings.TrimSuffix(got.WAV, ".wav")+".vtt" || len(got.Transcript.Segments) != 3 {
				t.Errorf("%+v", got.Transcript)
			}
		})
	}
}

// Recover leaves words that are being written, and those of nobody that it knows.
func TestRecoverLeavesWords(t *testing.T) {
	dir := t.TempDir()
	busy, foreign := filepath.Join(dir, sinktest.NewID()+".vtt.new"), filepath.Join(dir, "film.vtt.new")
	f, err := store.OSDisk{}.Create(busy)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.WriteFile(foreign, []byte("WEBVTT"), 0o600); err != nil {
		t.Fatal(err)
	}
	rec := recoverDir(t, dir)
	if !sinktest.Exists(busy) || !sinktest.Exists(foreign) || len(rec.Files) != 2 || rec.Left() != 1 {
		t.Errorf("%v", rec)
	}
}

// Where locks don't work, words that may be another process's are left until they are old.
func TestRecoverWordsWithoutLocks(t *testing.T) {
	dir, disk := t.TempDir(), noLocks{}
	path := filepath.Join(dir, sinktest.ID+".vtt.new")
	f, err := disk.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	for _, c := range []struct {
		age  time.Duration
		want string
	}{{store.AliveFor / 2, store.ActionRecent}, {2 * store.AliveFor, store.ActionRemoved}} {
		if err := disk.age(path, c.age); err != nil {
			t.Fatal(err)
		}
		rec, err := store.New(dir, disk).Recover(context.Background(), zap.NewNop())
		if err != nil || len(rec.Files) != 1 || rec.Files[0].Action != c.want {
			t.Errorf("after %v: %v, %v", c.age, rec, err)
		}
	}
	part, base, record := transcribed(t, noLocks{})
	if err := finish(part, &record); err != nil {
		t.Fatal(err)
	}
	checkVTT(t, filepath.Dir(filepath.Dir(base)), sinktest.ReadRecord(t, base+".json"))
}

// A recording that Recover publishes without the file of its words is recovered, and the log says why.
func TestRecoverWithoutWords(t *testing.T) {
	dir := t.TempDir()
	base := crashedWithWords(t, dir, sinktest.ID, 3)
	core, logs := observer.New(zap.WarnLevel)
	disk := &sinktest.BadDisk{Match: ".vtt.new", Step: "rename", Err: errDisk}
	rec, err := store.New(dir, disk).Recover(context.Background(), zap.New(core))
	if err != nil || len(rec.Files) != 1 || rec.Published() != 1 || rec.Left() != 0 || rec.Files[0].Action != store.ActionPublished || !errors.Is(rec.Files[0].Err, store.ErrNoVTT) {
		t.Fatalf("%v, %v", rec, err)
	}
	if got := sinktest.ReadRecord(t, base+".json"); got.Transcript.VTT != "" || len(got.Transcript.Segments) != 3 {
		t.Errorf("%+v", got.Transcript)
	}
	if lines := logs.FilterMessage("recording recovered").All(); logs.Len() != 1 || len(lines) != 1 || !strings.Contains(fmt.Sprint(lines[0].ContextMap()["err"]), "the disk says no") || lines[0].ContextMap()["hint"] != store.HintNoVTT {
		t.Errorf("log %v", logs.All())
	}
}
