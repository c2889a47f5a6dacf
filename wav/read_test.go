package wav

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// riff returns a file of the chunks given as id, payload pairs, sizes as they are.
func riff(chunks ...string) []byte {
	var body []byte
	for i := 0; i < len(chunks); i += 2 {
		body = appendChunk(body, chunks[i], []byte(chunks[i+1]))
	}
	b := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+len(body)))
	return append(append(b, "WAVE"...), body...)
}

// fmtChunk returns the payload of a fmt chunk.
func fmtChunk(f Format) string {
	return string(newHeader(f, false)[riffHeader+chunkHeader:][:fmtBytes])
}

// extensible returns the payload of a WAVE_FORMAT_EXTENSIBLE fmt chunk.
func extensible(f Format, tag byte) string {
	b := []byte(fmtChunk(f))
	b[0], b[1] = 0xFE, 0xFF
	b = append(b, 22, 0, 16, 0, 3, 0, 0, 0, tag, 0)
	return string(append(b, "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"...))
}

// with returns b with some bytes replaced.
func with(b []byte, at int, s string) []byte {
	b = append([]byte(nil), b...)
	copy(b[at:], s)
	return b
}

func TestReadHeader(t *testing.T) {
	plain := riff("fmt ", fmtChunk(mono8), "data", "abcdef")
	float := []byte(fmtChunk(mono8))
	float[0] = 3
	for _, tc := range []struct {
		name string
		file []byte
		want Header
		err  error
	}{
		{"plain", plain, Header{mono8, 44, 6, nil}, nil},
		{"others before", riff("LIST", "odd", "bext", "", "fmt ", fmtChunk(stereo8)+"\x00\x00", "fact", "1234", "data", "abcdefgh"), Header{stereo8, 78, 8, nil}, nil},
		{"extensible", riff("fmt ", extensible(stereo8, 1), "data", "abcd"), Header{stereo8, 68, 4, nil}, nil},
		{"half a frame", riff("fmt ", fmtChunk(stereo8), "data", "abcdef"), Header{stereo8, 44, 4, nil}, nil},
		{"cut short", plain[:47], Header{mono8, 44, 2, nil}, nil},
		{"nothing of it", plain[:44], Header{mono8, 44, 0, nil}, nil},
		{"unknown length", with(plain, 40, "\xff\xff\xff\xff"), Header{mono8, 44, 6, nil}, nil},
		{"audio behind", append(with(plain, 0, ""), "junk"...), Header{mono8, 44, 6, nil}, nil},
		{"cues broken", riff("fmt ", fmtChunk(mono8), "data", "ab", "cue ", "\x09\x00\x00\x00abc", "LIST", "adtllabl\xff\xff\xff\xffab"), Header{mono8, 44, 2, nil}, nil},
		{"empty", nil, Header{}, ErrNotWAV},
		{"RIFF alone", []byte("RIFF\x04\x00\x00\x00WAVE"), Header{}, ErrNotWAV},
		{"AVI", with(plain, 8, "AVI "), Header{}, ErrNotWAV},
		{"no audio", riff("fmt ", fmtChunk(mono8), "LIST", "abcd"), Header{}, ErrNotWAV},
		{"audio before fmt", riff("data", "ab", "fmt ", fmtChunk(mono8)), Header{}, ErrNotWAV},
		{"short fmt", riff("fmt ", "abc", "data", "ab"), Header{}, ErrNotWAV},
		{"zeros", make([]byte, 1000), Header{}, ErrNotWAV},
		{"float", riff("fmt ", string(float), "data", "abcd"), Header{}, ErrFormat},
		{"extensible float", riff("fmt ", extensible(mono8, 3), "data", "abcd"), Header{}, ErrFormat},
		{"8 bits", with(plain, 34, "\x08"), Header{}, ErrFormat},
		{"no channels", with(plain, 22, "\x00"), Header{}, ErrFormat},
		{"100 Hz", with(plain, 24, "\x64\x00"), Header{}, ErrFormat},
		{"wrong frame", with(plain, 32, "\x04"), Header{}, ErrFormat},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newMemFile(tc.file)
			got, err := ReadHeader(f, f.size())
			if !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
				t.Fatalf("error %v, want %v", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
		})
	}
}

// A file of nothing but chunks ends the reading, not the reader.
func TestReadManyChunks(t *testing.T) {
	f := newMemFile(riff("fmt ", fmtChunk(mono8)))
	for range maxChunks + 1 {
		f.data = appendChunk(f.data, "fake", nil)
	}
	f.data = appendChunk(f.data, "data", nil)
	if _, err := ReadHeader(f, f.size()); !errors.Is(err, ErrNotWAV) {
		t.Errorf("error %v", err)
	}
}

// failingReader fails after so many bytes of a file.
type failingReader struct {
	*memFile
	after int64
}

func (r failingReader) ReadAt(b []byte, at int64) (int, error) {
	if at+int64(len(b)) > r.after {
		return 0, errDisk
	}
	return r.memFile.ReadAt(b, at)
}

func TestReadFails(t *testing.T) {
	f := plain.recording(t, mono8, noise(1, 100))
	for after := range int64(plainBytes) {
		r := failingReader{f, after}
		if _, err := ReadHeader(r, f.size()); !errors.Is(err, errDisk) {
			t.Fatalf("ReadHeader with %d bytes = %v", after, err)
		}
		if _, err := Repair(r, f.size(), mono8); !errors.Is(err, errDisk) {
			t.Fatalf("Repair with %d bytes = %v", after, err)
		}
	}
	if f.pwrite != 1 {
		t.Errorf("%d writes to a file that can't be read", f.pwrite-1)
	}
}
