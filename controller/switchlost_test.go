package controller_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"tapdeck/controller"
	"tapdeck/controller/switchsim"
)

// The switch dies at each of the call's commands: what was recorded is kept.
func TestSwitchDiesAtEachCommand(t *testing.T) {
	t.Parallel()
	all := good().runAtEachCommand(t, func(n int) switchsim.Faults { return switchsim.Faults{DieAt: n} })
	for n, e := range all {
		if n == len(all)+1 { // sched_del: the call was over
			continue
		}
		t.Run(fmt.Sprint("command ", n), func(t *testing.T) { checkLost(t, e, n > 11) })
	}
}

// checkLost checks a call whose switch has died, after some audio or before.
func checkLost(t *testing.T, e ended, audio bool) {
	t.Helper()
	if e.outcome.Result != controller.SwitchLost || e.outcome.Err == "" || e.outcome.Hint == "" || e.outcome.HungUpBy != "" {
		t.Errorf("outcome = %+v, want switch_lost", e.outcome)
	}
	if e.line(t, "call ended").Level != zapcore.WarnLevel {
		t.Errorf("log = %q, want a warning at the end", e.messages())
	}
	if audio && len(e.recording.heard()) == 0 {
		t.Error("nothing of the recording is left")
	}
}

// The switch dies while an application runs.
func TestSwitchDiesInStep(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"answer", "playback tone_stream", "playback ivr/"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			checkLost(t, good().run(t, switchsim.CallSpec{Faults: switchsim.Faults{DieIn: step}}), false)
		})
	}
}

// An application that never completes ends the call after its limit; what holds
// the channel is killed, as a hangup by sendmsg would wait behind it.
func TestApplicationNeverCompletes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		step, story, err string
		limit            func(*controller.Config)
	}{
		{
			"answer", "answer kill", "wait for the end of answer: nothing within 300ms",
			func(c *controller.Config) { c.AnswerTimeout = 300 * time.Millisecond },
		},
		{
			"playback tone_stream", "answer tone kill", "wait for the end of playback tone_stream://%(200,0,800): nothing within 400ms",
			func(c *controller.Config) { c.StepGrace = 200 * time.Millisecond },
		},
		{
			"playback ivr/", "answer tone start prompt stop kill", "wait for the end of playback ivr/prompt.wav: nothing within 500ms",
			func(c *controller.Config) { c.PromptLimit = 500 * time.Millisecond },
		},
	} {
		t.Run(c.step, func(t *testing.T) {
			t.Parallel()
			s := good()
			c.limit(&s.cfg)
			e := s.run(t, switchsim.CallSpec{Faults: switchsim.Faults{NeverComplete: c.step}})
			if e.outcome.Result != controller.Failed || e.outcome.Err != c.err || e.outcome.HungUpBy != "tapdeck" || e.outcome.HangupCause != "NORMAL_CLEARING" {
				t.Errorf("outcome = %+v, want error: %s", e.outcome, c.err)
			}
			if got := story(e.report); got != c.story {
				t.Errorf("commands = %q, want %q", got, c.story)
			}
			if e.line(t, "call ended").Level != zapcore.ErrorLevel {
				t.Errorf("log = %q, want an error at the end", e.messages())
			}
		})
	}
}

// A switch that stops answering ends the call, not the process.
func TestSwitchNeverAnswers(t *testing.T) {
	t.Parallel()
	s := good()
	s.esl.ReplyTimeout = 700 * time.Millisecond
	all := s.runAtEachCommand(t, func(n int) switchsim.Faults { return switchsim.Faults{HangOn: fmt.Sprintf("#%d", n)} })
	for n, e := range all {
		if n == len(all)+1 { // sched_del: the call was over
			continue
		}
		if e.outcome.Result != controller.Failed || !strings.Contains(e.outcome.Err, "no reply in time") {
			t.Errorf("command %d: outcome = %+v, want error: no reply in time", n, e.outcome)
		}
	}
}

