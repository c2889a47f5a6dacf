package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tapdeck/wav"
)

const anyCall = "3f0c1a52-7c3e-4a67-9d2f-0123456789ab"

// writeFile makes a file below a folder of the test.
func writeFile(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// wavFile is a plain WAV of a format tag with samples of so many bits, which declares a length.
func wavFile(tag, channels, rate, bits int, audio []byte, declared int) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32([]byte("RIFF"), uint32(36+declared))
	b = le.AppendUint32(append(b, "WAVEfmt "...), 16)
	b = le.AppendUint16(le.AppendUint16(b, uint16(tag)), uint16(channels))
	b = le.AppendUint32(le.AppendUint32(b, uint32(rate)), uint32(rate*channels*bits/8))
	b = le.AppendUint16(le.AppendUint16(b, uint16(channels*bits/8)), uint16(bits))
	b = le.AppendUint32(append(b, "data"...), uint32(declared))
	return append(b, audio...)
}

func TestRepairFile(t *testing.T) {
	audio := bytes.Repeat([]byte{1, 2}, 8000)
	healthy := wavFile(1, 1, 8000, 16, audio, len(audio))
	for name, tt := range map[string]struct {
		name string
		data []byte
		args []string
		code int
		says string
		want []byte // nil: as it was; removed if it is empty
	}{
		"published, of size 0":    {anyCall + ".wav", wavFile(1, 1, 8000, 16, audio, 0), nil, exitDone, ": mended, 1.00 s", healthy},
		"of any name":             {"my call.wav", wavFile(1, 1, 8000, 16, audio, 0), nil, exitDone, "my call.wav: mended, 1.00 s", healthy},
		"part":                    {anyCall + ".wav.part", wavFile(1, 1, 8000, 16, audio, 400), nil, exitDone, "mended, 1.00 s; tapdeck repair on its directory publishes it", healthy},
		"µ-law of size 0":         {"a.wav", wavFile(7, 1, 8000, 8, audio, 0), nil, exitDone, ": mended", wavFile(7, 1, 8000, 8, audio, len(audio))},
		"healthy":                 {"a.wav", healthy, nil, exitDone, ": nothing to repair, 1.00 s", nil},
		"ID3 before it":           {"a.wav", append([]byte("ID3\x04\x00\x00\x00\x00\x00\x02ab"), healthy...), nil, exitDone, "nothing to repair, 1.00 s; it has an ID3 tag before RIFF, at which many programs stop: ", nil},
		"no WAV":                  {"a.wav", []byte("this is no WAV, but a text"), nil, exitFailed, "left as it is: repair recording: read header: not a WAV file", nil},
		"empty WAV":               {"a.wav", nil, []string{"--remove-empty"}, exitFailed, "the file is empty", nil},
		"empty part":              {anyCall + ".wav.part", nil, nil, exitFailed, "the file is empty: --remove-empty removes it", nil},
		"empty part, and removed": {anyCall + ".wav.part", nil, []string{"--remove-empty"}, exitDone, ": removed, it was empty", []byte{}},
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, filepath.Join(t.TempDir(), tt.name), tt.data)
			code, stdout, stderr := runProgram(t, t.Context(), append([]string{"repair", path}, tt.args...)...)
			if code != tt.code || !strings.Contains(stdout+stderr, tt.says) || !strings.Contains(stdout+stderr, path) {
				t.Errorf("exit %d\n%s%s", code, stdout, stderr)
			}
			got, err := os.ReadFile(path)
			switch {
			case tt.want == nil && (err != nil || !bytes.Equal(got, tt.data)), len(tt.want) > 0 && !bytes.Equal(got, tt.want):
				t.Errorf("the file is not as it should be: %d bytes, %v", len(got), err)
			case tt.want != nil && len(tt.want) == 0 && !os.IsNotExist(err):
				t.Errorf("the file is still there: %v", err)
			}
		})
	}
}

