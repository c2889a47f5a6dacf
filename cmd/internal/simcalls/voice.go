package simcalls

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"

	"tapdeck/controller/switchsim"
	"tapdeck/wav"
)

//go:embed speech.wav
var speech []byte

// ReadVoice reads what a caller says from a WAV, or, if path is empty, from the speech
// recording within the program.
func ReadVoice(path string) (*switchsim.Voice, error) {
	data := speech
	if path != "" {
		var err error
		if data, err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	h, err := wav.ReadHeader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	f := h.Format
	if f.Channels != 1 || f.SampleRate != 8000 && f.SampleRate != 16000 {
		return nil, fmt.Errorf("it has %d channels at %d Hz; it must have 1 at 8000 or 16000 Hz (sox IN.wav -r 8000 -c 1 -b 16 OUT.wav)", f.Channels, f.SampleRate)
	}
	if h.DataBytes < 2 {
		return nil, errors.New("it holds no audio")
	}
	return switchsim.VoiceFromBytes(f.SampleRate, data[h.DataOffset:h.DataOffset+h.DataBytes], true), nil
}

// From is the same voice begun at another sample, so that no two callers say the same
// thing at the same time.
func From(v *switchsim.Voice, sample int) *switchsim.Voice {
	return &switchsim.Voice{Rate: v.Rate, PCM: v.PCM, Loop: true, From: int64(sample % len(v.PCM))}
}
