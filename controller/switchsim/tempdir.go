package switchsim

import (
	"os"
	"path/filepath"
	"sync"
)

// tempDir is the switch's folder for temporary files: one of this machine if it is configured, else
// one that is in memory only, since a disk costs more than all else that a simulated call does.
type tempDir struct {
	configured string // "": in memory

	mu    sync.Mutex
	files map[string][]byte // in memory
	dir   string            // "": there is none now
	made  bool              // by us
}

// inMemory is where the files are said to be that are in memory.
const inMemory = "/tmp/switchsim"

// write makes a file, and the folder if needed, and returns its path.
func (t *tempDir) write(name string, data []byte) (path string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.configured == "" {
		if t.files == nil {
			t.files = map[string][]byte{}
		}
		path = filepath.Join(inMemory, name)
		t.files[path] = data
		return path, nil
	}
	if t.dir == "" {
		if err := t.create(); err != nil {
			return "", err
		}
	}
	path = filepath.Join(t.dir, name)
	return path, os.WriteFile(path, data, 0o644)
}

// read returns a file that is in memory.
func (t *tempDir) read(path string) (data []byte, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	data, ok = t.files[path]
	return data, ok
}

func (t *tempDir) removeFile(path string) {
	if t.configured != "" {
		os.Remove(path)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.files, path)
}

func (t *tempDir) create() (err error) {
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
