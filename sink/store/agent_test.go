package store_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"
)

// conversation is one with n utterances.
func conversation(n int) *store.Agent {
	at := int64(1200)
	a := &store.Agent{Format: "twilio", Connects: 2, ConnectedMS: &at, EndedBy: "bot", BargeIns: 1, Reconnects: 1, DroppedMS: 20, RefusedMS: 40, WrongMessages: 5}
	for i := range int64(n) {
		a.Utterances, a.ResponseMS = append(a.Utterances, store.Utterance{FromMS: 1000 * i, ToMS: 1000*i + 500, Cleared: i == 0}), append(a.ResponseMS, 400+i)
	}
	return a
}

// The record of a call without a bot has no agent, that of one with a bot has all of it.
func TestRecordOfAConversation(t *testing.T) {
	text := func(r store.Record) string {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := text(store.Record{}); strings.Contains(got, "agent") {
		t.Errorf("without a bot: %s", got)
	}
	want := `"agent":{"format":"twilio","connects":2,"connected_ms":1200,"ended_by":"bot","utterances":[{"from_ms":0,"to_ms":500,"cleared":true}],"barge_ins":1,"response_ms":[400],"dropped_ms":20,"refused_ms":40,"reconnects":1,"wrong_messages":5}`
	if got := text(store.Record{Agent: conversation(1)}); !strings.Contains(got, want) {
		t.Errorf("with a bot: %s", got)
	}
	if got := text(store.Record{Agent: &store.Agent{}}); !strings.Contains(got, `"utterances":[],"barge_ins":0,"response_ms":[],`) {
		t.Errorf("with a bot that was not reached: %s", got)
	}
}

// A bot that talks for days makes no endless record, and a record in memory is small.
func TestConversationIsBounded(t *testing.T) {
	record := store.Record{Agent: conversation(store.MaxUtterances + 3)}
	got := fields(t, record, "agent")
	if n := strings.Count(got["agent"], "from_ms"); n != store.MaxUtterances || !strings.Contains(got["agent"], `"utterances_dropped":3`) {
		t.Errorf("%d utterances", n)
	}
	brief := record.Brief().Agent
	if len(brief.Utterances) != 50 || cap(brief.Utterances) > 64 || brief.UtterancesInFile != store.MaxUtterances-50 || len(brief.ResponseMS) != 50 || brief.ResponsesInFile != store.MaxUtterances-50 {
		t.Errorf("%d utterances of %d, %d responses of %d", len(brief.Utterances), brief.UtterancesInFile, len(brief.ResponseMS), brief.ResponsesInFile)
	}
	if len(record.Agent.Utterances) != store.MaxUtterances+3 || (store.Record{}).Brief().Agent != nil {
		t.Error("the record itself has fewer now, or another has a conversation")
	}
}

// A sidecar has as much of the conversation as fits, and what was noted keeps all of it.
func TestSidecarOfAConversation(t *testing.T) {
	part, base, record := running(t, store.OSDisk{})
	for _, n := range []int{3, 500} {
		record.Agent = conversation(n)
		if err := part.UpdateSidecar(&record, nil, false); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(base + ".json.part")
		if err != nil || len(text) != page || !strings.Contains(string(text), `"from_ms":2000`) || strings.Contains(string(text), "utterances_dropped") != (n == 500) {
			t.Errorf("%d utterances: %v: %s", n, err, text)
		}
		if len(record.Agent.Utterances) != n || len(record.Agent.ResponseMS) != n {
			t.Errorf("the call itself has %d utterances now", len(record.Agent.Utterances))
		}
	}
}

// What was heard behind the end of the recording is within it, without a length, and what was noted stays.
func TestConversationWithinItsRecording(t *testing.T) {
	a := conversation(3) // from 0, 1000 and 2000 ms, 500 ms each
	got := a.Within(1100)
	want := []store.Utterance{{ToMS: 500, Cleared: true}, {FromMS: 1000, ToMS: 1100}, {FromMS: 1100, ToMS: 1100}}
	if !slices.Equal(got.Utterances, want) || *got.ConnectedMS != 1100 || got.FirstAudioMS != nil {
		t.Errorf("%+v", got)
	}
	if a.Utterances[2].ToMS != 2500 || *a.ConnectedMS != 1200 || (*store.Agent)(nil).Within(1) != nil {
		t.Error("the conversation itself was changed, or there is one that was none")
	}
}

// A record that Recover makes is of the WAV as it was found.
func TestRecoveredConversationIsWithinItsRecording(t *testing.T) {
	dir := t.TempDir()
	base := sinktest.Crashed(t, dir, sinktest.ID, sinktest.Speech(1, 8000)) // 1 s
	var record map[string]any
	text, err := os.ReadFile(base + ".json.part")
	if err != nil || json.Unmarshal(text, &record) != nil {
		t.Fatalf("%v: %q", err, text)
	}
	record["agent"] = conversation(3)
	if text, err = json.Marshal(record); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(base+".json.part", text, 0o600); err != nil {
		t.Fatal(err)
	}
	recoverDir(t, dir)
	var got store.Record
	if text, err = os.ReadFile(base + ".json"); err != nil || json.Unmarshal(text, &got) != nil || got.Agent == nil {
		t.Fatalf("%v: %s", err, text)
	}
	if last := got.Agent.Utterances[2]; *got.Agent.ConnectedMS != 1000 || last.FromMS != 1000 || last.ToMS != 1000 || got.AudioMS != 1000 {
		t.Errorf("%+v", got.Agent)
	}
}
