package main

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tapdeck/controller/switchsim"
	"tapdeck/wav"
)

//go:embed speech.wav
var speech []byte

// readVoice reads what callers say from the WAV that a flag names or, if there is none, from the
// speech recording within the program.
func readVoice(flag, path string) (*switchsim.Voice, error) {
	data := speech
	if path != "" {
		var err error
		if data, err = os.ReadFile(path); err != nil {
			return nil, usage(fmt.Errorf("%s: %w", flag, err))
		}
	}
	f, pcm, err := wav.Decode(data)
	switch {
	case err != nil:
		return nil, usage(fmt.Errorf("%s %q: %w; make one of it: %s", flag, path, err, soxLine(path, callerForm, "8k")))
	case len(pcm) == 0:
		return nil, usage(fmt.Errorf("%s %q: there is no audio in it; name a WAV that has some", flag, path))
	case f.SampleRate != 8000 && f.SampleRate != 16000:
		return nil, usage(fmt.Errorf("%s %q: it has %d Hz; it must have 8000 or 16000: %s", flag, path, f.SampleRate, soxLine(path, callerForm, "8k")))
	}
	return switchsim.VoiceFromBytes(f.SampleRate, mixDown(f, pcm), true), nil
}

// callerForm is what sox is told of the audio that callers say.
const callerForm = "-r 8000 -c 1"

// soxLine is the command that makes a file of this form, whose name has this at its end, to be pasted into
// a shell.
func soxLine(path, form, end string) string {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	return fmt.Sprintf("sox %s %s -b 16 -e signed-integer %s", shellWord(path), form, shellWord(name+"-"+end+".wav"))
}

// shellWord writes a text as one word of a shell that is no option.
func shellWord(text string) string {
	if strings.HasPrefix(text, "-") {
		text = "./" + text
	}
	if !strings.ContainsFunc(text, func(r rune) bool {
		return !strings.ContainsRune("/._-+,:@%", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// mixDown makes one channel of several: their mean.
func mixDown(f wav.Format, pcm []byte) []byte {
	if f.Channels == 1 {
		return pcm
	}
	mono := make([]byte, 0, len(pcm)/f.Channels)
	for frame := range slices.Chunk(pcm, f.FrameBytes()) {
		sum := 0
		for sample := range slices.Chunk(frame, 2) {
			sum += int(int16(binary.LittleEndian.Uint16(sample)))
		}
		mono = binary.LittleEndian.AppendUint16(mono, uint16(int16(sum/f.Channels)))
	}
	return mono
}
