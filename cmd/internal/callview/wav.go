package callview

import (
	"fmt"
	"io"
	"os"

	"tapdeck/wav"
)

// maxPCM bounds the bytes of a recording that is read into memory.
const maxPCM = 512 << 20

// ReadWAV reads a whole recording into memory.
func ReadWAV(path string) (format wav.Format, pcm []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return format, nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return format, nil, err
	}
	h, err := wav.ReadHeader(f, info.Size())
	if err != nil {
		return format, nil, fmt.Errorf("read WAV: %w", err)
	}
	if h.DataBytes > maxPCM {
		return format, nil, fmt.Errorf("read WAV: it holds %d bytes of audio, more than %d", h.DataBytes, maxPCM)
	}
	pcm = make([]byte, h.DataBytes)
	_, err = io.ReadFull(io.NewSectionReader(f, h.DataOffset, h.DataBytes), pcm)
	return h.Format, pcm, err
}
