package wav

import (
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

var (
	mono8   = Format{SampleRate: 8000, Channels: 1}
	stereo8 = Format{SampleRate: 8000, Channels: 2}
)

var errDisk = errors.New("disk trouble")

// memFile is a file in memory that counts what is asked of it and fails on request.
type memFile struct {
	data   []byte
	at     int64
	writes int
	pwrite int
	syncs  int
	// room is how long the file can get; negative is without limit.
	room int64
	// failWriteAt, failTruncate and failSync make these fail without effect.
	failWriteAt, failTruncate, failSync error
}

func newMemFile(b []byte) *memFile { return &memFile{data: b, room: -1} }

func (f *memFile) Write(b []byte) (int, error) {
	f.writes++
	n, err := f.put(b, f.at)
	f.at += int64(n)
	return n, err
}

func (f *memFile) WriteAt(b []byte, at int64) (int, error) {
	f.pwrite++
	if f.failWriteAt != nil {
		return 0, f.failWriteAt
	}
	return f.put(b, at)
}

func (f *memFile) put(b []byte, at int64) (n int, err error) {
	if f.room >= 0 && at+int64(len(b)) > f.room {
		b, err = b[:max(0, f.room-at)], errDisk
	}
	if grow := at + int64(len(b)) - int64(len(f.data)); grow > 0 && len(b) > 0 {
		f.data = append(f.data, make([]byte, grow)...)
	}
	return copy(f.data[min(at, int64(len(f.data))):], b), err
}

func (f *memFile) ReadAt(b []byte, at int64) (int, error) {
	if at >= int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.data[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) Sync() error {
	f.syncs++
	return f.failSync
}

func (f *memFile) size() int64 { return int64(len(f.data)) }

func (f *memFile) Truncate(size int64) error {
	if f.failTruncate != nil {
		return f.failTruncate
	}
	f.data = f.data[:size]
	return nil
}

// noise returns n bytes that look like no chunk, the same for the same seed.
func noise(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// form is one of the two headers that a Writer writes.
type form struct {
	frames int64 // that NewWriter is told
	header int   // its length
}

var (
	plain = form{1 << 28, plainBytes}
	roomy = form{0, roomBytes}
)

func eachForm(t *testing.T, test func(t *testing.T, form form)) {
	t.Run("plain", func(t *testing.T) { test(t, plain) })
	t.Run("with room", func(t *testing.T) { test(t, roomy) })
}

func newWriter(t testing.TB, f File, format Format) *Writer {
	t.Helper()
	return plain.writer(t, f, format)
}

func (o form) writer(t testing.TB, f File, format Format) *Writer {
	t.Helper()
	w, err := NewWriter(f, format, o.frames)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func write(t testing.TB, w *Writer, b []byte) {
	t.Helper()
	if n, err := w.Write(b); n != len(b) || err != nil {
		t.Fatalf("Write = %d, %v; want %d, nil", n, err, len(b))
	}
}

func noErr(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// recording returns a finished file with the audio and cues.
func (o form) recording(t testing.TB, format Format, pcm []byte, cues ...Cue) *memFile {
	t.Helper()
	f := newMemFile(nil)
	w := o.writer(t, f, format)
	write(t, w, pcm)
	for _, c := range cues {
		w.CueAt(c.Frame, c.Label)
	}
	noErr(t, w.Finish())
	return f
}

// killed returns a file whose writer was killed: after flushed was flushed, the
// rest reached the file but not the header.
func (o form) killed(t testing.TB, format Format, flushed, rest []byte) *memFile {
	t.Helper()
	f := newMemFile(nil)
	w := o.writer(t, f, format)
	write(t, w, flushed)
	noErr(t, w.Flush())
	f.data = append(f.data, rest...)
	return f
}

// pcm returns the audio that the file's header declares.
func pcm(t testing.TB, f *memFile) []byte {
	t.Helper()
	_, audio, err := Parse(f.data)
	noErr(t, err)
	return audio
}
