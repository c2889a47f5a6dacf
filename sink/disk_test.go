package sink

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"

	"go.uber.org/zap"
)

type diskFailure struct {
	disk   *sinktest.BadDisk
	end    End // of the bad call's socket
	status int
	frames int    // of 20 ms, at least in the file
	file   string // its extension, if there is one
}

// Whatever fails, that stream ends with a named reason, its audio so far is in a
// playable file, and another call never notices.
func TestDiskTrouble(t *testing.T) {
	for name, c := range map[string]diskFailure{
		"no space": {
			&sinktest.BadDisk{Match: testID + ".wav", Step: "write", After: 100_000, Err: syscall.ENOSPC}, EndDisk, 1011, 200, wavExt,
		},
		"I/O error": {
			&sinktest.BadDisk{Match: testID + ".wav", Step: "write", After: 50_000, Err: syscall.EIO}, EndDisk, 1011, 100, wavExt,
		},
		"sizes can't be written": {
			&sinktest.BadDisk{Match: testID + ".wav", Step: "writeat", Err: syscall.EIO}, EndDisk, 1011, 0, wavExt + partExt,
		},
		"too many open files": {
			&sinktest.BadDisk{Match: testID + ".wav", Step: "create", Err: syscall.EMFILE}, EndDisk, 1011, -1, "",
		},
		"read-only": {
			&sinktest.BadDisk{Match: testID + ".wav", Step: "create", Err: syscall.EROFS}, EndDisk, 1011, -1, "",
		},
		"no place for a header": {
			&sinktest.BadDisk{Match: testID + ".wav", Step: "write", Err: syscall.ENOSPC}, EndDisk, 1011, -1, "",
		},
		"sync fails": {
			&sinktest.BadDisk{Match: testID + ".wav", Step: "sync", Err: syscall.EIO}, EndClosed, 1000, 500, wavExt,
		},
		"rename fails": {
			&sinktest.BadDisk{Match: testID + ".wav", Step: "rename", Err: syscall.EROFS}, EndClosed, 1000, 500, wavExt + partExt,
		},
		"folder can't be synced": {
			&sinktest.BadDisk{Step: "syncdir", Err: syscall.EIO}, EndClosed, 1000, 500, wavExt,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runTrouble(t, name, c) })
		})
	}
}

// runTrouble runs a call on the bad disk, and one beside it.
func runTrouble(t *testing.T, name string, c diskFailure) {
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
	if st.LastEnd != c.end || (c.end == EndDisk) != errors.Is(st.Err, c.disk.Err) {
		t.Errorf("state %+v", st)
	}
	elapse(3 * time.Second) // the call goes on
	err := bad.Finish(context.Background())
	if !errors.Is(err, c.disk.Err) && !strings.HasPrefix(name, "no space") && !strings.HasPrefix(name, "I/O") {
		t.Errorf("Finish: %v", err)
	}
	record, err := bad.Save(endedCall(bad, "stream_failed"))
	if name != "folder can't be synced" && err != nil {
		t.Errorf("Save: %v", err)
	}
	checkKept(t, b, record, c, pcm)
	if want := map[string]string{wavExt: hintDisk, wavExt + partExt: hintWritten, "": hintNothingWritten}[c.file]; record.Err == "" || record.Hint != want {
		t.Errorf("the record has err %q and hint %q, want %q", record.Err, record.Hint, want)
	}
	if b.logs.FilterLevelExact(zap.ErrorLevel).FilterField(zap.String("call", testID)).Len() == 0 {
		t.Error("nothing is logged")
	}
	c.disk.Mended.Store(true)
	got, _ := readWAV(t, b.path(b.finish(good).WAV))
	if !bytes.Equal(got, pcm) {
		t.Error("the other call has lost audio")
	}
}

func checkKept(t *testing.T, b *testbed, record store.Record, c diskFailure, pcm []byte) {
	t.Helper()
	if !strings.HasSuffix(record.WAV, c.file) || (c.file == "") != (record.WAV == "") {
		t.Errorf("WAV %q, want %q", record.WAV, c.file)
	}
	if c.file == "" {
		if d := record.MissingMS - 13_000; record.AudioMS != 0 || max(d, -d) > 100 || len(record.Gaps) != 0 {
			t.Errorf("audio %d ms, missing %d ms of 13,000, gaps %v", record.AudioMS, record.MissingMS, record.Gaps)
		}
		return
	}
	got, _ := readWAV(t, b.path(record.WAV))
	if !bytes.HasPrefix(pcm, got) {
		t.Errorf("the file's %d bytes are not the beginning of what was sent", len(got))
	}
	if len(got) < 320*c.frames {
		t.Errorf("%d bytes were kept, %d should be", len(got), 320*c.frames)
	}
	if want := int64(len(got)) / 16; c.file == wavExt && record.AudioMS != want {
		t.Errorf("audio_ms %d, want %d", record.AudioMS, want)
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
		_ = r.Finish(context.Background())
		record, err := r.Save(endedCall(r, "stream_failed"))
		pcm, _ := readWAV(t, b.path(record.WAV))
		if len(pcm) < 200_000 || int64(len(pcm))/16 != record.AudioMS {
			t.Errorf("%d bytes were kept, audio_ms is %d", len(pcm), record.AudioMS)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Logf("Save on the full disk: %v", err)
		}
	})
}

// A WAV is on the disk before it has its lasting name.
func TestPublishedWAVIsSynced(t *testing.T) {
	var mu sync.Mutex
	var steps []string
	disk := &sinktest.BadDisk{Match: testID + wavExt, Seen: func(step, path string) {
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(path, wavExt) {
			steps = append(steps, step)
		}
	}}
	ln := newPipeListener()
	b := serveOn(t, testConfig(t), ln, ln.dial, disk)
	r := b.expect(testCall(testID))
	s := b.connect(r)
	s.audio(speech(1, 160))
	s.hangUp()
	b.finish(r)
	mu.Lock()
	defer mu.Unlock()
	if n := len(steps); n < 2 || steps[n-2] != "sync" || steps[n-1] != "rename" {
		t.Errorf("steps %v", steps)
	}
}
