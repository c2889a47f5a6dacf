package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// A file that only a lenient reader hears whole is told from the others, and its plain copy has
// nothing but its format and its audio, as they are.
func TestPlain(t *testing.T) {
	odd := map[string]string{
		"odd LIST without its pad byte": `"LIST" chunk of 5 bytes without its pad byte`,
		"empty data before the data":    "second data", "two data": "second data", "two data, the second cut short": "second data",
		"two data, the second of size 0": "second data", "ID3 before it": "ID3 tag", "ID3 with a footer": "ID3 tag",
	}
	for _, tc := range peoplesFiles() {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Odd(bytes.NewReader(tc.file), int64(len(tc.file)))
			noErr(t, err)
			if want := odd[tc.name]; !strings.Contains(got, want) || want == "" && got != "" {
				t.Errorf("odd: %q, want %q", got, want)
			}
			var plain bytes.Buffer
			noErr(t, WritePlain(&plain, tc.file))
			checkPlain(t, plain.Bytes())
			format, pcm, err := Decode(plain.Bytes())
			if err != nil || format != tc.format || !bytes.Equal(pcm, tc.pcm) {
				t.Errorf("the copy: %v, %v\n% x, want\n% x", format, err, pcm, tc.pcm)
			}
		})
	}
}

// checkPlain reads a file as a program does that takes every size at its word.
func checkPlain(t *testing.T, file []byte) {
	t.Helper()
	u32 := func(at int) int { return int(binary.LittleEndian.Uint32(file[at:])) }
	data := 12 + 8 + u32(16)
	data += data % 2
	if string(file[:4]) != "RIFF" || u32(4) != len(file)-8 || string(file[8:16]) != "WAVEfmt " || string(file[data:data+4]) != "data" {
		t.Fatalf("% x", file)
	}
	if size := u32(data + 4); data+8+size+size%2 != len(file) {
		t.Errorf("%d bytes of audio in %d bytes", size, len(file))
	}
}

func TestPlainNot(t *testing.T) {
	if err := WritePlain(&bytes.Buffer{}, []byte("ID3, or what else begins so")); !errors.Is(err, ErrNotWAV) {
		t.Error(err)
	}
	if err := WritePlain(badWriter{}, riff("fmt ", fmtChunk(mono8), "data", "ab")); !errors.Is(err, errBad) {
		t.Error(err)
	}
}

var errBad = errors.New("bad writer")

type badWriter struct{}

func (badWriter) Write([]byte) (int, error) { return 0, errBad }
