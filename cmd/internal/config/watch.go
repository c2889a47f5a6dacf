package config

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Watcher reports new content of files, however it came there: written in
// place, replaced by an editor, removed and made again, or moved by a symbolic
// link on its path (as Kubernetes and certbot do). It watches directories, since a
// watch of the file itself ends when the file is replaced, and looks at the content
// every few seconds, since no event tells of a network file system or of a
// directory on the path that becomes another.
type Watcher struct {
	paths    []string
	debounce time.Duration
	notify   *fsnotify.Watcher
	sum      [sha256.Size]byte // of the content
	seen     bool              // the files could be read
	away     time.Time         // since when they can't; zero if they can, or that is reported
}

// lookInterval is how long a change stays unnoticed without an event.
const lookInterval = 2 * time.Second

// NewWatcher begins to watch the files at paths, which need not be there yet. A
// change is reported once nothing has happened beside them for debounce, or a
// few seconds later at the latest. Run or Close must follow.
func NewWatcher(debounce time.Duration, paths ...string) (*Watcher, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch files: %w", err)
	}
	w := &Watcher{paths: paths, debounce: debounce, notify: notify}
	w.changed()
	return w, nil
}

// Close ends a Watcher that has not been run.
func (w *Watcher) Close() error { return w.notify.Close() }

// Run calls onChange, in its own goroutine, whenever the content has changed, a file can't
// be read any more, or can again, and returns when ctx is done. A file that is away for less
// than a few seconds is only being replaced.
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

// changed reports whether the files have other content than before, or are gone for good.
// First it adds their directories again, which may be others now; those that can't
// be watched, or not yet, only make a change known later.
func (w *Watcher) changed() bool {
	hash, missing := sha256.New(), false
	for _, path := range w.paths {
		_ = w.notify.Add(filepath.Dir(path))
		if target, err := filepath.EvalSymlinks(path); err == nil {
			_ = w.notify.Add(filepath.Dir(target))
		}
		data, err := content(path)
		missing = missing || err != nil
		fmt.Fprintf(hash, "%d %s", len(data), data)
	}
	if missing {
		return w.gone()
	}
	sum := [sha256.Size]byte(hash.Sum(nil))
	same := w.seen && sum == w.sum
	w.sum, w.seen, w.away = sum, true, time.Time{}
	return !same
}

// gone reports, once, that the files were there and have been away for a while.
func (w *Watcher) gone() bool {
	switch {
	case !w.seen:
		return false
	case w.away.IsZero():
		w.away = time.Now()
		return false
	case time.Since(w.away) < lookInterval:
		return false
	}
	w.seen, w.away = false, time.Time{}
	return true
}
