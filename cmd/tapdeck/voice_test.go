package main

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"
)

func samples(v ...int16) []byte {
	b, _ := binary.Append(nil, binary.LittleEndian, v)
	return b
}

// The WAVs that people have become a caller's voice.
func TestReadVoice(t *testing.T) {
	for name, tt := range map[string]struct {
		file []byte
		rate int
		pcm  []byte
	}{
		"16 bits":        {wavFile(1, 1, 16000, 16, samples(1, -2), 4), 16000, samples(1, -2)},
		"µ-law":          {wavFile(7, 1, 8000, 8, []byte{0x80, 0xff}, 2), 8000, samples(32124, 0)},
		"A-law":          {wavFile(6, 1, 8000, 8, []byte{0xaa, 0xd5}, 2), 8000, samples(32256, 8)},
		"stereo":         {wavFile(1, 2, 8000, 16, samples(100, 300, -32768, -32768), 8), 8000, samples(200, -32768)},
		"size 0":         {wavFile(1, 1, 8000, 16, samples(5, 6), 0), 8000, samples(5, 6)},
		"behind an ID3":  {append([]byte("ID3\x03\x00\x00\x00\x00\x00\x03abc"), wavFile(1, 1, 8000, 16, samples(5), 2)...), 8000, samples(5)},
		"8 bits, stereo": {wavFile(1, 2, 8000, 8, []byte{129, 131}, 2), 8000, samples(2 << 8)},
	} {
		voice, err := readVoice("--audio", writeFile(t, filepath.Join(t.TempDir(), "voice.wav"), tt.file))
		if err != nil || voice.Rate != tt.rate || !bytes.Equal(samples(voice.PCM...), tt.pcm) {
			t.Errorf("%s: %+v, %v", name, voice, err)
		}
	}
}

// What can't be one is an error with the command that mends it, ready to be pasted.
func TestReadVoiceNot(t *testing.T) {
	for name, tt := range map[string]struct {
		name string
		file []byte
		want string
	}{
		"44.1 kHz":   {"talk.wav", wavFile(1, 2, 44100, 16, samples(1, 2), 4), "it has 44100 Hz; it must have 8000 or 16000: sox DIR/talk.wav -r 8000 -c 1 -b 16 -e signed-integer talk-8k.wav"},
		"its name":   {"it's a talk.wav", wavFile(1, 1, 48000, 16, samples(1, 2), 4), `sox 'DIR/it'\''s a talk.wav' -r 8000 -c 1 -b 16 -e signed-integer 'it'\''s a talk-8k.wav'`},
		"ADPCM":      {"a.wav", wavFile(17, 1, 8000, 4, []byte{1, 2}, 2), "IMA ADPCM of 4 bits; make one of it: sox DIR/a.wav "},
		"no WAV":     {"a.mp3", []byte("\xff\xfb\x90\x64 and so on, for a while"), "not a WAV file; make one of it: sox DIR/a.mp3 -r 8000 -c 1 -b 16 -e signed-integer a-8k.wav"},
		"no audio":   {"a.wav", wavFile(1, 1, 8000, 16, nil, 0), "no audio in it"},
		"empty file": {"a.wav", nil, "not a WAV file"},
	} {
		dir := t.TempDir()
		path := writeFile(t, filepath.Join(dir, tt.name), tt.file)
		want := strings.ReplaceAll(tt.want, "DIR", dir)
		code, _, stderr := runProgram(t, t.Context(), "demo", "--audio", path, "--out", filepath.Join(dir, "out"))
		if code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d, %s\nwant %s", name, code, stderr, want)
		}
	}
}
