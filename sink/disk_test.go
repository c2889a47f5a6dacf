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

	"go.uber.org/zap"
)

// badDisk is the machine's disk, of which single steps fail for paths that hold match.
type badDisk struct {
	osDisk
	match string
	step  string
	after int64 // bytes that may be written
	err   error
	seen  func(step, path string) // every step, if it is not nil

	written atomic.Int64
	mended  atomic.Bool
}

func (d *badDisk) fails(step, path string) error {
	if d.seen != nil {
		d.seen(step, path)
	}
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

func (d *badDisk) Open(path string) (file, error) {
	if err := d.fails("open", path); err != nil {
		return nil, err
	}
	f, err := d.osDisk.Open(path)
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
		n, _ := f.File.WriteAt(p[:len(p)/3], at) // a part gets through
		return n, err
	}
	return f.File.WriteAt(p, at)
}

func (f *badFile) Sync() error {
	if err := f.disk.fails("sync", f.path); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *badFile) Truncate(size int64) error {
	if err := f.disk.fails("truncate", f.path); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

type trouble struct {
	disk   *badDisk
	end    string // of the bad call's socket
	status int
	frames int    // of 20 ms, at least in the file
	file   string // its extension, if there is one
}

// Whatever fails, that stream ends with a named reason, its audio so far is in a
// playable file, and another call never notices.
func TestDiskTrouble(t *testing.T) {
	for name, c := range map[string]trouble{
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
			synctest.Test(t, func(t *testing.T) { runTrouble(t, name, c) })
		})
	}
}

// runTrouble runs a call on the bad disk, and one beside it.
func runTrouble(t *testing.T, name string, c trouble) {
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
	checkKept(t, b, sum, c, pcm)
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
}

func checkKept(t *testing.T, b *bench, sum Summary, c trouble, pcm []byte) {
	t.Helper()
	if !strings.HasSuffix(sum.WAV, c.file) || (c.file == "") != (sum.WAV == "") {
		t.Errorf("WAV %q, want %q", sum.WAV, c.file)
	}
	if c.file == "" {
		return
	}
	got, _ := readWAV(t, b.path(sum.WAV))
	if !bytes.HasPrefix(pcm, got) {
		t.Errorf("the file's %d bytes are not the beginning of what was sent", len(got))
	}
	if len(got) < 320*c.frames {
		t.Errorf("%d bytes were kept, %d should be", len(got), 320*c.frames)
	}
	if want := int64(len(got)) / 16; c.file == wavExt && sum.AudioMS != want {
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
