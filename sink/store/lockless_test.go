package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sys/unix"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"

	"github.com/google/go-cmp/cmp"
)

// noLocks is the machine's disk without locks that work: flock is refused, or always succeeds.
// Its clock differs from the machine's.
type noLocks struct {
	store.OSDisk
	clock time.Duration
}

func (d noLocks) Create(path string) (store.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return f, d.age(path, 0)
}

func (noLocks) Open(path string) (store.File, error) { return os.OpenFile(path, os.O_RDWR, 0) }

// age makes a file one that was written so long ago by the disk's clock.
func (d noLocks) age(path string, by time.Duration) error {
	at := time.Now().Add(d.clock - by)
	return os.Chtimes(path, at, at)
}

// A single file that another process may have is left, and the error says for how long.
func TestMendWithoutLocks(t *testing.T) {
	dir, disk := t.TempDir(), noLocks{}
	path := sinktest.Crashed(t, dir, sinktest.ID, sinktest.Speech(1, 8000)) + ".wav.part"
	if _, err := store.New(dir, disk).Mend(path); err == nil || !strings.Contains(err.Error(), "try again in a minute") {
		t.Errorf("err %v", err)
	}
	if err := disk.age(path, 2*store.AliveFor); err != nil {
		t.Fatal(err)
	}
	if done, err := store.New(dir, disk).Mend(path); err != nil || done.Audio != time.Second {
		t.Errorf("%+v, err %v", done, err)
	}
}

// What this process has open is not recovered, and what another may have is not until nothing
// has touched it for a minute, by the disk's own clock.
func TestRecoverWithoutLocks(t *testing.T) {
	for name, clock := range map[string]time.Duration{"same clock": 0, "ahead": time.Hour, "behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			dir, disk := t.TempDir(), noLocks{clock: clock}
			base := sinktest.Crashed(t, dir, sinktest.ID, sinktest.Speech(1, 8000))
			recoverOn := func(s *store.Store, age time.Duration, want string) {
				t.Helper()
				if err := errors.Join(disk.age(base+".wav.part", age), disk.age(base+".json.part", age)); err != nil {
					t.Fatal(err)
				}
				core, logs := observer.New(zap.DebugLevel)
				rec, err := s.Recover(context.Background(), zap.New(core))
				if err != nil || len(rec.Files) == 0 || rec.Files[0].Action != want {
					t.Errorf("%v, %+v, want %s", err, rec.Files, want)
				}
				if n := logs.FilterField(zap.String("call", sinktest.ID)).Len(); n != len(rec.Files) {
					t.Errorf("%d of %d lines name the call", n, len(rec.Files))
				}
				if want != store.ActionPublished && (!sinktest.Exists(base+".wav.part") || !sinktest.Exists(base+".json.part")) {
					t.Error("it was touched")
				}
			}
			other := store.New(dir, disk)
			recoverOn(other, store.AliveFor/2, store.ActionRecent)
			recoverOn(other, store.AliveFor*2, store.ActionPublished)
		})
	}
}

