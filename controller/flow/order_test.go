package flow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller/flow"
)

func TestOrderOfSteps(t *testing.T) {
	answer, stream, stop, hangup := &flow.Answer{}, &flow.Stream{}, &flow.Stream{Action: "stop"}, &flow.Hangup{}
	listen, silence, noInput := &flow.Listen{For: time.Second}, &flow.Listen{For: time.Second, Silence: time.Second}, &flow.Listen{For: time.Second, NoInput: time.Second}
	agent, untilSaid := &flow.Agent{}, &flow.Listen{For: time.Second, UntilSaid: []string{"stop"}}
	play, transfer := &flow.Play{Files: []string{"a.wav"}}, &flow.Transfer{Number: "5000"}
	for _, c := range []struct {
		name  string
		steps []flow.Step
		at    int // of the step that is wrong; -1 is none
		want  string
	}{
		{"whole plan", []flow.Step{answer, stream, play, silence, hangup}, -1, ""},
		{"no step", nil, -1, ""},
		{"hangup alone", []flow.Step{hangup}, -1, ""},
		{"pause and set before the answer", []flow.Step{&flow.Pause{}, &flow.Set{}, answer}, -1, ""},
		{"a stream again", []flow.Step{answer, stream, stop, stream, listen}, -1, ""},
		{"listen without a stream", []flow.Step{answer, listen}, -1, ""},
		{"listen before answer", []flow.Step{listen, answer}, 0, "must come after answer"},
		{"play before answer", []flow.Step{play}, 0, "must come after answer"},
		{"tone before answer", []flow.Step{&flow.Tone{}}, 0, "must come after answer"},
		{"stream before answer", []flow.Step{stream}, 0, "must come after answer"},
		{"two answers", []flow.Step{answer, answer}, 1, "answered already"},
		{"two streams", []flow.Step{answer, stream, listen, stream}, 3, "runs already"},
		{"stop without a stream", []flow.Step{answer, stop}, 1, "no stream to stop"},
		{"two stops", []flow.Step{answer, stream, stop, stop}, 3, "no stream to stop"},
		{"silence without a stream", []flow.Step{answer, silence}, 1, "silence needs a stream"},
		{"no_input after its stop", []flow.Step{answer, stream, stop, noInput}, 3, "no_input needs a stream"},
		{"until_said", []flow.Step{answer, stream, untilSaid}, -1, ""},
		{"until_said before the answer", []flow.Step{untilSaid, answer}, 0, "must come after answer"},
		{"until_said without a stream", []flow.Step{answer, untilSaid}, 1, "until_said needs a stream: write the step stream before it"},
		{"agent", []flow.Step{answer, stream, agent, play}, -1, ""},
		{"agent before answer", []flow.Step{agent, answer}, 0, "must come after answer"},
		{"agent without a stream", []flow.Step{answer, agent}, 1, "agent needs a stream"},
		{"agent after the stream's stop", []flow.Step{answer, stream, stop, agent}, 3, "agent needs a stream"},
		{"after hangup", []flow.Step{answer, hangup, play}, 2, "nothing can follow hangup"},
		{"after transfer", []flow.Step{answer, transfer, hangup}, 2, "nothing can follow transfer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := flow.Check(c.steps)
			if len(bad) != len(c.steps) {
				t.Fatalf("%d answers for %d steps", len(bad), len(c.steps))
			}
			for i, err := range bad {
				if (err != nil) != (i == c.at) || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("step %d: %v", i, err)
				}
			}
		})
	}
}

func TestPreview(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []flow.Step
		want  []string
	}{
		{
			"flat",
			flow.Flat{
				AnswerPause: 500 * time.Millisecond, Tone: flow.Tone{Frequency: 800, Duration: 250 * time.Millisecond}, Prompt: "a.wav",
				Listen: flow.Listen{For: 15 * time.Second, FinishOn: "#*", Silence: 3 * time.Second},
			}.Steps(),
			[]string{
				"0.0 answer", "0.5 tone 800 Hz for 0.25 s", "0.75 stream start, mono", "0.75 prompt a.wav (its length is the switch's)",
				"prompt+0.0 listen 15 s (ends earlier on digit # or *, 3 s of silence after speech, hangup)", "prompt+15.0 stream stop", "prompt+15.0 hangup",
			},
		},
		{
			"steps",
			[]flow.Step{
				&flow.Answer{}, &flow.Pause{For: time.Second}, &flow.Play{Files: []string{"a.wav", "b.wav"}, StopOn: "1"}, &flow.Stream{},
				&flow.Listen{For: time.Minute, FinishOn: "#", UntilSaid: []string{"stop", "good bye"}, NoInput: 8 * time.Second}, &flow.Stream{Action: "stop"}, &flow.Set{Variable: "x", Value: "y"},
				&flow.Stream{}, &flow.Transfer{Number: "5000", Context: "public"},
			},
			[]string{
				"0.0 answer", "0.0 pause 1 s", "1.0 prompt a.wav (its length is the switch's, ends earlier on digit 1)",
				"play+0.0 prompt b.wav (its length is the switch's, ends earlier on digit 1)", "play:2+0.0 stream start, mono",
				`play:2+0.0 listen 60 s (ends earlier on digit #, the caller says "stop" or "good bye", 8 s without speech, hangup)`, "play:2+60.0 stream stop", "play:2+60.0 set x=y",
				"play:2+60.0 stream start, mono", "play:2+60.0 stream stop", "play:2+60.0 transfer to 5000 XML public",
			},
		},
		{
			"agent",
			[]flow.Step{&flow.Answer{}, &flow.Stream{}, &flow.Agent{For: time.Minute, Bot: flow.Bot{URL: "wss://bot.example:8443/media?secret", OnClose: flow.ThenContinue, OnFailure: flow.ThenDialplan}}, &flow.Hangup{}},
			[]string{
				"0.0 answer", "0.0 stream start, mono", "0.0 talk with the bot at bot.example:8443, 60 s at most (if it ends: the next step; if it fails: back to the dialplan)",
				"60.0 stream stop", "60.0 hangup",
			},
		},
		{"nothing but a cause", []flow.Step{&flow.Hangup{Cause: "USER_BUSY"}}, []string{"0.0 hangup, USER_BUSY"}},
		{"no end", []flow.Step{&flow.Answer{}, &flow.Stream{}}, []string{"0.0 answer", "0.0 stream start, mono", "0.0 stream stop", "0.0 hangup"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, line := range flow.Describe(c.steps, "mono") {
				got = append(got, line.Time+" "+line.Text)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The flat form goes by the names that it has always had.
func TestNamesOfTheFlatForm(t *testing.T) {
	var names []string
	for _, s := range (flow.Flat{AnswerPause: 1, Tone: flow.Tone{Duration: 1}, Prompt: "a"}).Steps() {
		names = append(names, s.Name())
	}
	if diff := cmp.Diff([]string{"answer", "answer_pause", "tone", "stream_start", "prompt", "listen", "hangup"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	names = nil
	for _, s := range (flow.Flat{Agent: &flow.Agent{}}).Steps() {
		names = append(names, s.Name())
	}
	if diff := cmp.Diff([]string{"answer", "stream_start", "agent", "hangup"}, names); diff != "" {
		t.Errorf("with a bot (-want +got):\n%s", diff)
	}
	names = nil
	for _, s := range (flow.Flat{}).Steps() {
		names = append(names, s.Name())
	}
	if diff := cmp.Diff([]string{"answer", "stream_start", "listen", "hangup"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
