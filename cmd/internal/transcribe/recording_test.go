package transcribe

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller/pcm"
	"tapdeck/wav"
)

// Who speaks in a channel is what the file and its record say.
func TestChannels(t *testing.T) {
	for name, c := range map[string]struct {
		file         string
		format       wav.Format
		multichannel bool
		record       string // its name and text
		want         []string
	}{
		"mono":                     {"x.wav", mono8, true, "", []string{"caller"}},
		"stereo":                   {"x.wav", stereo8, true, "", []string{"caller", "callee"}},
		"stereo, one channel sent": {"x.wav", stereo8, false, "", []string{"caller"}},
		"mono by its record":       {"x.wav", mono8, true, `x.json {"mix":"mono"}`, []string{"caller"}},
		"mixed":                    {"x.wav", mono8, false, `x.json {"call":"x","mix":"mixed"}`, []string{"both"}},
		"mixed and running":        {"x.wav.part", mono8, false, `x.json.part {"mix":"mixed"}` + strings.Repeat(" ", 4000), []string{"both"}},
		"another one's record":     {"x.wav", mono8, false, `x.json.part {"mix":"mixed"}`, []string{"caller"}},
		"no record":                {"x.wav", mono8, false, `x.json {"mix":`, []string{"caller"}},
		"stereo, record of mixed":  {"x.wav", stereo8, true, `x.json {"mix":"mixed"}`, []string{"caller", "callee"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, c.file, c.format, make([]byte, 1600))
			if file, text, has := strings.Cut(c.record, " "); has {
				if err := os.WriteFile(filepath.Join(filepath.Dir(path), file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			r, err := Open(path, c.multichannel)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			if diff := cmp.Diff(c.want, r.Channels); diff != "" || r.Unfinished != strings.HasSuffix(c.file, ".part") {
				t.Errorf("unfinished %v (-want +got):\n%s", r.Unfinished, diff)
			}
		})
	}
}

// A pipe where the record should be is none, and nobody waits for it.
func TestNoRecordOfAPipe(t *testing.T) {
	path := write(t, "x.wav", mono8, make([]byte, 1600))
	pipe := filepath.Join(filepath.Dir(path), "x.json")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(10*time.Second, func() {
		t.Error("the pipe was opened")
		_ = os.WriteFile(pipe, nil, 0) // lets whoever reads it go on
	})
	defer late.Stop()
	if r := open(t, path, Options{}); !slices.Equal(r.Channels, []string{"caller"}) {
		t.Errorf("%q", r.Channels)
	}
}

// What can't be transcribed is refused with what it is, and what it must be.
func TestOpenNot(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.wav")
	if err := os.WriteFile(text, []byte("This is no WAV file, whatever its name says."), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		err  error
		says string
	}{
		text:                       {wav.ErrNotWAV, ""},
		filepath.Join(dir, "gone"): {fs.ErrNotExist, ""},
		dir:                        {nil, "is no regular file"},
		write(t, "x.wav", wav.Format{SampleRate: 44100, Channels: 1}, nil): {nil, "it has 44100 Hz and 1 channel; it must have 8000 or 16000 Hz, and one channel or two"},
		write(t, "x.wav", wav.Format{SampleRate: 8000, Channels: 6}, nil):  {nil, "it has 8000 Hz and 6 channels"},
	} {
		r, err := Open(path, true)
		if r != nil || err == nil || want.err != nil && !errors.Is(err, want.err) || !strings.Contains(err.Error(), want.says) || strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// Audio of another encoding is read as 16-bit PCM.
func TestOtherEncoding(t *testing.T) {
	muLaw := []byte("RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x07\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x04\x00\x00\x00\xff\x80\x00\xff")
	path := filepath.Join(t.TempDir(), "x.wav")
	if err := os.WriteFile(path, muLaw, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Open(path, true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	want := []int16{0, 32124, -32124, 0}
	if diff := cmp.Diff(want, readAll(t, newEar(r), 6)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// readAll reads an ear to its end, so many bytes at a time, and checks where each piece lies.
func readAll(t *testing.T, e *ear, most int) (all []int16) {
	t.Helper()
	p := make([]byte, most)
	for at := time.Duration(0); ; {
		sound, err := e.Read(p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil || sound.Bytes == 0 || sound.At != at {
			t.Fatalf("%+v, %v at %v", sound, err, at)
		}
		for i := 0; i < sound.Bytes; i += 2 {
			all = append(all, int16(binary.LittleEndian.Uint16(p[i:])))
		}
		channels := e.format.Channels
		if e.left {
			channels = 1
		}
		at = e.format.Duration(int64(len(all) / channels))
	}
}

// An ear reads both channels, or the left one, and nothing while it is held or after its end.
func TestEar(t *testing.T) {
	path := write(t, "x.wav", stereo8, []byte{1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0})
	for multichannel, want := range map[bool][]int16{true: {1, 2, 3, 4, 5, 6}, false: {1, 3, 5}} {
		r, err := Open(path, multichannel)
		if err != nil {
			t.Fatal(err)
		}
		e := newEar(r)
		e.hold(true)
		if sound, err := e.Read(make([]byte, 4)); sound != (pcm.Sound{}) || err != nil {
			t.Errorf("held: %+v, %v", sound, err)
		}
		e.hold(false)
		<-e.Ready()
		if diff := cmp.Diff(want, readAll(t, e, 4)); diff != "" || e.remaining() != 0 || e.err() != nil {
			t.Errorf("%v remain, %v (-want +got):\n%s", e.remaining(), e.err(), diff)
		}
		_ = r.Close()
	}
	r, err := Open(path, true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	e := newEar(r)
	e.Close()
	e.Close()
	if _, err := e.Read(make([]byte, 4)); !errors.Is(err, io.EOF) || e.remaining() != r.Length {
		t.Errorf("closed: %v, %v remain", err, e.remaining())
	}
}

// A file of hours takes the memory of a short one.
func TestEarDoesNotAllocate(t *testing.T) {
	r, err := Open(write(t, "x.wav", stereo8, make([]byte, 1<<20)), false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	e, p := newEar(r), make([]byte, 3200)
	if n := testing.AllocsPerRun(100, func() { _, _ = e.Read(p) }); n > 0 {
		t.Errorf("%v allocations a Read", n)
	}
}
