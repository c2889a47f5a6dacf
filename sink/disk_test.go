package sink

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"tapdeck/wav"
)

// badDisk is the machine's disk, of which single steps fail for paths that hold match.
type badDisk struct {
	osDisk
	match string
	step  string
	after int64 // bytes that may be written
	err   error

	written atomic.Int64
	mended  atomic.Bool
}

func (d *badDisk) fails(step, path string) error {
	if step == d.step && strings.Contains(path, d.match) && !d.mended.Load() {
		return &fs.PathError{Op: step, Path: path, Err: d.err}
	}
	return nil
}

func (d *badDisk) Create(path string) (file, error) {
	if err := d.fails("create", path); err != nil {
		return nil, err
	}
	f, err := d.osDisk.Create(path)
	if err != nil || !strings.Contains(path, d.match) {
		return f, err
	}
	return &badFile{f.(*os.File), d, path}, nil
}

func (d *badDisk) Rename(from, to string) error {
	if err := d.fails("rename", from); err != nil {
		return err
	}
	return d.osDisk.Rename(from, to)
}

func (d *badDisk) MkdirAll(dir string) error {
	if err := d.fails("mkdir", dir); err != nil {
		return err
	}
	return d.osDisk.MkdirAll(dir)
}

func (d *badDisk) SyncDir(dir string) error {
	if err := d.fails("syncdir", dir); err != nil {
		return err
	}
	return d.osDisk.SyncDir(dir)
}

type badFile struct {
	*os.File
	disk *badDisk
	path string
}

func (f *badFile) Write(p []byte) (int, error) {
	err := f.disk.fails("write", f.path)
	if err == nil || f.disk.written.Add(int64(len(p))) <= f.disk.after {
		return f.File.Write(p)
	}
	n, _ := f.File.Write(p[:len(p)/3]) // a part gets through, not even a whole sample
	return n, err
}

func (f *badFile) WriteAt(p []byte, at int64) (int, error) {
	if err := f.disk.fails("writeat", f.path); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, at)
}

func (f *badFile) Sync() error {
	if err := f.disk.fails("sync", f.path); err != nil {
		return err
	}
	return f.File.Sync()
}

// Whatever fails, that stream ends with a named reason, its audio so far is in a
// playable file, and another call never notices.
func TestDiskTrouble(t *testing.T) {
	for name, c := range map[string]struct {
		disk   *badDisk
		end    string // of the bad call's socket
		status int
		frames int // of 20 ms, at least in the file
		file   string
	}{
		"no space": {
			&badDisk{match: testID + ".wav", step: "write", after: 100_000, err: syscall.ENOSPC}, EndDisk, 1011, 200, wavExt,
		},
		"I/O error": {
			&badDisk{match: testID + ".wav", step: "write", after: 50_000, err: syscall.EIO}, EndDisk, 1011, 100, wavExt,
		},
		"sizes can't be written": {
			&badDisk{match: testID + ".wav", step: "writeat", err: syscall.EIO}, EndDisk, 1011, 0, wavExt + partExt,
		},
		"too many open files": {
			&badDisk{match: testID + ".wav", step: "create", err: syscall.EMFILE}, EndDisk, 1011, -1, "",
		},
		"read-only": {
			&badDisk{match: testID + ".wav", step: "create", err: syscall.EROFS}, EndDisk, 1011, -1, "",
		},
		"no place for a header": {
			&badDisk{match: testID + ".wav", step: "write", err: syscall.ENOSPC}, EndDisk, 1011, -1, "",
		},
		"sync fails": {
			&badDisk{match: testID + ".wav", step: "sync", err: syscall.EIO}, EndClosed, 1000, 500, wavExt,
		},
		"rename fails": {
			&badDisk{match: testID + ".wav", step: "rename", err: syscall.EROFS}, EndClosed, 1000, 500, wavExt + partExt,
		},
		"folder can't be synced": {
			&badDisk{step: "syncdir", err: syscall.EIO}, EndClosed, 1000, 500, wavExt,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := newPipeListener()
				b := serveOn(t, testConfig(t), ln, ln.dial, c.disk)
				good, bad := b.expect(testCall(newID())), b.expect(testCall(testID))
				g, s := b.connect(good), b.connect(bad)
				status := make(chan int)
				go func() { status <- s.awaitEnd() }()
				pcm := speech(1, 160*500)
				for i := 0; i < len(pcm); i += 320 {
					elapse(frame)
					g.audio(pcm[i : i+320])
					_, _ = s.c.Write(encodeFrame(fin|opBinary, pcm[i:i+320]))
				}
				g.hangUp()
				_, _ = s.c.Write(encodeFrame(fin|opClose, []byte{3, 0xe8}))
				if got := <-status; got != c.status {
					t.Errorf("close status %d, want %d", got, c.status)
				}
				st := awaitGone(t, bad, 1)
				if st.LastEnd != c.end || (c.end == EndDisk) != errors.Is(st.Err, c.disk.err) {
					t.Errorf("state %+v", st)
				}
				sum, err := bad.Finish(context.Background())
				if !errors.Is(err, c.disk.err) && !strings.HasPrefix(name, "no space") && !strings.HasPrefix(name, "I/O") {
					t.Errorf("Finish: %v", err)
				}
				if c.file == "" {
					if sum.WAV != "" {
						t.Errorf("WAV %q", sum.WAV)
					}
				} else {
					checkKept(t, b, sum, c.file, pcm, c.frames)
				}
				record, err := bad.Save(Outcome{Result: "stream_failed"})
				if name != "folder can't be synced" && err != nil {
					t.Errorf("Save: %v", err)
				}
				if record.Err == "" {
					t.Error("the record tells nothing of the error")
				}
				if b.logs.FilterLevelExact(zap.ErrorLevel).FilterField(zap.String("call", testID)).Len() == 0 {
					t.Error("nothing is logged")
				}
				c.disk.mended.Store(true)
				got, _ := readWAV(t, b.path(b.finish(good).WAV))
				if !bytes.Equal(got, pcm) {
					t.Error("the other call has lost audio")
				}
			})
		})
	}
}

