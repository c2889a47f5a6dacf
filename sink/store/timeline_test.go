package store_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapdeck/sink/store"
)

// A timeline is one object in the order of time, and a name that comes again is numbered.
func TestTimelineAsJSON(t *testing.T) {
	for want, timeline := range map[string]store.Timeline{
		`{}`: nil,
		`{"connect":3,"answer":24,"stream_start":24,"prompt":24,"listen":900}`: {{"connect", 3}, {"answer", 24}, {"stream_start", 24}, {"prompt", 24}, {"listen", 900}},
		`{"play":1,"listen":2,"play_2":3,"listen_2":4,"listen_3":5}`:           {{"listen", 2}, {"play", 1}, {"listen", 4}, {"play", 3}, {"listen", 5}},
		`{"a\"b":1,"a\"b_2":2}`: {{`a"b`, 1}, {`a"b`, 2}},
	} {
		before := fmt.Sprint(timeline)
		got, err := json.Marshal(timeline)
		if err != nil || string(got) != want {
			t.Errorf("%v as JSON: %s, %v, want %s", timeline, got, err, want)
		}
		if fmt.Sprint(timeline) != before {
			t.Errorf("encoding has changed the timeline to %v", timeline)
		}
		var back store.Timeline
		if err := json.Unmarshal(got, &back); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(timeline.InOrder(), back); diff != "" {
			t.Errorf("%s decoded (-want +got):\n%s", got, diff)
		}
	}
}

// A timeline that others wrote is read in the order of the file.
func TestTimelineFromJSON(t *testing.T) {
	for text, want := range map[string]store.Timeline{
		`null`: nil,
		`{"answer": 24, "listen": 7, "tone": null, "hangup": 0}`:     {{"answer", 24}, {"listen", 7}, {"hangup", 0}},
		`{"play_2":1,"play":2,"play_3":3,"play_2":4,"play_x":5}`:     {{"play_2", 1}, {"play", 2}, {"play_3", 3}, {"play", 4}, {"play_x", 5}},
		`{"_2":1,"a":2,"a_1":3,"a_-2":4,"a_99999999999999999999":5}`: {{"_2", 1}, {"a", 2}, {"a_1", 3}, {"a_-2", 4}, {"a_99999999999999999999", 5}},
	} {
		got := store.Timeline{{"old", 1}}
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{`[]`, `"a"`, `7`, `{"a":"b"}`, `{"a":1.5}`, `{"a":{}}`} {
		if err := json.Unmarshal([]byte(text), &store.Timeline{}); err == nil {
			t.Errorf("%s was decoded", text)
		}
	}
}

func TestTimelineAt(t *testing.T) {
	var timeline store.Timeline
	if timeline.At("listen") != nil {
		t.Error("a moment of an empty timeline")
	}
	timeline.Add("answer", 20)
	timeline.Add("listen", 30)
	timeline.Add("listen", 40)
	if at := timeline.At("listen"); at == nil || *at != 30 || timeline.At("tone") != nil {
		t.Errorf("listen at %v, tone at %v", at, timeline.At("tone"))
	}
}

// BenchmarkTimeline encodes the moments of a call of the flat plan, and of one with 1,000 steps.
func BenchmarkTimeline(b *testing.B) {
	flat := store.Timeline{
		{"connect", 1},
		{"answer", 24},
		{"tone", 524},
		{"stream_start", 1030},
		{"stream_connected", 1040},
		{"first_audio", 1060},
		{"prompt", 1041},
		{"listen", 4000},
		{"stop", 19000},
		{"hangup", 19010},
	}
	var long store.Timeline
	for range 1000 {
		long.Add("play", rand.Int64N(100_000))
	}
	for name, timeline := range map[string]store.Timeline{"flat": flat, "1000": long} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := json.Marshal(timeline); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
