package controller_test

import (
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
)

// Something else transfers the call in the tone or the prompt: whatever the playback says
// of itself, nothing is missing on the switch, and the call never listened.
func TestTransferredInPlayback(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, playing string
		n             int
		faults        switchsim.Faults
	}{
		{"tone, PLAYBACK ERROR", "tone_stream", 1, switchsim.Faults{}},
		{"tone, FILE PLAYED", "tone_stream", 1, switchsim.Faults{BrokenIsPlayed: true}},
		{"prompt, PLAYBACK ERROR", "ivr/", 1, switchsim.Faults{}},
		{"prompt, FILE PLAYED", "ivr/", 1, switchsim.Faults{BrokenIsPlayed: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good()
			s.plan.Tone.Duration, s.cfg.PromptLimit = time.Minute, time.Minute
			if c.playing == "ivr/" {
				s.plan.Tone = flow.Tone{}
			}
			s.sim.Prompts = func(file string) (time.Duration, bool) {
				if file == promptFile {
					return time.Hour, true
				}
				return 600 * time.Millisecond, true
			}
			e := s.runWith(t, switchsim.CallSpec{Then: after(), Faults: c.faults}, c.n, "playing", c.playing, func(_ *testbed, call *switchsim.Call) { call.Transfer() })
			if e.outcome.Result != controller.SwitchLost || !e.outcome.Timeline.At("listen").IsZero() || e.outcome.ListenEndedBy != "" || !nextRan(e.report) {
				t.Errorf("outcome = %+v, next action ran: %v; want a call that was transferred away and never listened", e.outcome, nextRan(e.report))
			}
			for _, line := range e.logs {
				if line.Level >= zapcore.WarnLevel && line.Message != "call ended" {
					t.Errorf("log = %q: nothing is wrong with the playback", e.messages())
				}
			}
		})
	}
}

// A hangup in the prompt is no listening either, in whatever order it is reported and
// whatever the playback says of itself.
func TestHangupInPromptIsNoListening(t *testing.T) {
	t.Parallel()
	for _, f := range []switchsim.Faults{
		{HangupIn: "playback ivr/", BrokenIsPlayed: true},
		{HangupIn: "playback ivr/", BrokenIsPlayed: true, CompleteBeforeHangup: true},
	} {
		e := good().run(t, switchsim.CallSpec{Faults: f})
		if e.outcome.Result != controller.CallerHangup || !e.outcome.Timeline.At("listen").IsZero() || e.outcome.ListenEndedBy != "" || e.count("prompt played") != 0 {
			t.Errorf("outcome = %+v, log = %q: want a call that never listened", e.outcome, e.messages())
		}
	}
}

// A file that can't be played, with no other reason, is a warning, and the call goes on.
func TestBrokenPrompt(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Prompt = "ivr/broken.wav"
	e := s.run(t, switchsim.CallSpec{Faults: switchsim.Faults{BrokenFiles: true}})
	if e.outcome.Result != controller.Completed || e.outcome.ListenEndedBy != flow.ListenTime || e.count("prompt not played") != 1 {
		t.Errorf("outcome = %+v, log = %q: want a warning and a call that listened", e.outcome, e.messages())
	}
}

// A caller's * ends no prompt, unless the dialplan says which keys do.
func TestStarInPrompt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, set, want string
		played, cut     int
	}{
		{name: "no key", want: "none", played: 1},
		{name: "the dialplan's", set: "*", want: "*", cut: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good()
			spec := switchsim.CallSpec{}
			if c.set != "" {
				spec.Variables = map[string]string{"playback_terminators": c.set}
				s.sim.Prompts = func(string) (time.Duration, bool) { return time.Hour, true }
				s.cfg.PromptLimit = patience
			}
			set := ""
			e := s.runWith(t, spec, 1, "playing", "ivr/", func(_ *testbed, call *switchsim.Call) {
				set = call.Variable("playback_terminators")
				call.Press("*")
			})
			if e.outcome.Result != controller.Completed || e.count("prompt played") != c.played || e.count("prompt cut") != c.cut || set != c.want {
				t.Errorf("playback_terminators = %q, outcome = %+v, log = %q", set, e.outcome, e.messages())
			}
			if c.cut > 0 && field(e.line(t, "prompt cut"), "digit") != "*" {
				t.Errorf("line = %v, want the key", e.line(t, "prompt cut").ContextMap())
			}
		})
	}
}

// What the call has set for its own playbacks is gone when the dialplan goes on; what the
// dialplan had set is still there.
func TestTerminatorsAreGivenBack(t *testing.T) {
	t.Parallel()
	for _, own := range []string{"", "#"} {
		s := good()
		s.plan.OnStreamFailure = controller.FailureDialplan
		set := "?"
		spec := switchsim.CallSpec{Then: after(), Faults: switchsim.Faults{RefuseStart: true}}
		if own != "" {
			spec.Variables = map[string]string{"playback_terminators": own}
		}
		s.runWith(t, spec, 1, "playing", "ivr/sorry.wav", func(_ *testbed, call *switchsim.Call) { set = call.Variable("playback_terminators") })
		if set != own {
			t.Errorf("the next action has playback_terminators=%q, want %q", set, own)
		}
	}
}

// A digit of finish_on in the prompt ends nothing, and the log says so.
func TestDigitBeforeListening(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.FinishOn = "#"
	e := s.runWith(t, switchsim.CallSpec{}, 1, "playing", "ivr/", func(_ *testbed, call *switchsim.Call) {
		call.Press("5")
		call.Press("#")
	})
	if e.outcome.Result != controller.Completed || e.outcome.ListenEndedBy != flow.ListenTime {
		t.Errorf("outcome = %+v, want a call that listened to its end", e.outcome)
	}
	line := e.line(t, "digit before listening")
	if e.count("digit before listening") != 1 || line.Level != zapcore.InfoLevel || field(line, "digit") != "#" || field(line, "step") != "prompt" || field(line, "hint") == nil {
		t.Errorf("line = %+v, want the digit, its step and a hint, once", line.ContextMap())
	}
}
