package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// ErrNoVTT says that a record was saved, and without the file of its words, which are in the record.
var ErrNoVTT = errors.New("the transcript has no file")

// HintNoVTT says what to do about ErrNoVTT.
const HintNoVTT = "the words are in the record, only their file beside the recording, .vtt, is missing: see the disk of sink.directory; a file that has its name stays as it is"

// VTT is segments, in whatever order, as they are published beside a recording.
func VTT(segments []Segment) []byte { return vttText(inOrder(segments)) }

// vttBegin is the first line of every WebVTT.
const vttBegin = "WEBVTT\n"

// vttText is the words of a transcript as WebVTT: a cue for each segment, with the channel as its voice.
func vttText(segments []Segment) []byte {
	b := []byte(vttBegin)
	for i := range segments {
		s := &segments[i]
		from := max(s.FromMS, 0)
		b = fmt.Appendf(b, "\n%s --> %s\n<v %s>%s\n", vttTime(from), vttTime(max(s.ToMS, from+1)), vttLine(s.Channel), vttLine(s.Text))
	}
	return b
}

// vttTime is a position in a recording as WebVTT has it.
func vttTime(ms int64) string {
	seconds := ms / 1000
	return fmt.Sprintf("%02d:%02d:%02d.%03d", seconds/3600, seconds/60%60, seconds%60, ms%1000)
}

var vttEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// vttLine is a text as it can be in a line of a cue: what ends a line, or is a control character, is a blank.
// With no > there is no arrow, either.
func vttLine(text string) string {
	breaks := func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }
	if strings.ContainsFunc(text, breaks) {
		text = strings.Join(strings.FieldsFunc(text, breaks), " ")
	}
	return vttEscapes.Replace(strings.ToValidUTF8(text, "\ufffd"))
}

// saveVTT publishes the words of a record, if it has any and its WAV is published, under the WAV's name, and
// names the file in the record, whose transcript is another one then. A file of that name is somebody
// else's, and an error, but for Recover: to it, WebVTT is what was published before the crash.
func (s *Store) saveVTT(record *Record) error {
	t := record.Transcript.whole()
	if record.Transcript = t; t == nil {
		return nil
	}
	t.VTT = ""
	stem, published := strings.CutSuffix(record.WAV, wavExt)
	if !published {
		return nil
	}
	name := filepath.FromSlash(stem)
	known, err := false, error(nil)
	if record.Recovered {
		known, err = s.restoreVTT(name)
	}
	if !known && err == nil && len(t.Segments) > 0 {
		known, err = s.createVTT(name, vttText(t.Segments))
	}
	if known {
		t.VTT = stem + vttExt
	}
	if err != nil {
		return fmt.Errorf("save transcript: %w", err)
	}
	return nil
}

// createVTT publishes a text as the words of a name. Beside an error the file may have its name.
func (s *Store) createVTT(name string, text []byte) (published bool, err error) {
	path := s.path(name) + vttExt
	err = s.createFile(path+newExt, text, true, func() error {
		if err := s.disk.Rename(path+newExt, path); err != nil {
			return err
		}
		published = true
		return s.syncNames(name)
	})
	return published, err
}

// restoreVTT says whether the words of a name were published before a crash. A name that was only
// reserved is given to the file that it was reserved for.
func (s *Store) restoreVTT(name string) (published bool, err error) {
	path := s.path(name) + vttExt
	if !isReservation(path) {
		return isVTT(path), nil
	}
	if err := dropReservation(path); err != nil {
		return false, err
	}
	err = s.disk.Rename(path+newExt, path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// isVTT says whether a file begins as WebVTT does. It opens nothing but a file.
func isVTT(path string) bool {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	begin := make([]byte, len(vttBegin))
	_, err = io.ReadFull(f, begin)
	return err == nil && string(begin) == vttBegin
}
