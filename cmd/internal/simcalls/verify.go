package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"tapdeck/controller/switchsim"
	"tapdeck/sink"
	"tapdeck/wav"
)

// verdict is what was found of one call's recording; path is relative to the
// recordings' directory.
type verdict struct {
	record  sink.Record
	path    string
	samples int64
}

// verify compares the recording of a simulated call with the bytes that the
// simulated switch sent, one by one.
func verify(dir string, r switchsim.Report) (verdict, error) {
	v := verdict{path: "-"}
	path, err := recordOf(dir, r.UUID)
	if err != nil {
		return v, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(data, &v.record); err != nil {
		return v, fmt.Errorf("read record: %w", err)
	}
	if v.record.WAV == "" {
		return v, errors.New("the record names no WAV: " + v.record.Err)
	}
	v.path = v.record.WAV
	pcm, err := readPCM(filepath.Join(dir, v.path))
	if err != nil {
		return v, err
	}
	var said []byte
	for i := range r.Streams {
		said = append(said, r.Streams[i].PCM()...)
	}
	v.samples = int64(len(pcm) / 2)
	switch {
	case len(said) == 0:
		return v, errors.New("nothing was said into the call")
	case len(pcm) != len(said):
		return v, fmt.Errorf("%d bytes were recorded, %d were said", len(pcm), len(said))
	case !bytes.Equal(pcm, said):
		return v, fmt.Errorf("sample %d is another", differs(pcm, said)/2)
	}
	return v, nil
}

// recordOf returns the path of a call's record, in whichever day's folder it is.
func recordOf(dir, uuid string) (string, error) {
	days, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var found []string
	for _, day := range days {
		path := filepath.Join(dir, day.Name(), uuid+".json")
		if _, err := os.Stat(path); err == nil {
			found = append(found, path)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("there are %d records of the call, not one", len(found))
	}
	return found[0], nil
}

func differs(a, b []byte) int {
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return len(a)
}

// readPCM returns the audio of a WAV file.
func readPCM(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	h, err := wav.ReadHeader(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	pcm := make([]byte, h.DataBytes)
	_, err = io.ReadFull(io.NewSectionReader(f, h.DataOffset, h.DataBytes), pcm)
	return pcm, err
}

// readVoice takes a caller's voice from a WAV.
func readVoice(data []byte) (*switchsim.Voice, error) {
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
