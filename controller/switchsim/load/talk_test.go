package load

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// A bot that speaks before the caller's next turn has responded; one that speaks over him has not, and
// what it says in his turn is no response.
func TestResponses(t *testing.T) {
	began := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	said := []turn{{at(0), at(1000)}, {at(3000), at(4000)}, {at(6000), at(7000)}, {at(8000), at(9000)}}
	heard := []time.Time{at(500), at(1450), at(2500), at(6500), at(7400)}
	if got, want := responses(said, heard), []time.Duration{450 * time.Millisecond, 400 * time.Millisecond}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := responses(said, nil); got != nil {
		t.Errorf("%v without a bot", got)
	}
}

// What records say of conversations is there if there were any.
func TestTalks(t *testing.T) {
	var f Figures
	f.AddTalks(Talks{}, nil)
	if f.Talks != nil || f.Times != nil {
		t.Errorf("%+v", f)
	}
	f.AddTalks(Talks{Calls: 2, BargeIns: 3, DroppedMS: 20}, []time.Duration{time.Second})
	var b strings.Builder
	if err := f.Print(&b); err != nil || !strings.Contains(b.String(), "conversations: 2; barge-ins: 3; reconnects: 0; dropped: 20 ms; refused: 0 ms") || !strings.Contains(b.String(), "the same, by the records  1000.0") {
		t.Errorf("%v, %s", err, b.String())
	}
}
