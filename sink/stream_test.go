package sink

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestStreamBecomesAFile(t *testing.T) {
	b := serveTCP(t, testConfig(t))
	r := b.expect(testCall(testID))
	s := b.connect(r)
	pcm := speech(1, 8000)
	s.text(`{"a":"b"}`)
	for i := 0; i < len(pcm); i += 320 {
		s.audio(pcm[i : i+320])
	}
	s.hangUp()
	record := b.finish(r)

	day := time.Now().UTC().Format(dayForm)
	if want := day + "/" + testID + ".wav"; record.WAV != want {
		t.Errorf("wav %q, want %q", record.WAV, want)
	}
	got, _ := readWAV(t, b.path(record.WAV))
	if !bytes.Equal(got, pcm) {
		t.Errorf("the file holds %d bytes that differ from the %d sent", len(got), len(pcm))
	}
	if diff := cmp.Diff(b.saved(record), record, cmp.Comparer(time.Time.Equal), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("record (-file +returned):\n%s", diff)
	}
	if diff := cmp.Diff([]string{`{"a":"b"}`}, record.Metadata); diff != "" {
		t.Error(diff)
	}
	names, err := os.ReadDir(b.path(day))
	if err != nil || len(names) != 2 {
		t.Errorf("the folder holds %v (%v), want the WAV and the record alone", names, err)
	}
}
