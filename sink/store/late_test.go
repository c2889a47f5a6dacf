package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
)

func TestRecoverEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	base := sinktest.Crashed(t, dir, sinktest.ID, sinktest.Speech(1, 8000))
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("going away"))
	if _, err := store.New(dir, store.OSDisk{}).Recover(ctx, zap.NewNop()); err == nil || !strings.Contains(err.Error(), "going away") {
		t.Errorf("error %v", err)
	}
	ctx, cancel = context.WithCancelCause(context.Background())
	midst := racedDisk{before: func(string) { cancel(errors.New("going away")) }, after: func(string) {}}
	rec, err := store.New(dir, midst).Recover(ctx, zap.NewNop())
	if err == nil || len(rec.Files) != 0 || !sinktest.Exists(base+".wav.part") {
		t.Errorf("%v, %v", rec, err)
	}
	if rec := recoverDir(t, dir); rec.Published() != 1 {
		t.Errorf("%v", rec)
	}
}

// A record that a crash left half written goes; one that is being written stays.
func TestRecoverRemovesUnfinishedRecords(t *testing.T) {
	dir := t.TempDir()
	half, busy := filepath.Join(dir, sinktest.ID+".json.new"), filepath.Join(dir, sinktest.NewID()+".json.new")
	if err := os.WriteFile(half, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := store.OSDisk{}.Create(busy)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rec := recoverDir(t, dir)
	if sinktest.Exists(half) || !sinktest.Exists(busy) || len(rec.Files) != 2 {
		t.Errorf("%v", rec)
	}
}

// racedDisk does something between the moments at which Recover opens a file and has it.
type racedDisk struct {
	store.OSDisk
	before, after func(path string)
}

func (d racedDisk) Open(path string) (store.File, error) {
	if !strings.Contains(path, sinktest.ID) {
		return d.OSDisk.Open(path)
	}
	d.before(path)
	f, err := d.OSDisk.Open(path)
	d.after(path)
	return f, err
}

// A call that is over just as Recover comes to its files has no second record.
func TestRecoverComesTooLate(t *testing.T) {
	nothing := func(string) {}
	for name, c := range map[string]struct {
		published bool
		race      func(base string) racedDisk
		want      []string
	}{
		"the WAV is published": {false, func(base string) racedDisk {
			return racedDisk{before: nothing, after: func(path string) {
				_ = os.Rename(path, base+".wav")
				_ = os.Rename(base+".json.part", base+".json")
			}}
		}, []string{".json", ".wav"}},
		"the record is published": {true, func(base string) racedDisk {
			return racedDisk{before: func(string) {
				_ = os.Rename(base+".json.part", base+".json")
			}, after: nothing}
		}, []string{".json", ".wav"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			base := sinktest.Crashed(t, dir, sinktest.ID, sinktest.Speech(1, 160))
			part := base + ".wav.part"
			if c.published {
				if err := os.Rename(part, base+".wav"); err != nil {
					t.Fatal(err)
				}
				part = base + ".json.part"
			}
			rec, err := store.New(dir, c.race(base)).Recover(context.Background(), zap.NewNop())
			if err != nil || len(rec.Files) == 0 || rec.Files[0].Part != part || rec.Files[0].Action != store.ActionLive {
				t.Errorf("%+v, %v", rec, err)
			}
			if diff := cmp.Diff(c.want, extensions(t, base)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}
