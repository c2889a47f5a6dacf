package audiostream

import (
	"fmt"
	"os"
	"testing"
	"time"

	"tapdeck/controller/switchsim/audio"
	"tapdeck/controller/switchsim/fault"
)

func TestSeparate(t *testing.T) {
	for _, tc := range []struct {
		line string
		want []string
	}{
		{`u start x mono 8000 {"a": "b c", "d": 1}`, []string{"u", "start", "x", "mono", "8000", `{"a": "b c", "d": 1}`}},
		{`u start x mono 8000 '{"a": "b c"}'`, []string{"u", "start", "x", "mono", "8000", `{"a": "b c"}`}},
		{`u start x mono 8000 {"a":"it's"}`, []string{"u", "start", "x", "mono", "8000", `{"a":"it's"}`}},
		{`u start x mono 8000 {"a":"x\ny \"q\""}`, []string{"u", "start", "x", "mono", "8000", "{\"a\":\"x\ny \"q\"\"}"}},
		{"", nil},
	} {
		if got := separate(tc.line, 6); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", tc.want) {
			t.Errorf("%s: %q, want %q", tc.line, got, tc.want)
		}
	}
}

// nobody is a channel that is always heard.
type nobody struct{ began time.Time }

func (nobody) Variable(string) string                   { return "" }
func (nobody) Event(string, string)                     {}
func (nobody) Detached(*Stream)                         {}
func (nobody) Reopen(*Stream, Start) bool               { return false }
func (nobody) Fault(string)                             {}
func (nobody) Note(string, string)                      {}
func (nobody) TornDown() <-chan struct{}                { return nil }
func (c nobody) Position(at time.Time) int64            { return audio.Frames(at.Sub(c.began)) }
func (c nobody) Due(at time.Time, _ bool) int64         { return c.Position(at) }
func (nobody) WriteTemp(string, []byte) (string, error) { return "", os.ErrNotExist }
func (nobody) RemoveTemp(string)                        {}

// TestFramesAllocateNothing: the clock's work for a good stream.
func TestFramesAllocateNothing(t *testing.T) {
	now := time.Now()
	s := New(Options{
		Start: Start{URL: "ws://127.0.0.1/", Mix: "mono", Rate: 8000}, Channel: nobody{now},
		Voice: audio.ToneVoice(8000, 440, 0.5), Faults: &fault.Call{},
	})
	s.open = true
	allocs := testing.AllocsPerRun(1000, func() {
		now = now.Add(audio.FrameDuration)
		s.pump(now, false)
	})
	if r := s.Report(); allocs > 0 || r.Samples < 1000*160 {
		t.Errorf("%v allocations a frame, %d samples", allocs, r.Samples)
	}
}
