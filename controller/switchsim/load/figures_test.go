package load

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller/switchsim"
)

// The figures are of the calls that went as they should have; what went wrong is counted.
func TestFigures(t *testing.T) {
	began := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	ms := func(n int) time.Time { return began.Add(time.Duration(n) * time.Millisecond) }
	good := func(firstCommand int) switchsim.Report {
		return switchsim.Report{
			Controller: "127.0.0.1:8084", Began: began, Connected: ms(1), FirstCommand: ms(1 + firstCommand), Answered: true, AnsweredAt: ms(41),
			Commands:    []string{"connect", "linger 5", "execute answer", "execute hangup"},
			CommandedAt: []time.Time{ms(10), ms(11), ms(16), ms(1000)},
			Streams:     []switchsim.StreamReport{{Started: ms(50), Connected: ms(52), Samples: 160}},
			HungUpBy:    "controller", HangupCause: "NORMAL_CLEARING", SocketClosed: ms(1100), EventsSent: 12, BytesSent: 60_000,
		}
	}
	refused := switchsim.Report{Controller: "127.0.0.1:8084", Commands: []string{"connect", "exit"}, EventsSent: 0, HungUpBy: "dialplan", HangupCause: "USER_BUSY"}
	got := Gather([]switchsim.Report{good(2), good(4), refused}, 4, nil)
	want := Figures{
		Calls: 4, Good: 2, Ended: map[string]int{"controller NORMAL_CLEARING": 2, "dialplan USER_BUSY": 1},
		Wrong: map[string]int{"not placed": 1, "not answered": 1}, Commands: 10. / 3, Events: 8, Bytes: 40_000,
		Times: []Distribution{
			{"accept to first command", 2, 4, 4, 4, 4},
			{"command to command", 2, 3, 3, 3, 3},
			{"accept to answer", 2, 40, 40, 40, 40},
			{"start to stream connected", 2, 2, 2, 2, 2},
			{"whole call", 2, 1100, 1100, 1100, 1100},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var b strings.Builder
	if err := got.Print(&b); err != nil || !strings.HasPrefix(b.String(), "2 of 4 calls went as they should have") {
		t.Errorf("%v, %s", err, b.String())
	}
}
