package load

import (
	"errors"
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
			Commands:    []string{"connect", "linger 5", "execute answer", "bgapi uuid_audio_stream X start ws://x mono 8000", "execute hangup"},
			CommandedAt: []time.Time{ms(10), ms(11), ms(16), ms(50), ms(1000)},
			Streams:     []switchsim.StreamReport{{Started: ms(50), Connected: ms(52), Samples: 160}},
			HungUpBy:    "controller", HangupCause: "NORMAL_CLEARING", SocketClosed: ms(1100), EventsSent: 12, BytesSent: 60_000,
		}
	}
	refused := switchsim.Report{Controller: "127.0.0.1:8084", Commands: []string{"connect", "exit"}, EventsSent: 0, HungUpBy: "dialplan", HangupCause: "USER_BUSY"}
	got := Gather([]switchsim.Report{good(2), good(4), refused}, 4, nil)
	want := Figures{
		Calls: 4, Good: 2, Ended: map[string]int{"controller NORMAL_CLEARING": 2, "dialplan USER_BUSY": 1},
		Wrong: map[string]int{"not placed": 1, "not answered": 1}, Commands: 12. / 3, Events: 8, Bytes: 40_000,
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

// A plan may have no stream, and may hang up or transfer a call that it has not answered. That is
// as it should be, and counted for itself; what has failed is not.
func TestPlansWithoutStream(t *testing.T) {
	const start = "bgapi uuid_audio_stream X start ws://x mono 8000"
	up := switchsim.StreamReport{Connected: time.Now(), Samples: 160}
	for name, tt := range map[string]struct {
		report   switchsim.Report
		verified bool
		want     Figures
	}{
		"prompt only":         {report(true, "controller"), true, Figures{Good: 1, NoStream: 1}},
		"hangup":              {report(false, "controller", "execute hangup USER_BUSY"), true, Figures{Good: 1, NoStream: 1}},
		"transfer":            {report(false, "dialplan", "bgapi uuid_transfer X 5000"), true, Figures{Good: 1, NoStream: 1}},
		"stream and transfer": {with(report(true, "dialplan", start, "bgapi uuid_transfer X 5000"), up), true, Figures{Good: 1, Verified: 1}},
		"refused":             {report(false, "dialplan"), true, Figures{Wrong: map[string]int{"not answered": 1}}},
		"given up":            {report(false, "caller"), true, Figures{Wrong: map[string]int{"not answered": 1}}},
		"no stream came":      {report(true, "controller", start), true, Figures{Wrong: map[string]int{"no stream": 1}}},
		"never connected":     {with(report(true, "controller", start), switchsim.StreamReport{}), true, Figures{Wrong: map[string]int{"no stream": 1}}},
		"record says why":     {report(true, "controller"), false, Figures{Wrong: map[string]int{"recording: it failed": 1}}},
	} {
		got := Gather([]switchsim.Report{tt.report}, 1, func(switchsim.Report) error {
			if !tt.verified {
				return errors.New("it failed")
			}
			return nil
		})
		if tt.want.Wrong == nil {
			tt.want.Wrong = map[string]int{}
		}
		if got.Good != tt.want.Good || got.NoStream != tt.want.NoStream || got.Verified != tt.want.Verified || !cmp.Equal(got.Wrong, tt.want.Wrong) {
			t.Errorf("%s: %+v", name, got)
		}
		var b strings.Builder
		if err := got.Print(&b); err != nil || strings.Contains(b.String(), "1 calls had no stream") != (got.NoStream == 1) {
			t.Errorf("%s: %v, %s", name, err, b.String())
		}
	}
}

// report is of a call that a controller has had, with these commands.
func report(answered bool, hungUpBy string, commands ...string) switchsim.Report {
	r := switchsim.Report{Controller: "127.0.0.1:8084", Answered: answered, HungUpBy: hungUpBy, Commands: commands}
	r.CommandedAt = make([]time.Time, len(commands))
	return r
}

func with(r switchsim.Report, streams ...switchsim.StreamReport) switchsim.Report {
	r.Streams = streams
	return r
}
