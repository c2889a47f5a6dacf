package config

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Watch calls onChange whenever the file at path has new content, until ctx is
// done; then it returns nil. It is NewWatcher and Run in one; to miss nothing
// that happens while the file is read, make the Watcher before.
func Watch(ctx context.Context, path string, debounce time.Duration, onChange func()) error {
	w, err := NewWatcher(path, debounce)
	if err != nil {
		return err
	}
	return w.Run(ctx, onChange)
}

// Watcher tells when a file has new content, however it came there: written in
// place, replaced by an editor, removed and made again, or moved by a symbolic
// link on its path (as Kubernetes does). It watches directories, since a watch
// of the file itself ends when the file is replaced.
type Watcher struct {
	path     string
	debounce time.Duration
	notify   *fsnotify.Watcher

	// State of Run.
	target  string // the file behind the symbolic links
	content [sha256.Size]byte
}

// NewWatcher begins to watch the file at path, which need not be there (its
// directory must). A change is told once the file has been left alone for
// debounce, or at the latest after ten times as long. Run or Close must follow.
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
	if err := notify.Add(filepath.Dir(path)); err != nil {
		_ = notify.Close()
		return nil, fmt.Errorf("watch configuration: %w", err)
	}
	w.follow()
	w.content, _ = contentOf(path)
	return w, nil
}

// Close ends a Watcher that has not been run.
func (w *Watcher) Close() error { return w.notify.Close() }

// Run calls onChange, in its own goroutine, whenever the content has changed,
// and returns nil when ctx is done. A file that is away changes nothing.
func (w *Watcher) Run(ctx context.Context, onChange func()) error {
	defer func() { _ = w.notify.Close() }()
	settle := time.NewTimer(time.Hour)
	settle.Stop()
	var since time.Time // of the first event not yet settled
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-w.notify.Events:
			if !ok {
				return fmt.Errorf("watch configuration: %w", fsnotify.ErrClosed)
			}
			if !w.concerns(e.Name) {
				continue
			}
		case <-w.notify.Errors: // lost events: look for ourselves
		case <-settle.C:
			since = time.Time{}
			if w.changed() {
				onChange()
			}
			continue
		}
		if since.IsZero() {
			since = time.Now()
		}
		settle.Reset(min(w.debounce, time.Until(since.Add(10*w.debounce))))
	}
}

// concerns tells whether what happened to name can have changed the file.
func (w *Watcher) concerns(name string) bool {
	return name == w.path || name == w.target || w.follow()
}

// follow finds the file behind the path's symbolic links, watches its
// directory too, and tells whether it is another than before.
func (w *Watcher) follow() bool {
	target, err := filepath.EvalSymlinks(w.path)
	if err != nil || target == w.target {
		return false
	}
	w.target = target
	_ = w.notify.Add(filepath.Dir(target)) // without it, only changes of the links are seen
	return true
}

// changed tells whether the file is there and has other content than before.
func (w *Watcher) changed() bool {
	w.follow()
	content, err := contentOf(w.path)
	if err != nil || content == w.content {
		return false
	}
	w.content = content
	return true
}

func contentOf(path string) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, fmt.Errorf("open configuration: %w", err)
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, maxFile+1)); err != nil {
		return sum, fmt.Errorf("read configuration: %w", err)
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}
