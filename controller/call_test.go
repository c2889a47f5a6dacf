package controller_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zapcore"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
)

// goodCommands are what the switch is sent in a call that follows its plan.
func goodCommands(mix string, rate int) []string {
	list := []string{
		"connect",
		"linger 5",
		"myevents json",
		"nixevent CHANNEL_EXECUTE CHANNEL_STATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_PARK CHANNEL_UNPARK CHANNEL_ANSWER CHANNEL_DATA CHANNEL_CREATE CHANNEL_UUID CHANNEL_OUTGOING CHANNEL_ORIGINATE CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_APPLICATION CHANNEL_DESTROY DETECTED_SPEECH TALK NOTALK",
		"event json BACKGROUND_JOB CUSTOM mod_audio_stream::connect mod_audio_stream::disconnect mod_audio_stream::error",
		"bgapi sched_api … tapdeck-… uuid_kill … ALLOTTED_TIMEOUT",
		"bgapi uuid_setvar_multi … playback_terminators=none;STREAM_BUFFER_SIZE=20;STREAM_HEART_BEAT=10;STREAM_MESSAGE_DEFLATE=true;STREAM_SUPPRESS_LOG=true;STREAM_NO_RECONNECT=true",
		"execute answer",
		"execute playback tone_stream://%(200,0,800)",
		fmt.Sprintf("bgapi uuid_audio_stream … start … %s %d", mix, rate),
		"execute playback " + promptFile,
		"bgapi uuid_audio_stream … stop",
		"execute hangup NORMAL_CLEARING",
		"bgapi sched_del tapdeck-…",
	}
	if mix != "mono" {
		i := slices.Index(list, "execute answer") - 1
		list[i] = strings.Replace(list[i], ";", ";send_silence_when_idle=-1;", 1)
	}
	return list
}

func TestGoodCall(t *testing.T) {
	t.Parallel()
	for _, mix := range []string{"mono", "mixed", "stereo"} {
		for _, rate := range []int{8000, 16000} {
			t.Run(fmt.Sprint(mix, rate), func(t *testing.T) {
				t.Parallel()
				s := good()
				s.plan.Stream.Mix, s.plan.Stream.SampleRate = mix, rate
				e := s.run(t, switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.3)})
				checkGood(t, e)
				if diff := cmp.Diff(goodCommands(mix, rate), commands(e.report)); diff != "" {
					t.Errorf("commands (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// checkGood checks a call that has followed its plan to the end.
func checkGood(t *testing.T, e ended) {
	t.Helper()
	want := controller.Outcome{Result: controller.Completed, HangupCause: "NORMAL_CLEARING", HungUpBy: "tapdeck", Notes: flow.Notes{ListenEndedBy: "time"}}
	got := controller.Outcome{
		Result: e.outcome.Result, HangupCause: e.outcome.HangupCause, HungUpBy: e.outcome.HungUpBy,
		Notes: flow.Notes{ListenEndedBy: e.outcome.ListenEndedBy}, Restarts: e.outcome.Restarts, Err: e.outcome.Err, Hint: e.outcome.Hint, Alarms: e.outcome.Alarms,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
	checkAudio(t, e)
	if diff := cmp.Diff([]string{"prompt start", "prompt end"}, e.recording.marks); diff != "" {
		t.Errorf("marks (-want +got):\n%s", diff)
	}
	steps := []string{
		"info call started", "info answered", "info stream connected", "info prompt played", "info listened", "info call ended",
	}
	if diff := cmp.Diff(steps, e.messages()); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	timeline := []string{"connect", "answer", "tone", "stream_start", "prompt", "listen", "stop", "hangup"}
	if diff := cmp.Diff(timeline, moments(e)); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
	if e.outcome.Ended.IsZero() {
		t.Error("the call has no end")
	}
}

// moments are the names of a call's timeline.
func moments(e ended) (names []string) {
	for _, m := range e.outcome.Timeline {
		names = append(names, m.Name)
	}
	return names
}

// checkAudio compares a recording with what the switch sent into it.
func checkAudio(t *testing.T, e ended) {
	t.Helper()
	var said []byte
	for _, s := range e.report.Streams {
		said = append(said, s.PCM()...)
		if len(s.Unset) > 0 {
			t.Errorf("the module's %q are not set: what they are then is random", s.Unset)
		}
	}
	if heard := e.recording.heard(); len(said) == 0 || !bytes.Equal(said, heard) {
		t.Errorf("%d bytes were recorded, %d bytes said, or they differ", len(heard), len(said))
	}
}

func TestStartedLineSaysWhoCalls(t *testing.T) {
	t.Parallel()
	e := good().run(t, switchsim.CallSpec{Caller: "+4930123", Destination: "9998"})
	line := e.line(t, "call started")
	for name, want := range map[string]string{"caller": "+4930123", "destination": "9998", "plan": "default", "call": e.report.UUID} {
		if got := field(line, name); got != want {
			t.Errorf("field %s = %v, want %s", name, got, want)
		}
	}
}

func TestMissingPrompt(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Prompt = missingFile
	e := s.run(t, switchsim.CallSpec{})
	if e.outcome.Result != controller.Completed || e.outcome.ListenEndedBy != flow.ListenTime {
		t.Errorf("outcome = %+v, want completed", e.outcome)
	}
	line := e.line(t, "prompt not found")
	if line.Level != zapcore.WarnLevel || field(line, "file") != missingFile || field(line, "hint") == nil {
		t.Errorf("line = %+v, want a warning that names the file and says where it is looked for", line)
	}
}

func TestPlanWithoutToneAndPrompt(t *testing.T) {
	t.Parallel()
	s := good()
	s.plan.Tone, s.plan.Prompt, s.plan.AnswerPause = flow.Tone{}, "", 0
	e := s.run(t, switchsim.CallSpec{})
	if got, want := story(e.report), "answer start stop hangup"; got != want {
		t.Errorf("commands = %q, want %q", got, want)
	}
	if tl := e.outcome.Timeline; !tl.At("tone").IsZero() || !tl.At("prompt").IsZero() {
		t.Errorf("timeline = %+v, want neither tone nor prompt", tl)
	}
}
