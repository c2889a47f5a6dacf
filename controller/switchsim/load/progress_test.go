package load

import (
	"strings"
	"testing"

	"tapdeck/controller/switchsim"
)

// A call listens once nothing plays any more, but only while it is streamed: whatever the order
// of its plan is.
func TestProgressOfAnyPlan(t *testing.T) {
	p := newProgress(&strings.Builder{})
	for _, step := range []struct{ step, detail, want string }{
		{"connected", "", "connected"},
		{"answered", "", "answered"},
		{"execute", "playback tone_stream://%(500,0,800)", "tone"},
		{"complete", "playback tone_stream://%(500,0,800)", "answered"},
		{"execute", "playback hello.wav", "prompt"},
		{"complete", "playback hello.wav", "answered"},
		{"stream connected", "", "streaming"},
		{"execute", "playback tone_stream://%(500,0,800)", "tone"},
		{"complete", "playback tone_stream://%(500,0,800)", "listening"},
		{"execute", "playback ask.wav", "prompt"},
		{"complete", "playback ask.wav", "listening"},
		{"stream end", "", "listening"},
		{"execute", "playback bye.wav", "prompt"},
		{"complete", "playback bye.wav", "answered"},
		{"hangup", "", "hangup"},
		{"destroyed", "", "done"},
	} {
		p.note(switchsim.Event{UUID: "a", Step: step.step, Detail: step.detail})
		if got := p.now["a"]; got != step.want {
			t.Errorf("%s %s: %q, want %q", step.step, step.detail, got, step.want)
		}
	}
	if p.counts() != "1 done" {
		t.Error(p.counts())
	}
}
