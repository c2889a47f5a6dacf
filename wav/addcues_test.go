package wav

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Cues that come later are as those of Finish, byte for byte; a file that has some, or something
// else behind its audio, stays as it is.
func TestAddCues(t *testing.T) {
	format := Format{SampleRate: 8000, Channels: 1}
	cues := []Cue{{Frame: 100, Label: "prompt start"}, {Frame: 5000, Label: "prompt \x00end"}}
	pcm := bytes.Repeat([]byte{1, 2}, 800)
	write := func(cues []Cue) []byte {
		f := newMemFile(nil)
		w := newWriter(t, f, format)
		_, _ = w.Write(pcm)
		for _, c := range cues {
			w.CueAt(c.Frame, c.Label)
		}
		if err := w.Finish(); err != nil {
			t.Fatal(err)
		}
		return f.data
	}
	plain, want := write(nil), write(cues)
	for name, c := range map[string]struct{ before, after []byte }{
		"none":                   {plain, want},
		"half a frame behind it": {append(bytes.Clone(plain), 1), want},
		"it has some":            {want, want},
		"something else":         {append(bytes.Clone(plain), "1234"...), append(bytes.Clone(plain), "1234"...)},
	} {
		t.Run(name, func(t *testing.T) {
			f := newMemFile(bytes.Clone(c.before))
			if err := AddCues(f, int64(len(c.before)), cues); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.after, f.data); diff != "" {
				t.Errorf("file (-want +got):\n%s", diff)
			}
		})
	}
}
