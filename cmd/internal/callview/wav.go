package callview

import (
	"bytes"
	"fmt"
	"os"

	"tapdeck/wav"
)

// ReadWAV reads a whole recording into memory.
func ReadWAV(path string) (format wav.Format, pcm []byte, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return format, nil, err
	}
	return ParseWAV(data)
}

// ParseWAV returns the audio of a WAV.
func ParseWAV(data []byte) (format wav.Format, pcm []byte, err error) {
	h, err := wav.ReadHeader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return format, nil, fmt.Errorf("read WAV: %w", err)
	}
	return h.Format, data[h.DataOffset:][:h.DataBytes], nil
}
