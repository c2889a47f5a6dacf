package callview

import (
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
	h, pcm, err := wav.Parse(data)
	if err != nil {
		return format, nil, fmt.Errorf("read WAV: %w", err)
	}
	return h.Format, pcm, nil
}
