package sink

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"

	"go.uber.org/zap"
)

// A call whose stream never came has no recording: none is reported, none is counted.
func TestNothingRecordedIsNotReported(t *testing.T) {
	b := serve(t, testConfig(t))
	r := b.expect(testCall(testID))
	record := b.finish(r)
	if record.WAV != "" {
		t.Errorf("WAV %q", record.WAV)
	}
	for _, line := range []string{"recording saved", "recording not saved"} {
		if n := b.logs.FilterMessage(line).Len(); n != 0 {
			t.Errorf("%d lines say %q", n, line)
		}
	}
	for _, result := range []string{resultPublished, resultFailed} {
		if n := b.metric("tapdeck_sink_recordings_total", result); n != 0 {
			t.Errorf("%v recordings are counted as %s", n, result)
		}
	}
}

// goneDisk makes no recording once its folder is gone.
type goneDisk struct {
	store.OSDisk
	gone atomic.Bool
}

func (d *goneDisk) Create(path string) (store.File, error) {
	if d.gone.Load() && strings.Contains(path, wavExt) {
		return nil, &os.PathError{Op: "create", Path: path, Err: syscall.EROFS}
	}
	return d.OSDisk.Create(path)
}

// Whoever reads that a recording was not saved finds no path of a file that is not there.
func TestNotSavedNamesOnlyAFileThatIsThere(t *testing.T) {
	for name, c := range map[string]struct {
		disk     func() store.Disk
		goneAway bool
		file     bool
	}{
		"never made": {func() store.Disk {
			return &sinktest.BadDisk{Match: testID + wavExt, Step: "create", Err: syscall.EACCES}
		}, false, false},
		"its folder taken away": {func() store.Disk { return &goneDisk{} }, true, false},
		"not renamed": {func() store.Disk {
			return &sinktest.BadDisk{Match: testID + wavExt, Step: "rename", Err: syscall.EROFS}
		}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln, disk := newPipeListener(), c.disk()
				b := serveOn(t, testConfig(t), ln, ln.dial, disk)
				r := b.expect(testCall(testID))
				s := b.connect(r)
				if c.goneAway {
					s.play(speech(1, 160*10))
					disk.(*goneDisk).gone.Store(true)
					if err := os.RemoveAll(filepath.Dir(b.path(callName(testID, r.call.Started)))); err != nil {
						t.Fatal(err)
					}
				}
				s.sendClose()
				s.awaitEnd()
				if err := r.Finish(context.Background()); err == nil {
					t.Error("Finish says that all is well")
				}
				record, _ := r.Save(endedCall(r, "stream_failed"))
				checkNotSaved(t, b, record, c.file)
			})
		})
	}
}

func checkNotSaved(t *testing.T, b *testbed, record store.Record, file bool) {
	t.Helper()
	lines := b.logs.FilterMessage("recording not saved").FilterLevelExact(zap.ErrorLevel).All()
	if len(lines) != 1 {
		t.Fatalf("%d lines", len(lines))
	}
	fields := lines[0].ContextMap()
	path, named := fields["file"].(string)
	hint, _ := fields["hint"].(string)
	if named != file || file && !sinktest.Exists(path) || hint == "" || strings.Contains(hint, ".part file") != file {
		t.Errorf("file %q, hint %q, want a file: %v", path, hint, file)
	}
	if played := record.Bytes / 16; played > 0 && (record.AudioMS > 0) != file || !file && record.MissingMS != played {
		t.Errorf("%d ms came, audio_ms %d, missing_ms %d, want a file: %v", played, record.AudioMS, record.MissingMS, file)
	}
	if (record.WAV != "") != file || file && !sinktest.Exists(b.path(record.WAV)) {
		t.Errorf("WAV %q, want one: %v", record.WAV, file)
	}
}
