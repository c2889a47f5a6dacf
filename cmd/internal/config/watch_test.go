package config

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The tests here use real files and real time: they wait for what has to come,
// and never for time to pass.

const quietTime = 5 * time.Millisecond

// seen is what a running watcher has told.
type seen struct {
	t    *testing.T
	news chan string // the file's content at each change
}

// watching runs a Watcher of path until the test ends.
func watching(t *testing.T, path string, debounce time.Duration) *seen {
	t.Helper()
	w, err := NewWatcher(debounce, path)
	if err != nil {
		t.Fatal(err)
	}
	s := &seen{t: t, news: make(chan string, 100)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx, func() {
			data, _ := os.ReadFile(path)
			s.news <- string(data)
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return s
}

// until waits for the news of this content.
func (s *seen) until(content string) {
	s.t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case got := <-s.news:
			if got == content {
				return
			}
		case <-deadline:
			s.t.Fatalf("no news of %q", content)
		}
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWatchWriteInPlace(t *testing.T) {
	path := write(t, "tapdeck.yaml", "one")
	s := watching(t, path, quietTime)
	put(t, path, "two")
	s.until("two")
	put(t, path, "three")
	s.until("three")
}

func TestWatchReplaced(t *testing.T) {
	path := write(t, "tapdeck.yaml", "one")
	s := watching(t, path, quietTime)
	for _, text := range []string{"two", "three"} {
		put(t, path+".tmp", text)
		must(t, os.Rename(path+".tmp", path))
		s.until(text)
	}
	must(t, os.Rename(path, path+"~")) // as vim does with backups
	put(t, path, "four")
	s.until("four")
	put(t, path, "five")
	s.until("five")
}

func TestWatchRemovedAndMadeAgain(t *testing.T) {
	path := write(t, "tapdeck.yaml", "one")
	s := watching(t, path, quietTime)
	must(t, os.Remove(path))
	put(t, path, "two")
	s.until("two")
}

func TestWatchFileThatComesLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "etc", "tapdeck.yaml")
	s := watching(t, path, quietTime)
	must(t, os.Mkdir(filepath.Dir(path), 0o700))
	put(t, path, "one")
	s.until("one")
	put(t, path, "two")
	s.until("two")
}

func TestWatchDirectoryReplaced(t *testing.T) {
	base := t.TempDir()
	dir, path := filepath.Join(base, "etc"), filepath.Join(base, "etc", "tapdeck.yaml")
	must(t, os.Mkdir(dir, 0o700))
	put(t, path, "one")
	s := watching(t, path, quietTime)
	must(t, os.Mkdir(dir+".new", 0o700))
	put(t, filepath.Join(dir+".new", "tapdeck.yaml"), "two")
	must(t, os.Rename(dir, dir+".old"))
	must(t, os.Rename(dir+".new", dir))
	s.until("two")
	put(t, path, "three")
	s.until("three")
}

// Kubernetes mounts tapdeck.yaml → ..data/tapdeck.yaml, ..data → ..1, and swaps
// ..data by a rename.
func TestWatchKubernetes(t *testing.T) {
	dir := t.TempDir()
	version := func(name, text string) {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o700))
		put(t, filepath.Join(dir, name, "tapdeck.yaml"), text)
		must(t, os.Symlink(name, filepath.Join(dir, "..data_tmp")))
		must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	}
	path := filepath.Join(dir, "tapdeck.yaml")
	version("..1", "one")
	must(t, os.Symlink("..data/tapdeck.yaml", path))
	s := watching(t, path, quietTime)
	version("..2", "two")
	s.until("two")
	must(t, os.RemoveAll(filepath.Join(dir, "..1")))
	version("..3", "three")
	s.until("three")
}

// A link to a file elsewhere: both the file and the link can change.
func TestWatchThroughLinks(t *testing.T) {
	a, b := write(t, "a.yaml", "a"), write(t, "b.yaml", "b")
	release := t.TempDir()
	must(t, os.Symlink(a, filepath.Join(release, "tapdeck.yaml")))
	current := filepath.Join(t.TempDir(), "current")
	must(t, os.Symlink(release, current))
	s := watching(t, filepath.Join(current, "tapdeck.yaml"), quietTime)
	put(t, a, "a2")
	s.until("a2")
	next := t.TempDir()
	must(t, os.Symlink(b, filepath.Join(next, "tapdeck.yaml")))
	must(t, os.Symlink(next, current+".tmp"))
	must(t, os.Rename(current+".tmp", current))
	s.until("b")
	put(t, b, "b2")
	s.until("b2")
}

// A file that is written without a pause is told of all the same.
func TestWatchIsNotStarved(t *testing.T) {
	path := write(t, "tapdeck.yaml", "one")
	s := watching(t, path, 100*time.Millisecond)
	deadline := time.Now().Add(10 * time.Second)
	for i := 0; len(s.news) == 0; i++ {
		put(t, path, time.Duration(i).String())
		if time.Now().After(deadline) {
			t.Fatal("no news while the file is being written")
		}
	}
}

// Many writes in one go are one change, and a change to the same content is none.
func TestWatchTellsOfContentOnly(t *testing.T) {
	path := write(t, "tapdeck.yaml", "one")
	w, err := NewWatcher(quietTime, path)
	must(t, err)
	defer func() { must(t, w.Close()) }()
	put(t, path, "one")
	if w.changed() {
		t.Error("the same content is told as a change")
	}
	must(t, os.Remove(path))
	if w.changed() {
		t.Error("a file that is away is told as a change")
	}
	put(t, path, "two")
	if !w.changed() || w.changed() {
		t.Error("other content must be told, and once")
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w, err := NewWatcher(quietTime, write(t, "tapdeck.yaml", ""))
	must(t, err)
	w.Run(ctx, func() { t.Error("nothing has changed") })
}

// A file that stays away is told of once, and again when it is back, even with the same
// content.
func TestWatchGone(t *testing.T) {
	path := write(t, "tapdeck.yaml", "one")
	s := watching(t, path, quietTime)
	must(t, os.Remove(path))
	s.until("")
	put(t, path, "one")
	s.until("one")
	if len(s.news) > 0 {
		t.Errorf("more news: %q", <-s.news)
	}
}

// Two files are watched as one, each below its own links: a certificate and its key, as
// certbot renews them.
func TestWatchPair(t *testing.T) {
	archive, live := t.TempDir(), t.TempDir()
	link := func(name, version string) string {
		put(t, filepath.Join(archive, name+version), name+version)
		must(t, os.Symlink(filepath.Join(archive, name+version), filepath.Join(live, name+".tmp")))
		must(t, os.Rename(filepath.Join(live, name+".tmp"), filepath.Join(live, name)))
		return filepath.Join(live, name)
	}
	w, err := NewWatcher(quietTime, link("cert.pem", "1"), link("key.pem", "1"))
	must(t, err)
	defer func() { must(t, w.Close()) }()
	for _, name := range []string{"key.pem", "cert.pem"} {
		link(name, "2")
		if !w.changed() || w.changed() {
			t.Errorf("another %s must be told, and once", name)
		}
	}
	must(t, os.Rename(filepath.Join(live, "key.pem"), filepath.Join(live, "x")))
	must(t, os.Rename(filepath.Join(live, "cert.pem"), filepath.Join(live, "key.pem")))
	must(t, os.Rename(filepath.Join(live, "x"), filepath.Join(live, "cert.pem")))
	if !w.changed() {
		t.Error("the same contents the other way round must be told")
	}
}
