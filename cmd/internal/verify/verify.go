// Package verify compares recordings with what was said into their calls, of which only a
// simulated switch has the very bytes. It starts no goroutine and changes no file.
package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"tapdeck/cmd/internal/callview"
	"tapdeck/controller"
	"tapdeck/controller/switchsim"
	"tapdeck/sink/store"
	"tapdeck/sink/track"
)

// ErrNoRecord is Recording's error if there is no record of the call.
var ErrNoRecord = errors.New("there is no record of the call")

// WithoutGaps returns the PCM of a recording without the silence of the record's gaps, of
// which only ms are known: as much of it, to the sample, as fits what was said.
func WithoutGaps(pcm, said []byte, record callview.Record) []byte {
	frame := 2 * record.Channels
	out := slices.Clone(pcm)
	for _, gap := range joined(record.Gaps) {
		from := commonPrefix(out, said) / frame * frame
		most := min((gap.ms+gap.within)*int64(record.SampleRate)/1000*int64(frame), int64(len(out)-from))
		least := max((gap.ms-gap.within)*int64(record.SampleRate)/1000*int64(frame), 0)
		best, fits := least, -1
		for n := least; n <= most; n += int64(frame) {
			is := commonPrefix(out[from+int(n):], said[from:])
			if (is > fits || from == len(said)) && silent(out[from:from+int(n)]) { // behind all that was said any length fits
				best, fits = n, is
			}
		}
		if fits >= 0 {
			out = slices.Delete(out, from, from+int(best))
		}
	}
	return out
}

// hole is silence of a recording: gaps without audio between them, and by how many ms it may
// be longer or shorter.
type hole struct{ ms, within int64 }

func joined(gaps []track.Gap) (holes []hole) {
	var end int64
	for i, gap := range gaps {
		if i == 0 || gap.AtMS-end > 1 {
			holes = append(holes, hole{})
		}
		last := &holes[len(holes)-1]
		last.ms, last.within = last.ms+gap.MS, last.within+1
		end = gap.AtMS + gap.MS
	}
	return holes
}

func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func silent(pcm []byte) bool { return len(bytes.Trim(pcm, "\x00")) == 0 }

// Recording compares the recording of a simulated call, below the recordings directory dir, but
// for the silence of its gaps, with the bytes that the simulated switch sent. It returns the
// call's record, if there is one, beside an error, too, and how many samples were recorded. A call
// for which the switch was asked for no stream has no recording: its samples are 0 and no error.
// Where it was transferred to is no matter: the simulated switch has no such extension.
func Recording(dir string, r switchsim.Report) (record callview.Record, samples int, err error) {
	found, err := fs.Glob(os.DirFS(dir), "*/"+store.Name(controller.CallID(r.UUID))+".json") // in whichever day's folder
	switch {
	case err == nil && len(found) == 0:
		return record, 0, ErrNoRecord
	case err != nil || len(found) != 1:
		return record, 0, fmt.Errorf("there are %d records of the call, not one", len(found))
	}
	data, err := os.ReadFile(filepath.Join(dir, found[0]))
	if err == nil {
		err = json.Unmarshal(data, &record)
	}
	switch {
	case err != nil:
		return record, 0, err
	case record.WAV == "" && (record.Err == "" || record.Result == "transferred") && !r.Asked("uuid_audio_stream"):
		return record, 0, nil
	case record.WAV == "":
		return record, 0, errors.New("the record names no WAV: " + record.Err)
	}
	_, pcm, err := callview.ReadWAV(filepath.Join(dir, record.WAV))
	if err != nil {
		return record, 0, err
	}
	var said []byte
	for i := range r.Streams {
		said = append(said, r.Streams[i].PCM()...)
	}
	switch {
	case len(said) == 0:
		err = errors.New("nothing was said into the call")
	case !bytes.Equal(WithoutGaps(pcm, said, record), said):
		err = fmt.Errorf("the %d bytes that were recorded are not the %d that were said", len(pcm), len(said))
	}
	return record, len(pcm) / 2, err
}
