package main

import (
	_ "embed"
	"fmt"
	"os"

	"tapdeck/controller/switchsim"
	"tapdeck/wav"
)

//go:embed speech.wav
var speech []byte

// readVoice reads what callers say from the WAV of --audio or, if that is empty, from the
// speech recording within the program.
func readVoice(path string) (*switchsim.Voice, error) {
	data := speech
	if path != "" {
		var err error
		if data, err = os.ReadFile(path); err != nil {
			return nil, usage(fmt.Errorf("--audio: %w", err))
		}
	}
	h, pcm, err := wav.Parse(data)
	f := h.Format
	switch {
	case err != nil:
		return nil, usage(fmt.Errorf("--audio %q: %w", path, err))
	case f.Channels != 1 || f.SampleRate != 8000 && f.SampleRate != 16000 || len(pcm) < 2:
		return nil, usage(fmt.Errorf("--audio %q: it has %d bytes of %d channels at %d Hz; it must have some of 1 at 8000 or 16000 Hz (sox IN.wav -r 8000 -c 1 -b 16 OUT.wav)", path, len(pcm), f.Channels, f.SampleRate))
	}
	return switchsim.VoiceFromBytes(f.SampleRate, pcm, true), nil
}
