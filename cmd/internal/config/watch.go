package config

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Watcher tells when a file has new content, however it came there: written in
// place, replaced by an editor, removed and made again, or moved by a symbolic
// link on its path (as Kubernetes does). It watches directories, since a watch
// of the file itself ends when the file is replaced.
type Watcher struct {
	path     string // absolute
	debounce time.Duration
	notify   *fsnotify.Watcher

	// State of Run.
	names []string          // what events have to be about
	sum   [sha256.Size]byte // of the content
}

// NewWatcher begins to watch the file at path, which need not be there yet. A
// change is told once the file has been left alone for debounce, or at the
// latest after ten times as long. Run or Close must follow.
func NewWatcher(path string, debounce time.Duration) (*Watcher, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("watch configuration: %w", err)
	}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch configuration: %w", err)
	}
	w := &Watcher{path: path, debounce: debounce, notify: notify}
	if err := w.follow(); err != nil {
		_ = notify.Close()
		return nil, fmt.Errorf("watch configuration: %w", err)
	}
	w.changed()
	return w, nil
}

// Close ends a Watcher that has not been run.
func (w *Watcher) Close() error { return w.notify.Close() }

// Run calls onChange, in its own goroutine, whenever the content has changed,
// and returns nil when ctx is done. A file that is away changes nothing.
func (w *Watcher) Run(ctx context.Context, onChange func()) error {
	defer func() { _ = w.notify.Close() }()
	quiet := time.NewTimer(time.Hour)
	quiet.Stop()
	var since time.Time // of the first event that is not yet told
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, open := <-w.notify.Events:
			if !open {
				return fmt.Errorf("watch configuration: %w", fsnotify.ErrClosed)
			}
			if !w.concerns(e) {
				continue
			}
			if since.IsZero() {
				since = time.Now()
			}
			if time.Since(since) < 10*w.debounce {
				quiet.Reset(w.debounce)
				continue
			}
		case <-w.notify.Errors: // events were lost: look for ourselves
			_ = w.follow()
		case <-quiet.C:
		}
		quiet.Stop()
		since = time.Time{}
		if w.changed() {
			onChange()
		}
	}
}

// concerns tells whether an event can have changed the file.
func (w *Watcher) concerns(e fsnotify.Event) bool {
	if !slices.Contains(w.names, e.Name) {
		return false
	}
	if e.Has(fsnotify.Create) || e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
		_ = w.follow() // what is away now is watched for by its name
	}
	return true
}

// follow finds anew what the file depends on, and watches the directories of
// that. They are all added again, since one may have been replaced by another
// of its name; what changes before they are added, no event tells of, and so it
// looks again afterwards.
func (w *Watcher) follow() error {
	const enough = 10
	for range enough {
		for _, dir := range w.notify.WatchList() {
			_ = w.notify.Remove(dir)
		}
		w.names = trail(w.path)
		var errs []error
		for _, name := range w.names {
			errs = append(errs, w.notify.Add(filepath.Dir(name)))
		}
		if slices.Equal(w.names, trail(w.path)) {
			return errors.Join(errs...)
		}
	}
	return errors.New("the path changes all the time")
}

// trail lists what the file at an absolute path depends on: every symbolic link
// on its way, its directory, and the file itself. Their own directories hold no
// links. Where something on the way is missing, it is the last of the list.
func trail(path string) []string {
	const maxLinks = 40
	var names []string
	dir, rest := "/", strings.Split(path, "/")
	for links := 0; len(rest) > 0 && links < maxLinks; {
		part := rest[0]
		rest = rest[1:]
		if part == "" || part == "." {
			continue
		}
		name := filepath.Join(dir, part) // also of a part ".."
		info, err := os.Lstat(name)
		switch {
		case err == nil && info.Mode()&fs.ModeSymlink != 0:
			names = append(names, name)
			links++
			to, _ := os.Readlink(name)
			if filepath.IsAbs(to) {
				dir = "/"
			}
			rest = append(strings.Split(to, "/"), rest...)
		case len(rest) == 0:
			return append(names, dir, name)
		case err != nil:
			return append(names, name)
		default:
			dir = name
		}
	}
	return names
}

// changed tells whether the file is there and has other content than before.
func (w *Watcher) changed() bool {
	data, err := content(w.path)
	sum := sha256.Sum256(data)
	if err != nil || sum == w.sum {
		return false
	}
	w.sum = sum
	return true
}
