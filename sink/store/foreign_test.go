package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"tapdeck/sink/internal/sinktest"
)

// A recordings directory is often a link to another disk.
func TestRecoverThroughALink(t *testing.T) {
	real, link := t.TempDir(), filepath.Join(t.TempDir(), "recordings")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	base := sinktest.Crashed(t, real, sinktest.ID, sinktest.Speech(1, 8000))
	for _, dir := range []string{link, real} {
		rec := recoverDir(t, dir)
		if published := rec.Published(); published != map[bool]int{true: 1}[dir == link] {
			t.Errorf("%s: %d published: %v", dir, published, rec.Files)
		}
	}
	sinktest.ReadRecord(t, base+".json")
}

// What ends in .part, and is no call's, is somebody else's.
func TestRecoverLeavesForeignFiles(t *testing.T) {
	dir := t.TempDir()
	texts := map[string]string{
		"notes.json.part": "my notes", "foo.json": "{}", "foo.json.part": "precious", "film.wav.part": "RIFF", "x.json.new": "",
	}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rec := recoverDir(t, dir)
	if rec.Left() != 4 || rec.Published() != 0 {
		t.Errorf("%v", rec.Files)
	}
	for name, text := range texts {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != text {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
