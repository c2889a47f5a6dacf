package switchsim

import (
	"os"
	"path/filepath"
	"sync"
)

// tempDir is the switch's folder for temporary files.
type tempDir struct {
	configured string // "": a new one

	mu   sync.Mutex
	dir  string // "": there is none now
	made bool   // by us
}

// path returns the path of a file in the folder, which it makes if needed.
func (t *tempDir) path(name string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dir == "" {
		if err := t.create(); err != nil {
			return "", err
		}
	}
	return filepath.Join(t.dir, name), nil
}

func (t *tempDir) create() (err error) {
	if t.configured == "" {
		t.dir, err = os.MkdirTemp("", "switchsim-")
		t.made = err == nil
		return err
	}
	if t.configured, err = filepath.Abs(t.configured); err != nil {
		return err
	}
	if _, missing := os.Stat(t.configured); missing != nil {
		t.made = true
	}
	if err := os.MkdirAll(t.configured, 0o755); err != nil {
		return err
	}
	t.dir = t.configured
	return nil
}

// remove removes the folder if it was made here. Its files were removed before, each by its stream.
func (t *tempDir) remove() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.made {
		os.Remove(t.dir)
	}
	t.dir, t.made = "", false
}
