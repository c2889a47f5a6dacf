package app

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller"
	"tapdeck/sink/store"
)

// The record has a conversation on the clock of the recording; without one there is none.
func TestRecordOfAConversation(t *testing.T) {
	started := time.Now()
	at := func(ms int) time.Time { return started.Add(time.Duration(ms) * time.Millisecond) }
	position := func(moment time.Time) time.Duration { return moment.Sub(at(500)) }
	outcome := controller.Outcome{Agent: &controller.Conversation{
		Format: "pcm", Connects: 2, Reconnects: 1, BargeIns: 3, ConnectedAt: at(600), EndedBy: "time",
		Utterances: []controller.Utterance{{From: at(1000), To: at(1600), Cleared: true}}, Responses: []time.Duration{420 * time.Millisecond},
		UtterancesDropped: 7, Dropped: time.Second, Refused: 20 * time.Millisecond, Lost: 30 * time.Millisecond, WrongMessages: 4,
	}}
	connected := int64(100)
	want := &store.Agent{
		Format: "pcm", Connects: 2, Reconnects: 1, BargeIns: 3, ConnectedMS: &connected, EndedBy: "time",
		Utterances: []store.Utterance{{FromMS: 500, ToMS: 1100, Cleared: true}}, ResponseMS: []int64{420}, UtterancesDropped: 7, DroppedMS: 1000, RefusedMS: 20, LostMS: 30, WrongMessages: 4,
	}
	if diff := cmp.Diff(want, withOutcome(store.Record{}, outcome, position).Agent); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := withOutcome(store.Record{}, controller.Outcome{}, position).Agent; got != nil {
		t.Errorf("without a bot: %+v", got)
	}
}
