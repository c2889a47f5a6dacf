package sink

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/sink/store"
)

// volatileDisk keeps, in another directory, what a power loss would leave of each file: what was
// synced, under a name that was synced.
type volatileDisk struct {
	store.OSDisk
	dir, durable string

	mu   sync.Mutex // protects the following
	text map[string][]byte
}

func (d *volatileDisk) Create(path string) (store.File, error) {
	f, err := d.OSDisk.Create(path)
	return &volatileFile{f, d, path}, err
}

func (d *volatileDisk) SyncDir(dir string) error {
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		path := filepath.Join(dir, name.Name())
		if err := d.keep(path); err != nil {
			return err
		}
	}
	return d.OSDisk.SyncDir(dir)
}

func (d *volatileDisk) keep(path string) error {
	d.mu.Lock()
	text, synced := d.text[path]
	d.mu.Unlock()
	if !synced {
		return nil
	}
	to := filepath.Join(d.durable, strings.TrimPrefix(path, d.dir))
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

type volatileFile struct {
	store.File
	disk *volatileDisk
	path string
}

func (f *volatileFile) Sync() error {
	text, err := os.ReadFile(f.path)
	if err != nil {
		return err
	}
	f.disk.mu.Lock()
	f.disk.text[f.path] = text
	f.disk.mu.Unlock()
	if _, err := os.Stat(filepath.Join(f.disk.durable, strings.TrimPrefix(f.path, f.disk.dir))); err == nil || strings.HasSuffix(f.path, wavExt+partExt) {
		return f.disk.keep(f.path) // its name is there; as on most file systems, a file's first sync brings its name as well
	}
	return nil
}

// With a sync_interval a power loss costs a running recording no more than that, and the call's
// details are there.
func TestPowerLoss(t *testing.T) {
	for _, every := range []time.Duration{0, 5 * time.Second} {
		t.Run(every.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig(t)
				cfg.SyncInterval = every
				d := &volatileDisk{dir: cfg.Directory, durable: t.TempDir(), text: map[string][]byte{}}
				ln := newPipeListener()
				b := serveOn(t, cfg, ln, ln.dial, d)
				r := b.expect(testCall(testID))
				s := b.connect(r)
				pcm := speech(1, 8000*33)
				s.play(pcm)
				if every == 0 {
					if rec := recoverDir(t, d.durable); len(rec.Files) != 0 {
						t.Errorf("synced without being asked: %v", rec)
					}
				} else {
					checkPowerLoss(t, d.durable, pcm, 16*(33000-5200))
				}
				s.hangUp()
				b.finish(r)
			})
		})
	}
}

func checkPowerLoss(t *testing.T, dir string, pcm []byte, least int) {
	t.Helper()
	rec := recoverDir(t, dir)
	if rec.Published() != 1 {
		t.Fatalf("recovered %v", rec)
	}
	if got, _ := readWAV(t, rec.Files[0].WAV); !bytes.HasPrefix(pcm, got) || len(got) < least {
		t.Errorf("%d bytes of %d are left, want %d", len(got), len(pcm), least)
	}
	if record := readRecord(t, rec.Files[0].Record); record.Caller != "1001" {
		t.Errorf("record %+v", record)
	}
}

// Between two sockets everything is on the disk.
func TestSyncedBetweenSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t)
		cfg.SyncInterval = time.Hour
		d := &volatileDisk{dir: cfg.Directory, durable: t.TempDir(), text: map[string][]byte{}}
		ln := newPipeListener()
		b := serveOn(t, cfg, ln, ln.dial, d)
		r := b.expect(testCall(testID))
		s := b.connect(r)
		pcm := speech(1, 8000)
		s.play(pcm)
		s.hangUp()
		awaitGone(t, r, 1)
		synctest.Wait() // what was left has been written
		checkPowerLoss(t, d.durable, pcm, len(pcm))
		b.finish(r)
	})
}
