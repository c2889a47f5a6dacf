package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestLockedFilesAreLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	f, err := OSDisk{}.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = OSDisk{}.Open(path)
	if !errors.Is(err, ErrLocked) {
		t.Errorf("error %v", err)
	}
	f.Close()
	if f, err = (OSDisk{}).Open(path); err != nil {
		t.Fatal(err)
	}
	f.Close()
}

func TestRenameOverwritesNothing(t *testing.T) {
	for name, rename := range map[string]func(a, b string) error{
		"the system's": OSDisk{}.Rename, "link and remove": linkAndRemove,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
			if err := errors.Join(os.WriteFile(a, []byte("a"), 0o600), os.WriteFile(b, []byte("b"), 0o600)); err != nil {
				t.Fatal(err)
			}
			if err := rename(a, b); !errors.Is(err, fs.ErrExist) {
				t.Errorf("error %v", err)
			}
			if raw, _ := os.ReadFile(b); string(raw) != "b" {
				t.Errorf("b holds %q", raw)
			}
			if err := rename(a, b+"2"); err != nil {
				t.Error(err)
			}
			if exists(a) || !exists(b+"2") {
				t.Error("it has not moved")
			}
		})
	}
}

// A file that is created is locked before anybody sees it.
func TestCreatedFileIsLockedAtOnce(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can lock a file before it has a name: run it there")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	s := New(dir, OSDisk{})
	stop, seen := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for {
			if f, _, err := s.openIdle(path); err == nil {
				n++
				f.Close()
			}
			select {
			case <-stop:
				seen <- n
				return
			default:
			}
		}
	}()
	for range 500 {
		f, err := OSDisk{}.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Remove(path), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	if n := <-seen; n > 0 {
		t.Errorf("others had the lock %d times", n)
	}
}

func TestCallOf(t *testing.T) {
	const id = "45e46232-d4de-41ff-9bd8-0a3bb61e2d2c"
	for file, want := range map[string]string{
		id + ".wav.part": id, id + "-2.json.new": id, id + "-1000.wav": id, id + ".vtt": id, id + "-2.vtt.new": id,
		id: "", id + ".7.wav.part": "", id + ".wav.wav": "", id + "-.wav": "", id + "-+2.wav": "", id + "x.wav": "", id + "2.wav": "", id + "-2": "", id + "-x.wav": "",
		"45E46232-d4de-41ff-9bd8-0a3bb61e2d2c.wav": "", "notes.json.part": "", ".part": "", "": "",
	} {
		if got := callOf(file); got != want {
			t.Errorf("%q is of call %q, want %q", file, got, want)
		}
	}
}
