package audio

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// PCM is the sound of 16-bit little-endian mono samples at a rate in Hz.
func PCM(rate int, pcm []byte) Sound {
	length := time.Duration(len(pcm)/2) * time.Second / time.Duration(rate)
	return Sound{pcm: pcm, rate: rate, Length: length}
}

// Open reads a file of this machine as the switch's players do: by its extension, whatever is in
// it (F130). known is false if it is neither there nor has a name that only a file with samples
// has: such a path may be that of a prompt on a switch elsewhere. ok is false if it can't be played.
func Open(path string) (sound Sound, known, ok bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Sound{}, isRaw(extension(path)), false
	}
	sound, ok = Decode(path, data)
	return sound, true, ok
}

// Decode is how what is in a file sounds. ok is false if it can't be played.
func Decode(path string, data []byte) (sound Sound, ok bool) {
	switch extension(path) {
	case "r8":
		return filePCM(8000, data), true
	case "r16":
		return filePCM(16000, data), true
	case "r24": // the player takes the name for samples of 24 bits
		return filePCM(24000, narrow(data, 3)), true
	case "r32":
		return filePCM(32000, narrow(data, 4)), true
	case "wav":
		return parseWAV(data)
	}
	return Sound{}, false
}

func extension(path string) string { return strings.TrimPrefix(filepath.Ext(path), ".") }

// filePCM is how the samples of a file sound: less than a frame lacks as much of its begin as it lacks of a
// frame (F162).
func filePCM(rate int, pcm []byte) Sound {
	frame, n := rate/50, len(pcm)/2
	if n < frame {
		pcm = append([]byte(nil), pcm...)
		clear(pcm[:2*min(frame-n, n)])
	}
	return PCM(rate, pcm)
}

// isRaw says whether an extension is one that mod_audio_stream gives samples without a header.
func isRaw(ext string) bool {
	switch ext {
	case "r8", "r16", "r24", "r32", "r48", "r64", "pcmu", "pcma":
		return true
	}
	return false
}

// narrow takes the upper 16 bits of little-endian samples of so many bytes.
func narrow(data []byte, width int) []byte {
	pcm := make([]byte, 0, len(data)/width*2)
	for ; len(data) >= width; data = data[width:] {
		pcm = append(pcm, data[width-2:width]...)
	}
	return pcm
}

// parseWAV reads a RIFF file of 16-bit mono PCM.
func parseWAV(data []byte) (Sound, bool) {
	if len(data) < 12 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WAVE" {
		return Sound{}, false
	}
	rate := 0
	for rest := data[12:]; len(rest) >= 8; {
		name, size := string(rest[:4]), int(binary.LittleEndian.Uint32(rest[4:]))
		body := rest[8:][:min(size, len(rest)-8)]
		switch {
		case name == "fmt " && len(body) >= 16 && string(body[:4]) == "\x01\x00\x01\x00" && body[14] == 16:
			rate = int(binary.LittleEndian.Uint32(body[4:]))
		case name == "data" && rate > 0:
			return filePCM(rate, body), true
		}
		rest = rest[8+min(size+size&1, len(rest)-8):]
	}
	return Sound{}, false
}
