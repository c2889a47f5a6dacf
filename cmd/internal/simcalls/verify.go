package simcalls

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tapdeck/cmd/internal/callview"
	"tapdeck/controller/switchsim"
)

// Verdict is what was found of one call's recording.
type Verdict struct {
	Record  callview.Record
	Samples int64
}

// Verify compares the recording of a simulated call, below the recordings directory dir,
// with the bytes that the simulated switch sent, one by one. The verdict has what was
// found before an error, too.
func Verify(dir string, r switchsim.Report) (v Verdict, err error) {
	if v.Record, err = readRecord(dir, r.UUID); err != nil {
		return v, err
	}
	if v.Record.WAV == "" {
		return v, errors.New("the record names no WAV: " + v.Record.Err)
	}
	_, pcm, err := callview.ReadWAV(filepath.Join(dir, v.Record.WAV))
	if err != nil {
		return v, err
	}
	var said []byte
	for i := range r.Streams {
		said = append(said, r.Streams[i].PCM()...)
	}
	v.Samples = int64(len(pcm) / 2)
	switch {
	case len(said) == 0:
		return v, errors.New("nothing was said into the call")
	case len(pcm) != len(said):
		return v, fmt.Errorf("%d bytes were recorded, %d were said", len(pcm), len(said))
	}
	for i := range pcm {
		if pcm[i] != said[i] {
			return v, fmt.Errorf("sample %d is another", i/2)
		}
	}
	return v, nil
}

// readRecord reads a call's record, in whichever day's folder it is.
func readRecord(dir, uuid string) (r callview.Record, err error) {
	root := os.DirFS(dir)
	found, err := fs.Glob(root, "*/"+uuid+".json")
	if err != nil || len(found) != 1 {
		return r, fmt.Errorf("there are %d records of the call, not one", len(found))
	}
	data, err := fs.ReadFile(root, found[0])
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	return r, err
}