// The switch refuses a command.
func TestSwitchRefusesCommand(t *testing.T) {
	t.Parallel()
	refusal := switchsim.Injection{On: "linger", When: switchsim.Instead, Raw: switchsim.FrameError}
	e := good().run(t, switchsim.CallSpec{Then: after(), Faults: switchsim.Faults{Inject: []switchsim.Injection{refusal}}})
	if e.outcome.Result != controller.Failed || !strings.Contains(e.outcome.Err, "simulated") || !strings.Contains(e.outcome.Hint, "1.10") {
		t.Errorf("outcome = %+v, want error with the switch's words", e.outcome)
	}
	if e.report.Answered || !nextRan(e.report) {
		t.Errorf("report = %+v, want a call that the dialplan goes on with", e.report)
	}
}

// Events that nobody asked for are taken; more than the queue holds end the call.
func TestEventFlood(t *testing.T) {
	t.Parallel()
	flood := func(events int) switchsim.Faults {
		return switchsim.Faults{EventsBefore: "execute playback", EventCount: events}
	}
	t.Run("taken", func(t *testing.T) {
		t.Parallel()
		checkGood(t, good().run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.3), Faults: flood(500)}))
	})
	t.Run("too much", func(t *testing.T) {
		t.Parallel()
		e := good().run(t, switchsim.CallSpec{Faults: flood(1000)})
		if e.outcome.Result != controller.Failed || !strings.Contains(e.outcome.Err, "event queue full") || !strings.Contains(e.outcome.Hint, "floods") {
			t.Errorf("outcome = %+v, want error: event queue full", e.outcome)
		}
	})
}

// Events of another channel, or of none, are not this call's.
func TestEventsOfOthers(t *testing.T) {
	t.Parallel()
	for _, id := range []string{newUUID(), ""} {
		for _, body := range []string{
			`{"Event-Name":"CHANNEL_HANGUP","Unique-ID":"` + id + `","Hangup-Cause":"NORMAL_CLEARING"}`,
			`{"Event-Name":"DTMF","Unique-ID":"` + id + `","DTMF-Digit":"#"}`,
			`{"Event-Name":"CUSTOM","Event-Subclass":"mod_audio_stream::error","Unique-ID":"` + id + `"}`,
		} {
			t.Run(body, func(t *testing.T) {
				t.Parallel()
				s := good()
				s.plan.FinishOn = "#"
				other := switchsim.Injection{
					On: "execute playback", When: switchsim.After, Times: 2,
					Raw: fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-json\n\n%s", len(body), body),
				}
				checkGood(t, s.run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.3), Faults: switchsim.Faults{Inject: []switchsim.Injection{other}}}))
			})
		}
	}
}

// Channel variables with odd names and values are no trouble, nor frames that
// nobody expects.
func TestOddSwitch(t *testing.T) {
	t.Parallel()
	t.Run("variables", func(t *testing.T) {
		t.Parallel()
		checkGood(t, good().run(t, switchsim.CallSpec{
			Voice:     switchsim.ToneVoice(8000, 440, 0.3),
			Variables: map[string]string{"list": "ARRAY::a|:b", "lines": "a\r\nb\x00\"'", "sip_from_display": "\"\r\n\r\nexit"},
			Caller:    "10'01\"\r\nexit", Faults: switchsim.Faults{OddVariables: true},
		}))
	})
	for name, raw := range map[string]string{"log": switchsim.FrameLogData, "xml": switchsim.FrameEventXML, "unknown": switchsim.FrameUnknown} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			odd := switchsim.Injection{On: "bgapi", When: switchsim.After, Raw: raw, Times: -1}
			e := good().run(t, switchsim.CallSpec{Faults: switchsim.Faults{Inject: []switchsim.Injection{odd}}})
			if e.outcome.Result != controller.Completed {
				t.Errorf("outcome = %+v, want completed", e.outcome)
			}
		})
	}
}
