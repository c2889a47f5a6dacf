// Package sinktest is what the tests of sink and sink/store share: audio, a reader of WAV
// files, and a disk that fails. It is for tests alone.
package sinktest

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tapdeck/sink/store"
	"tapdeck/wav"
)

// ID is a call's.
const ID = "45e46232-d4de-41ff-9bd8-0a3bb61e2d2c"

// NewID returns another call's.
func NewID() string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], rand.Uint64())
	binary.LittleEndian.PutUint64(b[8:], rand.Uint64())
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Speech makes so many samples of a signal of which no two stretches are equal.
func Speech(seed uint64, samples int) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	pcm := make([]byte, 0, 2*samples)
	for i := range samples {
		v := 8000*math.Sin(float64(i)*0.2) + float64(rng.IntN(2000)-1000)
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(v)))
	}
	return pcm
}

// ReadWAV returns the PCM and header of a file that must be whole.
func ReadWAV(t testing.TB, path string) ([]byte, wav.Header) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h, pcm, err := wav.Parse(file)
	if err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	return pcm, h
}

// Exists says whether a file has a name.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// BadDisk is the machine's disk, of which one step fails for paths that hold Match, or stalls if
// Err is nil.
type BadDisk struct {
	store.OSDisk
	Match string
	Step  string
	After int64 // bytes that may be written
	Err   error
	Seen  func(step, path string) // every step, if it is not nil

	Mended  atomic.Bool
	stall   atomic.Int64
	written atomic.Int64
}

func (d *BadDisk) fails(step, path string) error {
	if d.Seen != nil {
		d.Seen(step, path)
	}
	if step != d.Step || !strings.Contains(path, d.Match) || d.Mended.Load() {
		return nil
	}
	if d.Err == nil {
		time.Sleep(time.Duration(d.stall.Swap(0)))
		return nil
	}
	return &fs.PathError{Op: step, Path: path, Err: d.Err}
}

// StallOnce makes the step take so long the next time.
func (d *BadDisk) StallOnce(t time.Duration) { d.stall.Store(int64(t)) }

// Free implements store.Disk.
func (d *BadDisk) Free(dir string) (int64, error) {
	if err := d.fails("free", dir); err != nil {
		return 0, err
	}
	return d.OSDisk.Free(dir)
}

// Create implements store.Disk.
func (d *BadDisk) Create(path string) (store.File, error) {
	return d.file("create", path, d.OSDisk.Create)
}

// Open implements store.Disk.
func (d *BadDisk) Open(path string) (store.File, error) {
	return d.file("open", path, d.OSDisk.Open)
}

func (d *BadDisk) file(step, path string, open func(string) (store.File, error)) (store.File, error) {
	if err := d.fails(step, path); err != nil {
		return nil, err
	}
	f, err := open(path)
	if err != nil || !strings.Contains(path, d.Match) {
		return f, err
	}
	return &badFile{f, d, path}, nil
}

// Rename implements store.Disk.
func (d *BadDisk) Rename(from, to string) error {
	if err := d.fails("rename", from); err != nil {
		return err
	}
	return d.OSDisk.Rename(from, to)
}

// SyncDir implements store.Disk.
func (d *BadDisk) SyncDir(dir string) error {
	if err := d.fails("syncdir", dir); err != nil {
		return err
	}
	return d.OSDisk.SyncDir(dir)
}

type badFile struct {
	store.File
	disk *BadDisk
	path string
}

func (f *badFile) Write(p []byte) (int, error) {
	err := f.disk.fails("write", f.path)
	if err == nil || f.disk.written.Add(int64(len(p))) <= f.disk.After {
		return f.File.Write(p)
	}
	n, _ := f.File.Write(p[:len(p)/3]) // a part gets through, not even a whole sample
	return n, err
}

func (f *badFile) WriteAt(p []byte, at int64) (int, error) {
	if err := f.disk.fails("writeat", f.path); err != nil {
		n, _ := f.File.WriteAt(p[:len(p)/3], at) // a part gets through
		return n, err
	}
	return f.File.WriteAt(p, at)
}

func (f *badFile) Sync() error {
	if err := f.disk.fails("sync", f.path); err != nil {
		return err
	}
	return f.File.Sync()
}

// Crashed makes what a crash leaves of a call: a recording of so much speech that was flushed
// but not finished, and its sidecar. It returns their path without extension.
func Crashed(t testing.TB, dir, id string, pcm []byte) string {
	t.Helper()
	record := store.Record{
		Call: id, Caller: "1001", Destination: "9999", Plan: "default", Started: time.Now(), SampleRate: 8000, Channels: 1, Mix: "mono",
	}
	part, err := store.New(dir, store.OSDisk{}).Create(id, record.Started)
	if err != nil {
		t.Fatal(err)
	}
	defer part.Close()
	w, err := wav.NewWriter(part, wav.Format{SampleRate: 8000, Channels: 1}, 8000*3600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(pcm)
	if err := errors.Join(err, w.Flush(), part.SaveSidecar(&record, false)); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, filepath.FromSlash(strings.TrimSuffix(part.WAV(), ".wav.part")))
}

// ReadRecord reads a record's file.
func ReadRecord(t testing.TB, path string) (r store.Record) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}
