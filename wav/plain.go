package wav

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Odd says what in a file of size bytes keeps programs that take its chunks at their word from
// audio that Decode reads: a tag before the file, a chunk without its pad byte, a second data
// chunk. It returns "" if nothing does, and an error of r.
func Odd(r io.ReaderAt, size int64) (string, error) {
	r, start, err := afterTag(r)
	switch {
	case err != nil:
		return "", err
	case start > 0:
		return "an ID3 tag before RIFF", nil
	}
	heard := false // of audio
	for c, err := range chunks(r, riffHeader) {
		switch {
		case err != nil || c.payload > size:
			return "", nil // what follows is no chunk, and nobody looks at it
		case c.id == "data" && heard:
			return "a second data chunk", nil
		case c.size%2 > c.pad && c.end() < size:
			return fmt.Sprintf("a %q chunk of %d bytes without its pad byte", c.id, c.size), nil
		}
		heard = heard || c.id == "data"
	}
	return "", nil
}

// WritePlain writes what Decode reads of a file in memory as a file that any program reads: with
// its fmt chunk and its audio as they are, in one data chunk, and with nothing else. The error is
// ErrNotWAV, ErrFormat or ErrTooLarge, or of w.
func WritePlain(w io.Writer, file []byte) error {
	r, start, err := afterTag(bytes.NewReader(file))
	if err != nil {
		return err
	}
	file = file[start:]
	l, err := readLayout(r, int64(len(file)))
	if err != nil {
		return err
	}
	var format []byte
	for c := range wholeChunks(r, riffHeader, l.DataOffset) {
		if c.id == "fmt " {
			format = file[c.payload:][:c.size]
		}
	}
	audio := l.audio(r, file)
	return writeChunks(w, format, audio)
}

// writeChunks writes a file of two chunks.
func writeChunks(w io.Writer, format, audio []byte) error {
	size := len("WAVE") + 2*chunkHeader + len(format) + len(format)%2 + len(audio) + len(audio)%2
	if int64(size) > math.MaxUint32 {
		return fmt.Errorf("write plain file: %w", ErrTooLarge)
	}
	b := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(size))
	b = append(b, "WAVE"...)
	for _, c := range []struct {
		id   string
		body []byte
	}{{"fmt ", format}, {"data", audio}} {
		b = binary.LittleEndian.AppendUint32(append(b, c.id...), uint32(len(c.body)))
		pad := make([]byte, len(c.body)%2)
		for _, piece := range [][]byte{b, c.body, pad} {
			if _, err := w.Write(piece); err != nil {
				return fmt.Errorf("write plain file: %w", err)
			}
		}
		b = b[:0]
	}
	return nil
}