// A store leaves its own files alone, however old they seem, until the record is saved.
func TestRecoverLeavesItsOwnFilesAlone(t *testing.T) {
	disk := noLocks{}
	part, base, record := running(t, disk)
	own := part.Store()
	old := func() {
		for _, ext := range []string{".wav", ".wav.part", ".json.part"} {
			_ = disk.age(base+ext, time.Hour)
		}
	}
	for _, published := range []bool{false, true} {
		if published {
			if _, err := part.Publish(); err != nil {
				t.Fatal(err)
			}
		}
		old()
		rec, err := own.Recover(context.Background(), zap.NewNop())
		if err != nil || len(rec.Files) == 0 {
			t.Fatalf("%v, %v", rec, err)
		}
		for _, f := range rec.Files {
			if f.Action != store.ActionLive {
				t.Errorf("published %v: %v", published, f)
			}
		}
	}
	record.WAV = filepath.Base(filepath.Dir(base)) + "/" + sinktest.ID + ".wav"
	if err := part.Save(&record); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{".json", ".wav"}, extensions(t, base)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// Touch is what keeps a running recording, of which nothing is written for a while, from the
// Recover of others.
func TestTouch(t *testing.T) {
	disk := noLocks{}
	part, base, _ := running(t, disk)
	own, other := part.Store(), store.New(filepath.Dir(filepath.Dir(base)), disk)
	if _, err := own.Recover(context.Background(), zap.NewNop()); err != nil { // finds that there are no locks
		t.Fatal(err)
	}
	if err := disk.age(base+".wav.part", time.Hour); err != nil {
		t.Fatal(err)
	}
	own.Touch()
	rec, err := other.Recover(context.Background(), zap.NewNop())
	if err != nil || rec.Recent() != 1 || !sinktest.Exists(base+".wav.part") {
		t.Errorf("%v, %v", rec, err)
	}
}

// fewWays is a disk that renames in fewer ways than others.
type fewWays struct {
	store.OSDisk
	no error
}

func (d fewWays) Rename(from, to string) error {
	no := func(string, string) error { return &os.LinkError{Op: "link", Old: from, New: to, Err: d.no} }
	return store.RenameNew(from, to, no, no)
}

// A file system with neither hard links nor renames that overwrite nothing has all recordings
// published, and none overwritten.
func TestPublishWithoutLinks(t *testing.T) {
	for _, no := range []error{unix.EINVAL, unix.ENOSYS, unix.EOPNOTSUPP, unix.EPERM, unix.ENOTSUP, unix.EIO, unix.EACCES} {
		t.Run(unix.ErrnoName(no.(unix.Errno)), func(t *testing.T) {
			part, base, record := running(t, fewWays{no: no})
			for _, ext := range []string{".wav", ".json"} {
				if err := os.WriteFile(base+ext, []byte("another's"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			name, err := part.Publish()
			if err != nil || !strings.HasSuffix(name, "-2.wav") {
				t.Fatalf("published as %q, %v", name, err)
			}
			record.WAV = name
			if err := part.Save(&record); err != nil {
				t.Fatal(err)
			}
			want := []string{"-2.json", "-2.wav", ".json", ".wav"}
			if diff := cmp.Diff(want, extensions(t, base)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			for _, ext := range []string{".wav", ".json"} {
				if text, err := os.ReadFile(base + ext); err != nil || string(text) != "another's" {
					t.Errorf("%s: %q, %v", ext, text, err)
				}
			}
			sinktest.ReadRecord(t, base+"-2.json")
		})
	}
}

// A name that can't be given leaves no reservation behind.
func TestRenameWithoutLinksFails(t *testing.T) {
	dir := t.TempDir()
	to := filepath.Join(dir, "to")
	if err := (fewWays{no: unix.EPERM}).Rename(filepath.Join(dir, "gone"), to); !errors.Is(err, fs.ErrNotExist) || sinktest.Exists(to) {
		t.Errorf("%v, reserved: %v", err, sinktest.Exists(to))
	}
}

// A crash between reservation and rename is mended by Recover, of the WAV, of its record, and of
// a record without a WAV.
func TestRecoverReservations(t *testing.T) {
	for name, c := range map[string]struct {
		crash func(t *testing.T, base string)
		want  []string
	}{
		"WAV": {func(t *testing.T, base string) { empty(t, base+".wav") }, []string{".json", ".wav"}},
		"record": {func(t *testing.T, base string) {
			rename(t, base+".wav.part", base+".wav")
			empty(t, base+".json")
		}, []string{".json", ".wav"}},
		"record without a WAV": {func(t *testing.T, base string) {
			removing(".wav.part")(t, base)
			empty(t, base+".json")
		}, []string{".json"}},
		"new record": {func(t *testing.T, base string) {
			removing(".wav.part")(t, base)
			rename(t, base+".json.part", base+".json.new")
			empty(t, base+".json")
		}, []string{".json"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			pcm := sinktest.Speech(1, 800)
			base := sinktest.Crashed(t, dir, sinktest.ID, pcm)
			c.crash(t, base)
			recoverDir(t, dir)
			if diff := cmp.Diff(c.want, extensions(t, base)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if record := sinktest.ReadRecord(t, base+".json"); record.Caller != "1001" {
				t.Errorf("record %+v", record)
			}
			if len(c.want) == 2 {
				if got, _ := sinktest.ReadWAV(t, base+".wav"); !cmp.Equal(got, pcm) {
					t.Errorf("%d bytes", len(got))
				}
			}
		})
	}
}

func empty(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// Probe finds what a file system lacks, and leaves nothing behind.
func TestProbe(t *testing.T) {
	for name, c := range map[string]struct {
		disk   store.Disk
		locks  bool
		rename bool
		fails  bool
	}{
		"the machine's":     {store.OSDisk{}, true, true, false},
		"no locks":          {noLocks{}, false, true, false},
		"no links":          {fewWays{no: unix.EPERM}, true, true, false},
		"no rename":         {&sinktest.BadDisk{Step: "rename", Err: unix.EACCES}, true, false, false},
		"overwriting":       {overwriting{}, true, false, false},
		"no files":          {&sinktest.BadDisk{Step: "create", Err: unix.EROFS}, false, false, true},
		"only at the end":   {&sinktest.BadDisk{Step: "writeat", Err: unix.EINVAL}, false, false, true},
		"nothing to sync":   {&sinktest.BadDisk{Step: "sync", Err: unix.EIO}, false, false, true},
		"nothing to append": {&sinktest.BadDisk{Step: "write", Err: unix.ENOSPC}, false, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "recordings")
			got, err := store.New(dir, c.disk).Probe()
			if (err != nil) != c.fails || err == nil && (got.Locked != c.locks || (got.Rename == nil) != c.rename) {
				t.Errorf("%+v, %v", got, err)
			}
			if left, _ := os.ReadDir(dir); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// overwriting is a disk whose rename replaces what is there.
type overwriting struct{ store.OSDisk }

func (overwriting) Rename(from, to string) error { return os.Rename(from, to) }
