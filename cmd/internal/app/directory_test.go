package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tapdeck/cmd/internal/config"
	"tapdeck/sink/store"
)

// poorDisk is a disk without locks, renames, or files.
type poorDisk struct {
	store.OSDisk
	locks, renames, files bool
}

func (d poorDisk) Create(path string) (store.File, error) {
	if !d.files {
		return nil, os.ErrPermission
	}
	return d.OSDisk.Create(path)
}

func (d poorDisk) Open(path string) (store.File, error) {
	if !d.locks {
		return os.OpenFile(path, os.O_RDWR, 0)
	}
	return d.OSDisk.Open(path)
}

func (d poorDisk) Rename(from, to string) error {
	if !d.renames {
		return os.ErrPermission
	}
	return d.OSDisk.Rename(from, to)
}

// Where nothing can be written for FreeSWITCH, no bot could speak: that is said at the start.
func TestCheckPlayer(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(CheckPlayer(config.Player{}), CheckPlayer(config.Player{Directory: dir})); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	for _, gone := range []string{filepath.Join(dir, "gone"), "/proc"} {
		if bad := new(ConfigError); !errors.As(CheckPlayer(config.Player{Directory: gone}), &bad) || !strings.Contains(bad.Error(), gone) {
			t.Errorf("%s: error %v", gone, bad)
		}
	}
}

// What a file system can't do is said at the start, with what to do; what no recording can do
// without is an error.
func TestCheckDirectory(t *testing.T) {
	for name, c := range map[string]struct {
		disk  poorDisk
		warns string
	}{
		"all is well":          {poorDisk{locks: true, renames: true, files: true}, ""},
		"no locks":             {poorDisk{renames: true, files: true}, "no file locks"},
		"no renames":           {poorDisk{locks: true, files: true}, "files can't be renamed"},
		"not to be written to": {poorDisk{locks: true, renames: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			core, logs := observer.New(zap.InfoLevel)
			dir := filepath.Join(t.TempDir(), "recordings")
			err := checkDirectory(store.New(dir, c.disk), dir, zap.New(core))
			if bad := new(ConfigError); errors.As(err, &bad) == c.disk.files || err != nil && !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v", err)
			}
			warnings := logs.FilterLevelExact(zap.WarnLevel).All()
			if (len(warnings) == 1) != (c.warns != "") {
				t.Fatalf("warnings %v", warnings)
			}
			for _, w := range warnings {
				if hint, _ := w.ContextMap()["hint"].(string); w.Message != c.warns || hint == "" {
					t.Errorf("%s, hint %q", w.Message, hint)
				}
			}
			if n := logs.FilterMessage("directory checked").Len(); (n == 1) != c.disk.files {
				t.Errorf("checked %d times", n)
			}
		})
	}
}
