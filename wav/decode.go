package wav

import (
	"bytes"
	"fmt"
	"io"
)

// Decode returns the audio of a WAV file in memory as 16-bit PCM, whatever program wrote it:
// PCM of 8, 16, 24 or 32 bits, floating point, µ-law or A-law, at its own rate and with its own
// channels. It accepts what Parse, which believes the header, does not: an ID3 tag
// before the file, a chunk without its pad byte, audio in several data chunks, and audio behind
// a data chunk whose size was never filled in. The audio is copied if it must be. The error is
// ErrNotWAV or ErrFormat.
func Decode(file []byte) (Format, []byte, error) {
	r, start, err := afterTag(bytes.NewReader(file))
	if err != nil {
		return Format{}, nil, err
	}
	file = file[start:]
	l, err := readLayout(r, int64(len(file)))
	if err != nil {
		return Format{}, nil, err
	}
	return l.Format, l.encoding.to16(l.audio(r, file)), nil
}

// audio returns what the data chunks of a file hold, in whole frames each.
func (l *layout) audio(r io.ReaderAt, file []byte) (audio []byte) {
	for i, p := range l.pieces(r) {
		one := file[p.at:][:p.size]
		if i == 0 {
			audio = one[:len(one):len(one)] // appending copies
		} else {
			audio = append(audio, one...)
		}
	}
	return audio
}

// pieces returns where the audio is: what the data chunks of a file hold, in whole frames each.
func (l *layout) pieces(r io.ReaderAt) (list []piece) {
	add := func(at, size int64) {
		if size = l.whole(min(size, l.size-at)); size > 0 {
			list = append(list, piece{at, size})
		}
	}
	add(l.DataOffset, l.declared)
	last, end := l.DataOffset, l.dataEnd()
	for c, err := range chunks(r, end) {
		if err != nil || c.payload > l.size || c.id != "data" && c.end() > l.size {
			break
		}
		if c.id == "data" {
			add(c.payload, c.size)
			last = c.payload
		}
		end = min(c.end(), l.size)
	}
	if len(list) == 0 && end < l.size {
		add(last, l.size)
	}
	return list
}

// afterTag returns a file without the ID3 tag that some programs put before its RIFF, and
// that tag's length.
func afterTag(r io.ReaderAt) (io.ReaderAt, int64, error) {
	const tagHeader, hasFooter = 10, 0x10
	var b [tagHeader]byte
	if n, err := r.ReadAt(b[:], 0); n < len(b) || string(b[:3]) != "ID3" {
		return r, 0, readError(err)
	}
	size := int64(tagHeader)
	if b[5]&hasFooter != 0 {
		size += tagHeader
	}
	for i, seven := range b[6:] { // bits of the length in each of four bytes
		size += int64(seven&0x7f) << (7 * (3 - i))
	}
	var id [4]byte
	if n, err := r.ReadAt(id[:], size); n < len(id) || string(id[:]) != "RIFF" && string(id[:]) != "RF64" {
		return r, 0, readError(err)
	}
	return shifted{r, size}, size, nil
}

// shifted is a file from an offset on.
type shifted struct {
	io.ReaderAt
	by int64
}

func (s shifted) ReadAt(b []byte, at int64) (int, error) { return s.ReaderAt.ReadAt(b, at+s.by) }

// readError is an error of reading that is not the file's end.
func readError(err error) error {
	if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return fmt.Errorf("read header: %w", err)
}
