package callview

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/transcript"
)

// A running call says what was said last, one that is not transcribed nothing of it.
func TestWordsOfARunningCall(t *testing.T) {
	said := []transcript.Segment{
		{Channel: "callee", From: time.Second, To: 2 * time.Second, Text: "yes?"},
		{Channel: "caller", From: 12340 * time.Millisecond, To: 15 * time.Second, Text: "hello", Confidence: 0.9, Final: true},
	}
	r := running(controller.Status{Transcript: &controller.Transcription{Format: "deepgram", Connects: 2, Reconnects: 1, Segments: said, SegmentsDropped: 3}})
	text, err := json.Marshal(r)
	if want := `"transcript":{"format":"deepgram","connects":2,"segment_count":5,"last":{"channel":"caller","from_ms":12340,"to_ms":15000,"text":"hello","confidence":0.9}}`; err != nil || !strings.Contains(string(text), want) {
		t.Errorf("%s, %v", text, err)
	}
	if err := json.Unmarshal(text, &Record{}); err != nil {
		t.Errorf("what a running call says is no record's: %v", err) // a client learns only from it which of them it has
	}
	for want, status := range map[string]controller.Status{
		"transcript   deepgram, 2 connections, 5 segments\n  said last    at 12.340 s, caller: hello\n": {Transcript: &controller.Transcription{Format: "deepgram", Connects: 2, Segments: said, SegmentsDropped: 3}},
		"transcript   vosk, 0 connections, 0 segments; given up: refused\n":                             {Transcript: &controller.Transcription{Format: "vosk", Err: "refused"}},
		"level        no stream\n": {},
	} {
		r, out := running(status), strings.Builder{}
		if err := r.Print(&out); err != nil || !strings.HasSuffix(out.String(), want) {
			t.Errorf("%s%v, want\n%s", out.String(), err, want)
		}
	}
}

// What was said stands between what happened and what was recorded.
func TestPrintTranscript(t *testing.T) {
	for _, c := range []struct{ record, want string }{
		{
			`"transcript":{"format":"deepgram","model":"nova-3","language":"en","connects":2,"reconnects":1,"segments":[{"channel":"caller","from_ms":1340,"to_ms":2000,"text":"hello"},{"channel":"callee","from_ms":12340,"to_ms":13000,"text":"good\u001bbye\u202e"}],"segments_in_file":60,"segments_dropped":3,"wrong_messages":1,"vtt":"2026-11-22/u.vtt","err":"the service is slow","hint":"look at it"},"transcript_missing_ms":1280`,
			`  transcript (deepgram, nova-3, en): 2 connections, 62 segments, 3 more are not in the record, 1280 ms of the audio missing, 1 wrong message of the service
    the service is slow
    hint: look at it
    1.340 s   caller: hello
    12.340 s  callee: good` + "\uFFFDbye\uFFFD" + `
    …         and 60 more in the record's file
    2026-11-22/u.vtt
  2026-11-22/u.wav
`,
		},
		{`"transcript":{"format":"vosk","connects":1,"segments":[],"vtt":""},"transcript_missing_ms":0`, "  transcript (vosk): 1 connection, 0 segments\n  2026-11-22/u.wav\n"},
		{`"recovered":false`, "call ended: completed\n  2026-11-22/u.wav\n"},
	} {
		var r Record
		if err := json.Unmarshal([]byte(`{"call":"u","result":"completed","wav":"2026-11-22/u.wav","started":"2026-11-22T10:00:00Z","ended":"2026-11-22T10:01:00Z",`+c.record+`}`), &r); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := PrintTimeline(&out, &r); err != nil || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s%v, want\n%s", out.String(), err, c.want)
		}
	}
}
