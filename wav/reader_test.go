package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
)

// readAll reads to the end, so many bytes at a time, and checks that all is whole frames.
func readAll(t *testing.T, r *Reader, most int) (all []byte) {
	t.Helper()
	p := make([]byte, most)
	for {
		n, err := r.Read(p)
		all = append(all, p[:n]...)
		switch {
		case errors.Is(err, io.EOF) && n == 0:
			if int64(len(all)) != r.Frames()*int64(r.Format().FrameBytes()) {
				t.Fatalf("%d bytes, of %d frames", len(all), r.Frames())
			}
			return all
		case err != nil || n == 0 || n%r.Format().FrameBytes() != 0:
			t.Fatalf("Read = %d, %v", n, err)
		}
	}
}

// What is read piece by piece is what Decode makes of the whole.
func TestReader(t *testing.T) {
	for _, tc := range peoplesFiles() {
		t.Run(tc.name, func(t *testing.T) {
			for _, most := range []int{tc.format.FrameBytes(), 7, 1000} {
				r, err := NewReader(newMemFile(tc.file), int64(len(tc.file)))
				noErr(t, err)
				if got := readAll(t, r, most); r.Format() != tc.format || !bytes.Equal(got, tc.pcm) {
					t.Errorf("by %d: %v\n% x, want\n% x", most, r.Format(), got, tc.pcm)
				}
			}
		})
	}
	if _, err := NewReader(bytes.NewReader(nil), 0); !errors.Is(err, ErrNotWAV) {
		t.Errorf("of nothing: %v", err)
	}
}

// What a truncated copy lacks is known; the length that a program writes that can't go back promises nothing.
func TestReaderMissing(t *testing.T) {
	whole := append(newHeader(Format{SampleRate: 8000, Channels: 2}, false), make([]byte, 400)...)
	for declared, want := range map[uint32]int64{400: 0, 396: 0, 0: 0, 480: 20, 1 << 30: (1<<30 - 400) / 4, 0x7FFFF000: 0, 0x7FFFFFFF: 0, 0xFFFFFFFF: 0, 0xFFFFFFFF - 36: 0} {
		binary.LittleEndian.PutUint32(whole[plainBytes-4:], declared)
		r, err := NewReader(bytes.NewReader(whole), int64(len(whole)))
		noErr(t, err)
		if got := r.Missing(); got != want {
			t.Errorf("%d declared: %d frames missing, want %d", declared, got, want)
		}
	}
}

// A recording is read while it is written, as far as it had come.
func TestReaderOfARunningRecording(t *testing.T) {
	audio := noise(1, 400)
	for name, form := range map[string]form{"plain": plain, "roomy": roomy} {
		f := form.killed(t, stereo8, audio[:200], audio[200:300])
		r, err := NewReader(f, f.size())
		noErr(t, err)
		_, err = f.put(audio[300:], f.size())
		noErr(t, err)
		if got := readAll(t, r, 64); !bytes.HasPrefix(audio, got) || len(got) < 200 || len(got) > 300 {
			t.Errorf("%s: %d bytes", name, len(got))
		}
	}
}

// zeros is a file of 5 GiB that begins with a header.
type zeros struct{ head []byte }

const manyBytes = 5 << 30

func (z zeros) ReadAt(b []byte, at int64) (int, error) {
	clear(b)
	if at < int64(len(z.head)) {
		copy(b, z.head[at:])
	}
	return len(b), nil
}

func TestReaderAbove4GiB(t *testing.T) {
	head := newHeader(mono8, true)
	setSizes(head, 2, manyBytes, int64(len(head))+manyBytes, true)
	r, err := NewReader(zeros{head}, int64(len(head))+manyBytes)
	noErr(t, err)
	if n, err := r.Read(make([]byte, 3200)); r.Frames() != manyBytes/2 || n != 3200 || err != nil {
		t.Errorf("%d frames, Read = %d, %v", r.Frames(), n, err)
	}
}

// A file that becomes shorter, or can't be read, is an error, not an end.
func TestReaderOfABadFile(t *testing.T) {
	file := riff("fmt ", fmtChunk(mono8), "data", string(noise(1, 400)))
	f := newMemFile(file)
	r, err := NewReader(f, f.size())
	noErr(t, err)
	f.data = f.data[:44+100]
	if n, err := r.Read(make([]byte, 100)); n != 100 || err != nil {
		t.Errorf("what is there: %d, %v", n, err)
	}
	if _, err := r.Read(make([]byte, 100)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("what is not there: %v", err)
	}
	bad := badFile{bytes.NewReader(file), 44}
	r, err = NewReader(bad, int64(len(file)))
	noErr(t, err)
	if _, err := r.Read(make([]byte, 100)); !errors.Is(err, errDisk) {
		t.Errorf("a disk that fails: %v", err)
	}
}

// badFile is one that can't be read from an offset on.
type badFile struct {
	io.ReaderAt
	from int64
}

func (f badFile) ReadAt(b []byte, at int64) (int, error) {
	if at+int64(len(b)) > f.from && len(b) > chunkHeader {
		return 0, errDisk
	}
	return f.ReaderAt.ReadAt(b, at)
}

// Audio of another encoding is read into the same memory.
func TestReaderDoesNotAllocate(t *testing.T) {
	audio := binary.LittleEndian.AppendUint32(nil, 0)
	for len(audio) < 1<<20 {
		audio = append(audio, audio...)
	}
	file := riff("fmt ", encodedFmt(stereo8, tagPCM, 32), "data", string(audio))
	r, err := NewReader(bytes.NewReader(file), int64(len(file)))
	noErr(t, err)
	p := make([]byte, 3200)
	if n := testing.AllocsPerRun(100, func() { _, _ = r.Read(p) }); n > 0 {
		t.Errorf("%v allocations a Read", n)
	}
}
