package controller_test

import (
	"slices"
	"testing"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
)

// A parked channel sends no audio, and mod_audio_stream then has no frame of a mix
// with both directions (F47): the listening time would be missing.
func TestBothDirectionsWhileNothingPlays(t *testing.T) {
	t.Parallel()
	for _, mix := range []string{"mixed", "stereo"} {
		t.Run(mix, func(t *testing.T) {
			t.Parallel()
			s := good()
			s.plan.Stream.Mix, s.plan.Listen = mix, 300*time.Millisecond
			e := s.run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.3)})
			checkGood(t, e)
			heardListening(t, e)
		})
		t.Run(mix+", answered before", func(t *testing.T) {
			t.Parallel()
			s := good()
			s.plan.Stream.Mix, s.plan.Listen = mix, 300*time.Millisecond
			e := s.run(t, switchsim.CallSpec{
				Voice: switchsim.ToneVoice(8000, 440, 0.3), Before: []switchsim.Action{{Application: "answer"}},
			})
			if e.outcome.Result != controller.Completed || e.outcome.HangupCause != "NORMAL_CLEARING" || e.outcome.HungUpBy != "tapdeck" {
				t.Errorf("outcome %+v", e.outcome)
			}
			checkAudio(t, e)
			heardListening(t, e)
			if !slices.Contains(commands(e.report), "execute playback silence_stream://-1") {
				t.Errorf("commands %q", commands(e.report))
			}
		})
	}
}

// The keys that end a prompt don't end the silence beside a listening time, and with it the frames.
func TestKeysWhileNothingPlays(t *testing.T) {
	t.Parallel()
	s := made(&flow.Answer{}, &flow.Stream{}, &flow.Play{Files: []string{promptFile}, StopOn: "#"}, &flow.Listen{For: 50 * time.Millisecond})
	s.plan.Stream.Mix = "stereo"
	set := "?"
	spec := switchsim.CallSpec{Voice: voice(), Before: []switchsim.Action{{Application: "answer"}}}
	s.runWith(t, spec, 1, "playing", "silence_stream", func(_ *testbed, call *switchsim.Call) { set = call.Variable("playback_terminators") })
	if set != "none" {
		t.Errorf("the silence plays with playback_terminators=%q", set)
	}
}

// heardListening wants audio for most of the listening time, which the simulated
// switch's speed makes longer.
func heardListening(t *testing.T, e ended) {
	t.Helper()
	r := e.report.Streams[0]
	audio := time.Duration(r.Samples) * time.Second / time.Duration(r.Rate)
	if least := 600*time.Millisecond + 200*time.Millisecond*speed; audio < least {
		t.Errorf("%v of audio, want %v at least", audio, least)
	}
}

// waitStep waits until the testbed's only call is in a step.
func (l *testbed) waitStep(t *testing.T, step string) {
	t.Helper()
	l.until(t, "a call in "+step, func() bool {
		calls := l.ctl.Calls()
		return len(calls) == 1 && calls[0].Step == step
	})
}

// A call that was transferred away is released, not hung up.
func TestCallTransferredAway(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Listen = time.Minute
	l := s.start(t)
	call := l.dial(switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.3), Then: []switchsim.Action{{Application: "sleep", Data: "60000"}, {Application: "hangup", Data: "USER_BUSY"}}})
	l.waitStep(t, "listen")
	call.Transfer()
	report := call.Wait()
	if err := l.close(); err != nil {
		t.Error(err)
	}
	e := l.ended(report)
	if e.outcome.Result != controller.SwitchLost || e.outcome.HungUpBy != "" || report.HangupCause != "USER_BUSY" {
		t.Errorf("outcome %+v, hung up with %s", e.outcome, report.HangupCause)
	}
	if report.Stranded {
		t.Error("stranded")
	}
	sent := slices.DeleteFunc(commands(report), func(c string) bool { return c == "noevents" || c == "nolinger" })
	if want := []string{"bgapi uuid_audio_stream … stop", "bgapi uuid_setvar … playback_terminators", "bgapi sched_del tapdeck-…"}; !slices.Equal(sent[len(sent)-3:], want) {
		t.Errorf("last commands %q, want %q", sent[len(sent)-3:], want)
	}
	checkAudio(t, e)
}
