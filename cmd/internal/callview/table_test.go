package callview

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/sink/store"
)

func TestLevelBar(t *testing.T) {
	at := func(v float64) *float64 { return &v }
	got := []string{
		levelBar(at(-60), true), levelBar(at(-100), true), levelBar(at(-30), true), levelBar(at(0), true), levelBar(at(-12), false), levelBar(nil, true), levelBar(nil, false),
	}
	want := []string{
		"···················· -60 dBFS", "···················· -100 dBFS", "██████████·········· -30 dBFS", "████████████████████ 0 dBFS",
		"████████████████···· -12 dBFS, no stream", "no audio yet", "no stream",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The newest calls come first, and so a small terminal cuts off the oldest.
func TestPrintPage(t *testing.T) {
	level := -30.0
	oldest := Running{Call: "u", Caller: "1001", Destination: "9999", Plan: "default", Step: "listen", AgeMS: 61_000, AudioMS: 2340, Live: true, LevelDBFS: &level}
	talking := oldest
	talking.Speaks = "caller"
	newest := Running{Call: "v", Plan: "default", Step: "connect", AgeMS: 5}
	page := &Page{
		Running: []Running{oldest, talking, newest},
		Ended:   []Record{{Call: "w", Result: "refused", Err: "full"}},
	}
	page.Ended[0].Started = time.Date(2026, 11, 22, 10, 0, 0, 0, time.Local)
	page.Ended[0].Ended = page.Ended[0].Started.Add(1500 * time.Millisecond)
	print := func(rows int) string {
		var b strings.Builder
		if err := page.Print(&b, rows); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := `3 calls running
CALL  CALLER  TO    PLAN     STEP     AGE   AUDIO  SPEAKS  LEVEL
v     -       -     default  connect  0.0s  0.0s   -       no stream
u     1001    9999  default  listen   1m1s  2.3s   caller  ██████████·········· -30 dBFS
u     1001    9999  default  listen   1m1s  2.3s   -       ██████████·········· -30 dBFS

ended last
ENDED     CALL  CALLER  TO  PLAN  RESULT   TOOK  AUDIO  LEVEL  FILE
10:00:01  w     -       -   -     refused  1.5s  0.0s   -       (full)
`
	if diff := cmp.Diff(want, print(0)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	small := print(9) // a terminal of nine lines
	if strings.Count(small, "\n") > 9 || !strings.Contains(small, "… and 1 more") || strings.Contains(small, "ended last") || !strings.Contains(small, "connect") {
		t.Errorf("on a small terminal:\n%s", small)
	}
	page.Running[1].Speaks = ""
	if plain := print(0); strings.Contains(plain, "SPEAKS") || !strings.Contains(plain, "2.3s   ██████████·········· -30 dBFS") {
		t.Errorf("without a conversation:\n%s", plain)
	}
	if page.Running[0].Call != "u" {
		t.Error("printing has changed the page")
	}
}

// A call in a conversation says who speaks, any other nothing of it.
func TestPrintRunning(t *testing.T) {
	for speaks, want := range map[string]bool{"": false, "both": true} {
		var out strings.Builder
		if err := (&Running{Call: "u", Step: "agent", Speaks: speaks}).Print(&out); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "speaks       both\n"); got != want {
			t.Errorf("%q:\n%s", speaks, out.String())
		}
	}
}

// A caller chooses his name, but not what the operator's terminal does.
func TestControlCharactersArePrintedAsNone(t *testing.T) {
	evil := "\x1b]0;owned\x07\x1b[2J"
	said := store.Segment{Channel: evil, Text: evil}
	var out bytes.Buffer
	page := &Page{
		Running: []Running{{Caller: evil, Destination: evil, Plan: evil, Transcript: &Words{Format: evil, Err: evil, Last: &said}}},
		Ended: []Record{{Caller: evil, Destination: evil, Plan: evil, Err: evil, Started: time.Now(), Transcript: &store.Transcript{
			Format: evil, Model: evil, Language: evil, Segments: []store.Segment{said}, VTT: evil, Err: evil, Hint: evil,
		}}},
	}
	for _, err := range []error{page.Print(&out, 0), page.Running[0].Print(&out), PrintTimeline(&out, &page.Ended[0])} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if bytes.ContainsAny(out.Bytes(), "\x1b\x07") {
		t.Errorf("%q", out.String())
	}
}

func TestPrintTimeline(t *testing.T) {
	r := &Record{Call: "u", Caller: "1001", Destination: "9999", Plan: "default", Result: "caller_hangup", HangupCause: "NORMAL_CLEARING", HungUpBy: "caller", ListenEndedBy: "digit"}
	r.Started = time.Date(2026, 11, 22, 10, 0, 0, 0, time.Local)
	r.Ended = r.Started.Add(2500 * time.Millisecond)
	if err := json.Unmarshal([]byte(`{"connect":0,"answer":20,"prompt":60,"first_audio":90,"listen":500,"stop":800,"listen_2":1000,"play":1500,"stop_2":2000,"hangup":2400,"\u001b[2J":2450}`), &r.Timeline); err != nil {
		t.Fatal(err)
	}
	r.WAV, r.AudioMS, r.MissingMS, r.RMSDBFS, r.PeakDBFS, r.Connections = "2026-11-22/u.wav", 1900, 20, -20.5, -6, 2
	r.Alarms, r.Recovered = []string{"late_audio"}, true
	var out strings.Builder
	if err := PrintTimeline(&out, r); err != nil {
		t.Fatal(err)
	}
	want := `call u: caller_hangup
  10:00:00.000  +0.000  call started: 1001 to 9999, plan default
  10:00:00.000  +0.000  channel data
  10:00:00.020  +0.020  answered
  10:00:00.060  +0.060  prompt
  10:00:00.090  +0.090  first audio
  10:00:00.500  +0.500  listen
  10:00:00.800  +0.800  stop
  10:00:01.000  +1.000  listen
  10:00:01.500  +1.500  play
  10:00:02.000  +2.000  stop: listening was ended by digit
  10:00:02.400  +2.400  hung up by caller (NORMAL_CLEARING)
  10:00:02.450  +2.450  �[2J
  10:00:02.500  +2.500  call ended: caller_hangup
  2026-11-22/u.wav
  1.9s of audio, 20 ms missing, level -20.5 dBFS, peak -6.0, 2 connections, alarm late_audio, recovered after a crash
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A conversation stands between what happened and what was recorded.
func TestPrintConversation(t *testing.T) {
	r := &Record{Call: "u", Result: "completed", Started: time.Now(), WAV: "u.wav"}
	if err := json.Unmarshal([]byte(`{"format":"twilio","connects":1,"connected_ms":120,"ended_by":"bot","barge_ins":1,"response_ms":[400,900,350],
		"utterances":[{"from_ms":1200,"to_ms":3400,"cleared":false},{"from_ms":15000,"to_ms":15480,"cleared":true}],"dropped_ms":20,"refused_ms":0,"wrong_messages":2,"utterances_in_file":3}`), &r.Agent); err != nil {
		t.Fatal(err)
	}
	print := func() string {
		var out strings.Builder
		if err := PrintTimeline(&out, r); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	want := `  bot (twilio): 1 connection, the first at 0.120 s, 5 utterances, 1 barge-in, response time 400 ms in the middle, 900 ms at most, 2 wrong messages of the bot, 20 ms of the caller dropped: the bot was too slow; ended by the bot
    1.200 s   the bot speaks for 2.200 s
    15.000 s  the bot speaks for 0.480 s, cut short
    …         and 3 more in the record's file
  u.wav
`
	if got := print(); !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := json.Unmarshal([]byte(`{"format":"pcm","connects":0,"ended_by":"failed","utterances":[],"response_ms":[]}`), &r.Agent); err != nil {
		t.Fatal(err)
	}
	r.Agent.Utterances, r.Agent.ResponseMS, r.Agent.ConnectedMS, r.Agent.BargeIns, r.Agent.DroppedMS, r.Agent.UtterancesInFile, r.Agent.WrongMessages = nil, nil, nil, 0, 0, 0, 0
	if got, want := print(), "  bot (pcm): 0 connections, 0 utterances; ended by a failure of the bot\n  u.wav\n"; !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What keeps a call from being recorded, and what to do, stand where a person looks first.
func TestPrintWhyThereIsNoRecording(t *testing.T) {
	print := func(r *Record, timeline string) string {
		r.Call, r.Plan, r.Started = "u", "survey", time.Now()
		if err := json.Unmarshal([]byte(timeline), &r.Timeline); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := PrintTimeline(&out, r); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for _, c := range []struct {
		r              Record
		timeline, want string
	}{
		{Record{Result: "completed"}, `{"answer":1}`, "no recording: plan survey has no step stream\n"},
		{Record{Result: "caller_hangup", Mix: "mono"}, `{"answer":1,"play":2}`, "no recording: the call ended before the stream began\n"},
		{Record{Result: "caller_hangup", Mix: "mono"}, `{"answer":1,"stream":2}`, "no recording: the call ended before the stream's socket came\n"},
		{Record{Result: "caller_hangup", Mix: "mono"}, `{"answer":1,"stream_start":2}`, "no recording: the call ended before the stream's socket came\n"},
		{Record{Result: "aborted", Mix: "mono"}, `{"answer":1}`, "no recording: the call ended before the stream began\n"},
		{Record{Result: "refused", Err: "full", Hint: "raise\x1b it"}, `{"connect":1}`, "no recording\n"},
		{Record{Result: "refused", Err: "full", Hint: "raise\x1b it"}, `{"connect":1}`, "call u: refused (full)\n  hint: raise\uFFFD it\n"},
	} {
		if got := print(&c.r, c.timeline); !strings.Contains(got, c.want) {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}