// Of a file at which many programs stop, a copy is written that they read, once.
func TestRepairWritesPlainFile(t *testing.T) {
	healthy := wavFile(1, 1, 8000, 16, []byte("some audio"), 10)
	path := writeFile(t, filepath.Join(t.TempDir(), "a.wav"), append([]byte("ID3\x04\x00\x00\x00\x00\x00\x02ab"), healthy...))
	for range 2 {
		code, stdout, stderr := runProgram(t, t.Context(), "repair", path)
		got, err := os.ReadFile(strings.TrimSuffix(path, ".wav") + "-plain.wav")
		if code != exitDone || !strings.Contains(stdout, "a-plain.wav is the same audio for all") || err != nil || !bytes.Equal(got, healthy) {
			t.Errorf("exit %d, %v, %q\n%s%s", code, err, got, stdout, stderr)
		}
	}
}

// A published WAV of which the header was lost has the format of its record.
func TestRepairFileByItsRecord(t *testing.T) {
	audio := bytes.Repeat([]byte{1, 2}, 8000)
	dir := t.TempDir()
	path := writeFile(t, filepath.Join(dir, anyCall+".wav"), append(make([]byte, 44), audio...))
	writeFile(t, filepath.Join(dir, anyCall+".json"), []byte(`{"call":"`+anyCall+`","sample_rate":16000,"channels":1}`))
	link := filepath.Join(t.TempDir(), "link.wav")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := runProgram(t, t.Context(), "repair", link)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h, pcm, err := wav.Parse(data)
	if code != exitDone || !strings.Contains(stdout, "mended, 0.50 s") || err != nil || h.Format.SampleRate != 16000 || !bytes.Equal(pcm, audio) {
		t.Errorf("exit %d, %+v, %v\n%s%s", code, h, err, stdout, stderr)
	}
}

// What a running tapdeck records is left alone, and so is what follows it on the command line
// not.
func TestRepairFileInUse(t *testing.T) {
	audio := bytes.Repeat([]byte{1, 2}, 8000)
	live := wavFile(1, 1, 8000, 16, audio, 0)
	path := writeFile(t, filepath.Join(t.TempDir(), anyCall+".wav.part"), live)
	other := writeFile(t, filepath.Join(t.TempDir(), "other.wav"), live)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Skip("no file locks in the folder for temporary files; with TMPDIR on a local disk this test runs:", err)
	}
	code, stdout, stderr := runProgram(t, t.Context(), "repair", "--remove-empty", path, other)
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, live) {
		t.Errorf("the live file has changed, %v", err)
	}
	if code != exitFailed || !strings.Contains(stderr, "belongs to a running tapdeck") || !strings.Contains(stdout, other+": mended") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

// Empty parts below a directory are named, and removed if that is asked for.
func TestRepairEmptyParts(t *testing.T) {
	dir := t.TempDir()
	path := writeFile(t, filepath.Join(dir, "2026-11-27", anyCall+".wav.part"), nil)
	code, stdout, stderr := runProgram(t, t.Context(), "repair", dir)
	if code != exitFailed || !strings.Contains(stdout, "left as it is: the file is empty: tapdeck repair --remove-empty removes it") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr = runProgram(t, t.Context(), "repair", "--remove-empty", dir)
	if _, err := os.Stat(path); code != exitDone || !strings.Contains(stdout, "wav.part: removed, it was empty") || !os.IsNotExist(err) {
		t.Errorf("exit %d, %v\n%s%s", code, err, stdout, stderr)
	}
	code, stdout, stderr = runProgram(t, t.Context(), "repair", "--remove-empty", dir)
	if code != exitDone || !strings.Contains(stdout, "nothing to repair") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

func TestRepairHelp(t *testing.T) {
	_, stdout, _ := runProgram(t, t.Context(), "repair", "--help")
	for _, want := range []string{"--remove-empty", "recordings directory, or a WAV file", "healthy file"} {
		if !strings.Contains(strings.Join(strings.Fields(stdout), " "), want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if code, _, stderr := runProgram(t, t.Context(), "repair", "/does/not/exist"); code != exitUsage || !strings.Contains(stderr, "/does/not/exist") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	good := writeFile(t, filepath.Join(t.TempDir(), "good.wav"), speech)
	code, stdout, stderr := runProgram(t, t.Context(), "repair", "/does/not/exist", good)
	if code != exitUsage || !strings.Contains(stdout, "nothing to repair") || !strings.Contains(stderr, "/does/not/exist") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	fifo := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := runProgram(t, t.Context(), "repair", fifo); code != exitUsage || !strings.Contains(stderr, "must be a directory or a WAV file") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}
