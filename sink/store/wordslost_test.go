package store_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"
)

// What was said since the last note is missing in a recovered record, unless the call's own result is known.
func TestWordsLostInACrash(t *testing.T) {
	words := func(ends ...int64) *store.Transcript {
		said := &store.Transcript{Format: "vosk"}
		for _, end := range ends {
			said.Segments = append(said.Segments, store.Segment{Channel: "caller", FromMS: 100, ToMS: end, Text: "word"})
		}
		return said
	}
	failed := words(400)
	failed.Err, failed.Hint = "the service refused the key", "look at the key"
	lost := []string{store.AlarmTranscript}
	for name, c := range map[string]struct {
		said    *store.Transcript
		noted   int64
		alarms  []string
		result  string
		missing int64
		want    []string
		err     string
	}{
		"behind the last segment":   {words(700, 300), 0, nil, "", 300, lost, "tapdeck ended"},
		"no segment":                {words(), 200, nil, "", 1000, lost, "tapdeck ended"},
		"more was noted":            {words(700), 450, nil, "", 450, lost, "tapdeck ended"},
		"all was heard":             {words(1200), 0, nil, "", 0, []string{}, ""},
		"the alarm is known":        {words(700), 0, []string{"no_audio", store.AlarmTranscript}, "", 300, []string{"no_audio", store.AlarmTranscript}, "tapdeck ended"},
		"the service's own error":   {failed, 0, nil, "", 600, lost, "refused"},
		"the call's end was known":  {words(700), 0, nil, "completed", 0, []string{}, ""},
		"recovered, and not saved":  {words(700), 300, lost, "aborted", 300, lost, "tapdeck ended"},
		"nothing was to be written": {nil, 0, nil, "", -1, []string{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			base := sinktest.Crashed(t, dir, sinktest.ID, sinktest.Speech(1, 8000))
			record := sinktest.ReadRecord(t, base+".json.part")
			record.Transcript, record.TranscriptMissingMS, record.Alarms, record.Result = c.said, &c.noted, c.alarms, c.result
			note(t, base, record)
			recoverDir(t, dir)
			got := sinktest.ReadRecord(t, base+".json")
			if diff := cmp.Diff(c.want, got.Alarms); diff != "" {
				t.Errorf("alarms (-want +got):\n%s", diff)
			}
			checkLost(t, got, c.missing, c.err)
		})
	}
}

// checkLost expects so much audio without words, -1 for no transcript, and an error with its hint.
func checkLost(t *testing.T, got store.Record, missing int64, text string) {
	t.Helper()
	if missing < 0 {
		if got.Transcript != nil || got.TranscriptMissingMS != nil {
			t.Errorf("transcript %+v", got.Transcript)
		}
		return
	}
	if *got.TranscriptMissingMS != missing {
		t.Errorf("%d ms missing, want %d", *got.TranscriptMissingMS, missing)
	}
	if words := got.Transcript; !strings.Contains(words.Err, text) || (words.Err == "") != (text == "") || (words.Hint == "") != (text == "") {
		t.Errorf("err %q, hint %q, want %q", words.Err, words.Hint, text)
	}
}

// Of a call whose WAV is gone the sidecar says how much audio there was.
func TestWordsLostWithTheirRecording(t *testing.T) {
	dir := t.TempDir()
	base := sinktest.Crashed(t, dir, sinktest.ID, sinktest.Speech(1, 8000))
	record := sinktest.ReadRecord(t, base+".json.part")
	record.Transcript, record.AudioMS = transcript(1), 900
	note(t, base, record)
	if err := os.Remove(base + ".wav.part"); err != nil {
		t.Fatal(err)
	}
	recoverDir(t, dir)
	checkLost(t, sinktest.ReadRecord(t, base+".json"), 400, "tapdeck ended")
}
