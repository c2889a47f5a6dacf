package app

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller"
	"tapdeck/controller/transcript"
	"tapdeck/sink/store"
)

// The record has what was said, with or without a recording; without a transcription there is none.
func TestRecordOfATranscription(t *testing.T) {
	const ms = time.Millisecond
	outcome := controller.Outcome{Transcript: &controller.Transcription{
		Format: "deepgram", Model: "nova-3", Language: "en", Connects: 2, Reconnects: 1,
		Segments: []transcript.Segment{
			{Channel: transcript.ChannelCaller, From: 1020 * ms, To: 2500 * ms, Text: "hello", Confidence: 0.97, Final: true},
			{Channel: transcript.ChannelCallee, From: 900 * ms, To: 950 * ms, Text: "hi", Final: true},
		},
		SegmentsDropped: 3, Missing: 1279*ms + 600*time.Microsecond, WrongMessages: 4, Err: "lost", Hint: "look",
	}}
	want := &store.Transcript{
		Format: "deepgram", Model: "nova-3", Language: "en", Connects: 2, Reconnects: 1,
		Segments: []store.Segment{
			{Channel: "caller", FromMS: 1020, ToMS: 2500, Text: "hello", Confidence: 0.97},
			{Channel: "callee", FromMS: 900, ToMS: 950, Text: "hi"},
		},
		SegmentsDropped: 3, WrongMessages: 4, Err: "lost", Hint: "look",
	}
	got := withOutcome(store.Record{}, outcome, nil)
	if diff := cmp.Diff(want, got.Transcript); diff != "" || *got.TranscriptMissingMS != 1280 {
		t.Errorf("%d ms are missing (-want +got):\n%s", *got.TranscriptMissingMS, diff)
	}
	if got := withOutcome(store.Record{}, controller.Outcome{}, nil); got.Transcript != nil || got.TranscriptMissingMS != nil {
		t.Errorf("without a transcription: %+v", got.Transcript)
	}
}

// A note has the first words alone, and the transcription keeps all.
func TestNoteHasTheFirstWords(t *testing.T) {
	all := &controller.Transcription{Segments: make([]transcript.Segment, 1000), SegmentsDropped: 5}
	got := shortened(all, store.NoteSegments)
	if len(got.Segments) != store.NoteSegments || got.SegmentsDropped != 5+1000-store.NoteSegments || len(all.Segments) != 1000 || all.SegmentsDropped != 5 {
		t.Errorf("%d segments, %d dropped", len(got.Segments), got.SegmentsDropped)
	}
	if few := (&controller.Transcription{Segments: all.Segments[:3]}); shortened(few, 3) != few || shortened(nil, 3) != nil {
		t.Error("what is short enough is another one")
	}
}
