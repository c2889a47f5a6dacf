package audiostream

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tapdeck/controller/switchsim/fault"
)

// stored is a channel with a folder for temporary files.
type stored struct {
	nobody
	dir string
}

func (c stored) WriteTemp(name string, data []byte) (string, error) {
	path := filepath.Join(c.dir, name)
	return path, os.WriteFile(path, data, 0o600)
}
func (c stored) RemoveTemp(path string) { os.Remove(path) }

// Whatever a server says is audio that is in a file, named by JSON, or none.
func FuzzStreamAudio(f *testing.F) {
	f.Add(`{"type":"streamAudio","data":{"audioDataType":"raw","sampleRate":8000,"id":"x","audioData":"AAAA"}}`)
	f.Add(`{"type":"streamAudio","data":{"audioDataType":"wav","audioData":"","audioDATA":null}}`)
	f.Add(`{"type":"streamAudio","data":[]}`)
	f.Add(`{"TYPE":"streamAudio","data":{"a":{"b":[1,{}]},"a":1e400}}`)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		s := New(Options{Start: Start{Mix: "mono", Rate: 8000}, Channel: stored{nobody{time.Now()}, dir}, Faults: &fault.Call{}})
		body, ok := s.streamAudio(text)
		if !ok {
			return
		}
		defer s.removeFiles()
		var named struct{ File string }
		if err := json.Unmarshal([]byte(body), &named); err != nil || !strings.HasSuffix(body, `"file":"`+named.File+`"}`) {
			t.Fatalf("body %s: %v", body, err)
		}
		if _, err := os.Stat(named.File); err != nil || filepath.Dir(named.File) != dir {
			t.Fatalf("file %s: %v", named.File, err)
		}
	})
}
