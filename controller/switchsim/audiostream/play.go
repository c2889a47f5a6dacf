package audiostream

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
)

// tempFiles are the files of streamAudio, until the stream's end (F88).
type tempFiles struct {
	mu    sync.Mutex
	next  int // number of the next one
	paths []string
}

// streamAudio writes the audio of a server's text into a file, and returns the body of the event
// that names it (F85). ok is false if the text is anything else, or is wrong (F87).
func (s *Stream) streamAudio(text string) (body string, ok bool) {
	if s.options.Faults.NoPlay || !strings.Contains(text, "streamAudio") {
		return "", false // which spares most texts the decoding
	}
	var message struct {
		Type string
		Data json.RawMessage
	}
	if json.Unmarshal([]byte(text), &message) != nil || message.Type != "streamAudio" {
		return "", false
	}
	var data struct {
		AudioDataType string
		SampleRate    float64
		AudioData     *string
	}
	if json.Unmarshal(message.Data, &data) != nil || data.AudioData == nil {
		return "", false
	}
	ext, known := extension(data.AudioDataType, int(data.SampleRate))
	decoded, err := decode(*data.AudioData)
	if !known || err != nil {
		return "", false
	}
	path, ok := s.writeFile(ext, decoded)
	if !ok {
		return "", false
	}
	return withFile(message.Data, path), true
}

// decode is base64 as the module takes it: without its padding, too, and with no line end (F167).
func decode(text string) ([]byte, error) {
	if i := strings.IndexAny(text, "\r\n"); i >= 0 {
		return nil, base64.CorruptInputError(i)
	}
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
}

// extension is that of the file for a type and a rate in Hz, which counts only if it is raw.
func extension(kind string, rate int) (ext string, known bool) {
	switch kind {
	case "wav", "mp3", "ogg", "pcmu", "pcma":
		return "." + kind, true
	case "raw":
	default:
		return "", false
	}
	switch rate {
	case 8000, 16000, 24000, 32000, 48000, 64000:
		return ".r" + strconv.Itoa(rate/1000), true
	}
	return "", false
}

// writeFile writes the next file of the stream. A channel's id may be any text, but leads to no
// other folder here.
func (s *Stream) writeFile(ext string, data []byte) (path string, ok bool) {
	f := &s.files
	f.mu.Lock()
	defer f.mu.Unlock()
	id := strings.ReplaceAll(s.options.Channel.Variable("uuid"), "/", "_")
	path, err := s.options.Channel.WriteTemp(id+"_"+strconv.Itoa(f.next)+".tmp"+ext, data)
	if err != nil {
		return "", false
	}
	f.next++
	f.paths = append(f.paths, path)
	return path, true
}

// removeFiles removes the stream's files; the next one is number 0 again.
func (s *Stream) removeFiles() {
	f := &s.files
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, path := range f.paths {
		s.options.Channel.RemoveTemp(path)
	}
	f.paths, f.next = nil, 0
}

// withFile is data, in the order of its members, without audioData and with the file as the last.
func withFile(data json.RawMessage, path string) string {
	var out bytes.Buffer
	d := json.NewDecoder(bytes.NewReader(data))
	d.Token() // {
	out.WriteByte('{')
	for d.More() {
		name, _ := d.Token()
		var value json.RawMessage
		d.Decode(&value)
		if text, _ := name.(string); !strings.EqualFold(text, "audioData") {
			appendMember(&out, text, value)
		}
	}
	quoted, _ := json.Marshal(path)
	appendMember(&out, "file", quoted)
	out.Truncate(out.Len() - 1) // the last comma
	out.WriteByte('}')
	return out.String()
}

func appendMember(out *bytes.Buffer, name string, value json.RawMessage) {
	quoted, _ := json.Marshal(name)
	out.Write(quoted)
	out.WriteByte(':')
	json.Compact(out, value)
	out.WriteByte(',')
}
