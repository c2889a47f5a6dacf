package store_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zapcore"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"
)

// transcript is one with n segments, in order.
func transcript(n int) *store.Transcript {
	t := &store.Transcript{Format: "deepgram", Model: "nova-3", Language: "en", Connects: 2, Reconnects: 1, WrongMessages: 3}
	for i := range int64(n) {
		channel := [...]string{"caller", "callee"}[i%2]
		t.Segments = append(t.Segments, store.Segment{Channel: channel, FromMS: 1000 * i, ToMS: 1000*i + 500, Text: fmt.Sprintf("word %d", i), Confidence: 0.5})
	}
	return t
}

// The record of a call that was not transcribed has no transcript, that of another has all of it.
func TestRecordOfATranscript(t *testing.T) {
	text := func(r store.Record) string {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := text(store.Record{TranscriptMissingMS: new(int64)}); strings.Contains(got, "transcript") {
		t.Errorf("without a transcript: %s", got)
	}
	missing := int64(1280)
	want := `"transcript":{"format":"deepgram","model":"nova-3","language":"en","connects":2,"reconnects":1,"segments":[{"channel":"caller","from_ms":0,"to_ms":500,"text":"word 0","confidence":0.5}],"wrong_messages":3,"vtt":""},"transcript_missing_ms":1280,`
	if got := text(store.Record{Transcript: transcript(1), TranscriptMissingMS: &missing}); !strings.Contains(got, want) {
		t.Errorf("with a transcript: %s", got)
	}
	failed := &store.Transcript{Format: "vosk", Err: "dial: refused", Hint: "is it there?", SegmentsDropped: 4}
	want = `"transcript":{"format":"vosk","model":"","language":"","connects":0,"reconnects":0,"segments":[],"segments_dropped":4,"wrong_messages":0,"vtt":"","err":"dial: refused","hint":"is it there?"},"transcript_missing_ms":0,`
	if got := text(store.Record{Transcript: failed}); !strings.Contains(got, want) {
		t.Errorf("without a word: %s", got)
	}
}

// segmentsOf are those of a record's JSON.
func segmentsOf(t *testing.T, r store.Record) *store.Transcript {
	t.Helper()
	text, err := json.Marshal(r)
	var got store.Record
	if err == nil {
		err = json.Unmarshal(text, &got)
	}
	if err != nil {
		t.Fatal(err)
	}
	return got.Transcript
}

// A record has its segments in the order of time, and those of the same moment in theirs.
func TestSegmentsAreInOrder(t *testing.T) {
	record := store.Record{Transcript: &store.Transcript{Segments: []store.Segment{{FromMS: 30, Text: "d"}, {FromMS: 10, Text: "b"}, {FromMS: 30, Text: "e"}, {FromMS: 10, Text: "c"}, {FromMS: 0, Text: "a"}}}}
	before := slices.Clone(record.Transcript.Segments)
	var got strings.Builder
	for _, s := range segmentsOf(t, record).Segments {
		got.WriteString(s.Text)
	}
	if got.String() != "abcde" || !slices.Equal(before, record.Transcript.Segments) {
		t.Errorf("order %s; the call itself has %v", got.String(), record.Transcript.Segments)
	}
}

// A call that is transcribed for days makes no endless record.
func TestTranscriptIsBounded(t *testing.T) {
	const each = 100 << 10
	long := make([]store.Segment, 15)
	for i := range long {
		long[i] = store.Segment{FromMS: int64(i), Text: strings.Repeat("x", each)}
	}
	for name, c := range map[string]struct {
		segments      []store.Segment
		kept, dropped int
	}{
		"segments":     {transcript(store.MaxSegments + 3).Segments, store.MaxSegments, 7},
		"text":         {long, store.MaxSegmentText / each, 4 + 15 - store.MaxSegmentText/each},
		"neither":      {long[:3], 3, 4},
		"at the bound": {[]store.Segment{{Text: strings.Repeat("x", store.MaxSegmentText)}}, 1, 4},
		"beyond it":    {[]store.Segment{{Text: strings.Repeat("x", store.MaxSegmentText+1)}}, 0, 5},
	} {
		got := segmentsOf(t, store.Record{Transcript: &store.Transcript{Segments: c.segments, SegmentsDropped: 4}})
		if len(got.Segments) != c.kept || got.SegmentsDropped != c.dropped {
			t.Errorf("%s: %d segments and %d dropped, want %d and %d", name, len(got.Segments), got.SegmentsDropped, c.kept, c.dropped)
		}
	}
}

// A record in memory has few words, and says how many more its file has.
func TestBriefTranscript(t *testing.T) {
	for name, c := range map[string]struct {
		count, text, kept int
	}{
		"few":   {3, 10, 3},
		"many":  {store.MaxSegments, 10, 50},
		"long":  {100, 1000, 4},
		"huge":  {2, 5000, 0},
		"none":  {0, 0, 0},
		"exact": {4, 1024, 4},
	} {
		record := store.Record{Transcript: transcript(c.count)}
		for i := range record.Transcript.Segments {
			record.Transcript.Segments[i].Text = strings.Repeat("x", c.text)
		}
		got := record.Brief().Transcript
		if len(got.Segments) != c.kept || cap(got.Segments) != c.kept || got.SegmentsInFile != c.count-c.kept || got.SegmentsDropped != 0 || got.Model != "nova-3" {
			t.Errorf("%s: %d segments with room for %d, %d in the file", name, len(got.Segments), cap(got.Segments), got.SegmentsInFile)
		}
		if len(record.Transcript.Segments) != c.count {
			t.Errorf("%s: the record itself has %d segments now", name, len(record.Transcript.Segments))
		}
	}
	if (store.Record{}).Brief().Transcript != nil {
		t.Error("a record without a transcript has one")
	}
}

// No line of the log has a word of what was said, of a whole record and of a brief one.
func TestLogHasNoWords(t *testing.T) {
	record := store.Record{Transcript: transcript(120)}
	for name, r := range map[string]store.Record{"whole": record, "brief": record.Brief()} {
		enc := zapcore.NewMapObjectEncoder()
		if err := r.MarshalLogObject(enc); err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%s", enc.Fields["transcript"])
		if line := fmt.Sprintf("%s", enc.Fields); strings.Contains(line, "word") || !strings.Contains(got, `"segments":[],"segments_in_file":120,`) || !strings.Contains(got, `"connects":2`) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if len(record.Transcript.Segments) != 120 {
		t.Error("the record itself has fewer now")
	}
}

// What was said behind the end of the recording is within it, without a length, and what was noted stays.
func TestTranscriptWithinItsRecording(t *testing.T) {
	a := transcript(3) // from 0, 1000 and 2000 ms, 500 ms each
	var got [][2]int64
	for _, s := range a.Within(1100).Segments {
		got = append(got, [2]int64{s.FromMS, s.ToMS})
	}
	if want := [][2]int64{{0, 500}, {1000, 1100}, {1100, 1100}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if a.Segments[2].ToMS != 2500 || (*store.Transcript)(nil).Within(1) != nil {
		t.Error("the transcript itself was changed, or there is one that was none")
	}
}

// A sidecar has as many of the first words as fit into its page beside the rest of the call, and says how
// many more there were.
func TestSidecarOfATranscript(t *testing.T) {
	long, late := transcript(40), transcript(store.MaxSegments)
	for i := range long.Segments {
		long.Segments[i].Text = strings.Repeat("<", 300) // six bytes each, as JSON
	}
	slices.Reverse(late.Segments[:20])
	for name, c := range map[string]struct {
		said  *store.Transcript
		least int
	}{
		"few": {transcript(3), 3}, "many": {transcript(store.MaxSegments), 15}, "out of order": {late, 15}, "long": {long, 1},
		"none": {transcript(0), 0}, "one that is too long": {&store.Transcript{Segments: []store.Segment{{Text: strings.Repeat("x", page)}}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			part, base, record := running(t, store.OSDisk{})
			record.Transcript = c.said
			record.Digits = []store.Digit{{Digit: "1"}}
			marks := []store.Mark{{Frame: 160, Label: "prompt start"}}
			before := slices.Clone(c.said.Segments)
			if err := part.UpdateSidecar(&record, marks, false); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(base + ".json.part")
			if err != nil || len(text) != page || name != "long" && !strings.Contains(string(text), "prompt start") {
				t.Fatalf("%d bytes, %v: %s", len(text), err, text)
			}
			noted := sinktest.ReadRecord(t, base+".json.part")
			got := noted.Transcript
			if len(got.Segments) < c.least || len(got.Segments)+got.SegmentsDropped != len(before) || noted.Caller != "1001" || len(noted.Digits) != 1 || *noted.TranscriptMissingMS != 0 {
				t.Errorf("%d segments and %d dropped of %d: %s", len(got.Segments), got.SegmentsDropped, len(before), text)
			}
			for i, s := range got.Segments {
				if s.FromMS != int64(1000*i) {
					t.Errorf("segment %d is from %d ms", i, s.FromMS)
				}
			}
			if !slices.Equal(record.Transcript.Segments, before) {
				t.Error("the call itself has other segments now")
			}
		})
	}
}

// The marks and gaps of a call that talks much are in its sidecar, too.
func TestSidecarHasMoreThanWords(t *testing.T) {
	part, base, record := running(t, store.OSDisk{})
	record.Transcript = transcript(store.MaxSegments)
	var marks []store.Mark
	for i := range int64(20) {
		marks = append(marks, store.Mark{Frame: i, Label: "prompt end"})
	}
	if err := part.UpdateSidecar(&record, marks, false); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(base + ".json.part")
	if n := strings.Count(string(text), "prompt end"); err != nil || n != len(marks) {
		t.Errorf("%d of %d marks, %v: %s", n, len(marks), err, text)
	}
}

// What a sidecar costs does not grow with what was said before.
func TestSidecarOfALongTranscriptIsCheap(t *testing.T) {
	sorted, shuffled, long := transcript(store.MaxSegments), transcript(store.MaxSegments), transcript(store.NoteSegments)
	slices.Reverse(shuffled.Segments)
	for i := range long.Segments {
		long.Segments[i].Text = strings.Repeat("x", page)
	}
	cost := func(said *store.Transcript) uint64 {
		const runs = 20
		part, _, record := running(t, store.OSDisk{})
		record.Transcript = said
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			if err := part.UpdateSidecar(&record, nil, false); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / runs
	}
	few := cost(transcript(100))
	for name, said := range map[string]*store.Transcript{"in order": sorted, "in no order": shuffled, "long": long} {
		if got := cost(said); got > 2*few+16<<10 {
			t.Errorf("%s: %d bytes are allocated, %d for a hundred segments", name, got, few)
		}
	}
}

// What Recover knows of the words is what the sidecar has, within the recording.
func TestRecoveredTranscript(t *testing.T) {
	for name, c := range map[string]struct{ said, kept int }{"few": {3, 3}, "many": {store.MaxSegments, 15}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			base := crashedWithWords(t, dir, sinktest.ID, c.said)
			rec := recoverDir(t, dir)
			got := sinktest.ReadRecord(t, base+".json")
			words := got.Transcript
			if len(rec.Files) != 1 || rec.Files[0].Err != nil || words == nil || len(words.Segments) < c.kept || len(words.Segments)+words.SegmentsDropped != c.said || *got.TranscriptMissingMS != 70 {
				t.Fatalf("%v: record %+v, transcript %+v", rec, got, words)
			}
			if last := words.Segments[2]; last.FromMS != 1000 || last.ToMS != 1000 || got.AudioMS != 1000 {
				t.Errorf("%+v", last)
			}
			if diff := cmp.Diff([]string{".json", ".vtt", ".wav"}, extensions(t, base)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			checkVTT(t, dir, got)
		})
	}
}

// crashedWithWords is what a crash leaves of a call with 1 s of audio of which n segments were transcribed.
func crashedWithWords(t *testing.T, dir, id string, n int) (base string) {
	t.Helper()
	base = sinktest.Crashed(t, dir, id, sinktest.Speech(1, 8000))
	record := sinktest.ReadRecord(t, base+".json.part")
	missing := int64(70)
	record.Transcript, record.TranscriptMissingMS = transcript(n), &missing
	note(t, base, record)
	return base
}

// note writes a sidecar as a running call does.
func note(t *testing.T, base string, record store.Record) {
	t.Helper()
	other := t.TempDir()
	part, err := store.New(other, store.OSDisk{}).Create(record.Call, record.Started)
	if err != nil {
		t.Fatal(err)
	}
	defer part.Close()
	if err := part.SaveSidecar(&record, false); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(other, "*", "*.json.part"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	rename(t, found[0], base+".json.part")
}

// Whoever has segments of his own has them as they would be published.
func TestVTTOfSegments(t *testing.T) {
	segments := []store.Segment{{Channel: "caller", FromMS: 1500, ToMS: 2000, Text: "a < b"}, {Channel: "callee", FromMS: 320, ToMS: 1540, Text: "hello"}}
	want := "WEBVTT\n\n00:00:00.320 --> 00:00:01.540\n<v callee>hello\n\n00:00:01.500 --> 00:00:02.000\n<v caller>a &lt; b\n"
	if diff := cmp.Diff(want, string(store.VTT(segments))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if segments[0].FromMS != 1500 {
		t.Error("the segments are in another order now")
	}
}
