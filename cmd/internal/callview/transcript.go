package callview

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"tapdeck/controller"
	"tapdeck/controller/transcript"
	"tapdeck/sink/store"
)

// Words are what was said in a running call, as far as it has come. Its members are none that a record has as
// something else.
type Words struct {
	Format   string `json:"format"`
	Connects int    `json:"connects"`
	// Segments counts the final ones, of which Last is the latest; nil if there is none.
	Segments int            `json:"segment_count"`
	Last     *store.Segment `json:"last,omitempty"`
	// Err is why the service is given up; empty if it is not.
	Err string `json:"err,omitempty"`
}

// words are what is known of a call's transcription; nil if it has none.
func words(t *controller.Transcription) *Words {
	if t == nil {
		return nil
	}
	w := &Words{Format: t.Format, Connects: t.Connects, Segments: len(t.Segments) + t.SegmentsDropped, Err: t.Err}
	if n := len(t.Segments); n > 0 {
		w.Last = segment(t.Segments[n-1])
	}
	return w
}

// segment is one as pages have it.
func segment(s transcript.Segment) *store.Segment {
	return &store.Segment{Channel: s.Channel, FromMS: s.From.Milliseconds(), ToMS: s.To.Milliseconds(), Text: s.Text, Confidence: s.Confidence}
}

// rows are those of a running call.
func (t *Words) rows() [][2]string {
	if t == nil {
		return nil
	}
	list := [][2]string{{"transcript", strings.Join([]string{t.Format, plural(t.Connects, "connection"), plural(t.Segments, "segment")}, ", ")}}
	if t.Err != "" {
		list[0][1] += "; given up: " + t.Err
	}
	if s := t.Last; s != nil {
		list = append(list, [2]string{"said last", fmt.Sprintf("at %.3f s, %s: %s", float64(s.FromMS)/1000, s.Channel, s.Text)})
	}
	return list
}

// printTranscript writes what was said in a call that has ended, at its positions in the recording.
func printTranscript(w io.Writer, r *Record) error {
	t := r.Transcript
	fmt.Fprintf(w, "  transcript (%s): %s\n", printable(strings.Join(named(t), ", ")), strings.Join(counted(t, r.TranscriptMissingMS), ", "))
	if t.Err != "" {
		fmt.Fprintf(w, "    %s\n", printable(t.Err))
	}
	if t.Hint != "" {
		fmt.Fprintf(w, "    hint: %s\n", printable(t.Hint))
	}
	list := newTable(w)
	for _, s := range t.Segments {
		fmt.Fprintf(list, "    %.3f s\t%s: %s\n", float64(s.FromMS)/1000, printable(s.Channel), printable(s.Text))
	}
	if more := t.SegmentsInFile; more > 0 {
		fmt.Fprintf(list, "    …\tand %d more in the record's file\n", more)
	}
	if err := list.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, between("    ", t.VTT, "\n"))
	return err
}

// named are the service's wire and, if the plan names them, model and language.
func named(t *store.Transcript) []string {
	list := []string{cmp.Or(t.Format, "-")}
	for _, text := range []string{t.Model, t.Language} {
		if text != "" {
			list = append(list, text)
		}
	}
	return list
}

// counted are what a transcript has, and what it has not.
func counted(t *store.Transcript, missing *int64) []string {
	list := []string{plural(t.Connects, "connection"), plural(len(t.Segments)+t.SegmentsInFile, "segment")}
	if t.SegmentsDropped > 0 {
		list = append(list, fmt.Sprintf("%d more are not in the record", t.SegmentsDropped))
	}
	if missing != nil && *missing > 0 {
		list = append(list, fmt.Sprintf("%d ms of the audio missing", *missing))
	}
	if t.WrongMessages > 0 {
		list = append(list, plural(t.WrongMessages, "wrong message")+" of the service")
	}
	return list
}
