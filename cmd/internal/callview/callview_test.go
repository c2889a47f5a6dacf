package callview

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller"
)

// fixed are calls that never change.
type fixed struct {
	running []controller.Status
	ended   []controller.Ended
}

func (f fixed) Calls() []controller.Status { return f.running }

func (f fixed) Ended() []controller.Ended { return f.ended }

func someCalls() fixed {
	info := func(uuid string) controller.Info {
		return controller.Info{UUID: uuid, Caller: "1001", Destination: "9999", Plan: "default", Peer: "127.0.0.1:5060", Started: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}
	}
	kept := Record{Call: "c", Result: "completed"}
	return fixed{
		running: []controller.Status{
			{Info: info("a"), Step: "listen", StepBegan: time.Now(), Stream: &controller.StreamState{Live: true, Connections: 1, Audio: 2 * time.Second, LevelDBFS: -9.5}},
			{Info: info("b"), Step: "connect", StepBegan: time.Now()},
		},
		ended: []controller.Ended{
			{Info: info("c"), Record: kept},
			{Info: info("d"), Outcome: controller.Outcome{Result: controller.Refused, HungUpBy: "dialplan", Err: "full", Ended: time.Date(2026, 11, 22, 10, 0, 1, 0, time.UTC)}},
		},
	}
}

// TestJSON is that the page's JSON is what it always was.
func TestJSON(t *testing.T) {
	got, err := json.MarshalIndent(NewPage(someCalls(), 1), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = regexp.MustCompile(`("(?:age|step)_ms": )\d+`).ReplaceAll(got, []byte("${1}7"))
	const want = `{
  "running": [
    {
      "call": "a",
      "caller": "1001",
      "destination": "9999",
      "plan": "default",
      "peer": "127.0.0.1:5060",
      "started": "2026-11-22T10:00:00Z",
      "age_ms": 7,
      "step": "listen",
      "step_ms": 7,
      "stream_live": true,
      "connections": 1,
      "audio_ms": 2000,
      "level_dbfs": -9.5
    },
    {
      "call": "b",
      "caller": "1001",
      "destination": "9999",
      "plan": "default",
      "peer": "127.0.0.1:5060",
      "started": "2026-11-22T10:00:00Z",
      "age_ms": 7,
      "step": "connect",
      "step_ms": 7,
      "stream_live": false,
      "connections": 0,
      "audio_ms": 0,
      "level_dbfs": null
    }
  ],
  "ended": [
    {
      "call": "c",
      "caller": "",
      "destination": "",
      "plan": "",
      "variables": {},
      "result": "completed",
      "hangup_cause": "",
      "hung_up_by": "",
      "listen_ended_by": "",
      "started": "0001-01-01T00:00:00Z",
      "timeline": {},
      "digits": [],
      "prompts": [],
      "sample_rate": 0,
      "channels": 0,
      "mix": "",
      "audio_ms": 0,
      "missing_ms": 0,
      "largest_pause_ms": 0,
      "gaps": [],
      "connections": 0,
      "bytes": 0,
      "rms_dbfs": 0,
      "peak_dbfs": 0,
      "digital_silence": false,
      "wav": "",
      "audio_sha256": "",
      "metadata": [],
      "restarts": 0,
      "alarms": [],
      "recovered": false,
      "schema": 1,
      "version": "",
      "instance": ""
    }
  ]
}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if empty, _ := json.Marshal(NewPage(fixed{}, MaxEnded)); string(empty) != `{"running":[],"ended":[]}` {
		t.Errorf("without calls: %s", empty)
	}
}

// Who speaks is there in a conversation with a bot, and only there.
func TestSpeaks(t *testing.T) {
	for want, s := range map[string]*controller.Speaks{
		"": nil, "nobody": {}, "caller": {Caller: true}, "bot": {Bot: true}, "both": {Caller: true, Bot: true},
	} {
		text, err := json.Marshal(running(controller.Status{Speaks: s}))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(text), `"speaks":"`+want+`"`); got != (want != "") {
			t.Errorf("%v: %s", s, text)
		}
	}
}

func TestFind(t *testing.T) {
	calls := someCalls()
	if r, ok := Find(calls, "A").(Running); !ok || r.Step != "listen" {
		t.Errorf("%+v", r)
	}
	twice := fixed{running: []controller.Status{{Info: calls.running[0].Info, Step: "stop"}, {Info: calls.running[0].Info, Step: "tone"}}}
	if r, ok := Find(twice, "a").(Running); !ok || r.Step != "tone" {
		t.Errorf("%+v, want the later of two calls of a channel", r)
	}
	want := Record{
		Call: "d", Caller: "1001", Destination: "9999", Plan: "default", Result: "refused", HungUpBy: "dialplan", Err: "full",
		Started: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), Ended: time.Date(2026, 11, 22, 10, 0, 1, 0, time.UTC),
	}
	if diff := cmp.Diff(want, Find(calls, "d")); diff != "" {
		t.Errorf("a call without a kept record (-want +got):\n%s", diff)
	}
	if found := Find(calls, "e"); found != nil {
		t.Errorf("%+v", found)
	}
}

// A running call says how its conversation with a bot goes, one without a bot nothing.
func TestTalk(t *testing.T) {
	talk := &controller.Conversation{Format: "pcm", Connects: 2, Reconnects: 1, BargeIns: 1, Utterances: make([]controller.Utterance, 3), UtterancesDropped: 4}
	r := running(controller.Status{Agent: talk})
	text, err := json.Marshal(r)
	if want := `"agent":{"format":"pcm","connects":2,"reconnects":1,"utterance_count":7,"barge_ins":1}`; err != nil || !strings.Contains(string(text), want) {
		t.Errorf("%s, %v", text, err)
	}
	if err := json.Unmarshal(text, &Record{}); err != nil {
		t.Errorf("what a running call says is no record's: %v", err) // a client learns only from it which of them it has
	}
	var out strings.Builder
	if err := r.Print(&out); err != nil || !strings.Contains(out.String(), "pcm, 2 connections, 7 utterances, 1 barge-in\n") {
		t.Errorf("%q, %v", out.String(), err)
	}
	out.Reset()
	if err := (&Running{}).Print(&out); err != nil || strings.Contains(out.String(), "bot") {
		t.Errorf("without a bot: %q, %v", out.String(), err)
	}
}
