package config

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Watcher reports new content of a file, however it came there: written in
// place, replaced by an editor, removed and made again, or moved by a symbolic
// link on its path (as Kubernetes does). It watches directories, since a watch
// of the file itself ends when the file is replaced, and looks at the content
// every few seconds, since no event tells of a network file system or of a
// directory on the path that becomes another.
type Watcher struct {
	path     string
	debounce time.Duration
	notify   *fsnotify.Watcher
	sum      [sha256.Size]byte // of the content
}

// lookInterval is how long a change stays unnoticed without an event.
const lookInterval = 2 * time.Second

// NewWatcher begins to watch the file at path, which need not be there yet. A
// change is reported once nothing has happened beside the file for debounce, or a
// few seconds later at the latest. Run or Close must follow.
func NewWatcher(path string, debounce time.Duration) (*Watcher, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch configuration: %w", err)
	}
	w := &Watcher{path: path, debounce: debounce, notify: notify}
	w.changed()
	return w, nil
}

// Close ends a Watcher that has not been run.
func (w *Watcher) Close() error { return w.notify.Close() }

// Run calls onChange, in its own goroutine, whenever the content has changed,
// and returns when ctx is done. A missing file changes nothing.
func (w *Watcher) Run(ctx context.Context, onChange func()) {
	defer func() { _ = w.notify.Close() }()
	next, looked := time.NewTimer(w.debounce), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.notify.Events:
			if time.Since(looked) < lookInterval {
				next.Reset(w.debounce)
				continue
			}
		case <-w.notify.Errors: // events were lost
		case <-next.C:
		}
		if w.changed() {
			onChange()
		}
		next.Reset(lookInterval)
		looked = time.Now()
	}
}

// changed reports whether the file is there and has other content than before.
// First it adds its directories again, which may be others now; those that can't
// be watched, or not yet, only make a change known later.
func (w *Watcher) changed() bool {
	_ = w.notify.Add(filepath.Dir(w.path))
	if target, err := filepath.EvalSymlinks(w.path); err == nil {
		_ = w.notify.Add(filepath.Dir(target))
	}
	data, err := content(w.path)
	sum := sha256.Sum256(data)
	if err != nil || sum == w.sum {
		return false
	}
	w.sum = sum
	return true
}