func checkKept(t *testing.T, b *bench, sum Summary, ext string, pcm []byte, frames int) {
	t.Helper()
	if !strings.HasSuffix(sum.WAV, ext) {
		t.Errorf("WAV %q, want %s", sum.WAV, ext)
	}
	got, _ := readWAV(t, b.path(sum.WAV))
	if !bytes.HasPrefix(pcm, got) {
		t.Errorf("the file's %d bytes are not the beginning of what was sent", len(got))
	}
	if len(got) < 320*frames {
		t.Errorf("%d bytes were kept, %d should be", len(got), 320*frames)
	}
	if want := int64(len(got)) / 16; ext == wavExt && sum.AudioMS != want {
		t.Errorf("audio_ms %d, want %d", sum.AudioMS, want)
	}
}

// Somebody removes the folder, and maybe all above it, while a recording runs.
func TestFolderGone(t *testing.T) {
	for name, up := range map[string]int{"the day's": 1, "the directory": 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig(t)
				cfg.Directory = filepath.Join(cfg.Directory, "recordings")
				b := serve(t, cfg)
				r := b.expect(testCall(testID))
				s := b.connect(r)
				pcm := speech(1, 8000*2)
				s.play(pcm)
				gone := b.path(callName(testID, r.call.Started))
				for range up {
					gone = filepath.Dir(gone)
				}
				if err := os.RemoveAll(gone); err != nil {
					t.Fatal(err)
				}
				s.play(pcm)
				s.hangUp()
				record := b.finish(r)
				if got, _ := readWAV(t, b.path(record.WAV)); !bytes.Equal(got, append(pcm, pcm...)) {
					t.Errorf("%d bytes were kept", len(got))
				}
				b.saved(record)
				if rec := recoverDir(t, cfg.Directory); len(rec.Files) != 0 {
					t.Errorf("left behind: %+v", rec)
				}
			})
		})
	}
}

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

// A real file system that is full: a tmpfs of 256 KiB.
func TestRealFullDisk(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=256k", "tapdeck", dir).CombinedOutput(); err != nil {
		t.Skipf("no tmpfs can be mounted here (%v: %s); as root with CAP_SYS_ADMIN this test runs, "+
			"the others use a disk that fails by order", err, bytes.TrimSpace(out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	cfg := testConfig(t)
	cfg.Directory = dir
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, cfg)
		defer b.stop()
		r := b.expect(testCall(testID))
		s := b.connect(r)
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for i := range 1000 {
				if _, err := s.c.Write(encodeFrame(fin|opBinary, speech(uint64(i), 160))); err != nil {
					return
				}
				elapse(frame)
			}
		}()
		if status := s.awaitEnd(); status != 1011 {
			t.Errorf("close status %d", status)
		}
		<-sent
		st := awaitGone(t, r, 1)
		if !errors.Is(st.Err, syscall.ENOSPC) {
			t.Errorf("err %v", st.Err)
		}
		sum, _ := r.Finish(context.Background())
		pcm, _ := readWAV(t, b.path(sum.WAV))
		if len(pcm) < 200_000 || int64(len(pcm))/16 != sum.AudioMS {
			t.Errorf("%d bytes were kept, audio_ms is %d", len(pcm), sum.AudioMS)
		}
		if _, err := r.Save(Outcome{Result: "stream_failed"}); !errors.Is(err, syscall.ENOSPC) {
			t.Logf("Save on the full disk: %v", err)
		}
	})
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
