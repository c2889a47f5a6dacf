package controller_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zapcore"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
)

// made is a setup whose plan has these steps.
func made(steps ...flow.Step) setup {
	s := good()
	s.plan.Steps = steps
	return s
}

func voice() *switchsim.Voice { return switchsim.ToneVoice(8000, 440, 0.3) }

// said are the switch's commands from answer on.
func said(t *testing.T, r switchsim.Report) []string {
	t.Helper()
	all := commands(r)
	i := slices.Index(all, "execute answer")
	if i < 0 {
		t.Fatalf("commands %q", all)
	}
	return all[i:]
}

// A greeting, a question, an answer, a second prompt, thanks.
func TestPlanOfNineSteps(t *testing.T) {
	t.Parallel()
	listen := &flow.Listen{For: 50 * time.Millisecond}
	e := made(
		&flow.Answer{}, &flow.Pause{For: 10 * time.Millisecond}, &flow.Play{Files: []string{"greeting.wav"}}, &flow.Stream{},
		listen, &flow.Play{Files: []string{"second.wav", "third.wav"}}, &flow.Tone{Frequency: 800, Duration: 100 * time.Millisecond}, listen, &flow.Hangup{},
	).run(t, switchsim.CallSpec{Voice: voice()})
	want := []string{
		"execute answer", "execute playback greeting.wav", "bgapi uuid_audio_stream … start … mono 8000",
		"execute playback second.wav", "execute playback third.wav", "execute playback tone_stream://%(100,0,800)",
		"bgapi uuid_audio_stream … stop", "execute hangup NORMAL_CLEARING", "bgapi sched_del tapdeck-…",
	}
	if diff := cmp.Diff(want, said(t, e.report)); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	timeline := []string{"connect", "answer", "pause", "play", "stream", "listen", "play", "tone", "listen", "stop", "hangup"}
	if diff := cmp.Diff(timeline, moments(e)); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
	var files []string
	for _, p := range e.outcome.Prompts {
		if p.EndedBy != flow.PromptEnd || p.Began.IsZero() {
			t.Errorf("prompt %+v", p)
		}
		files = append(files, p.Step+" "+p.File)
	}
	if !slices.Equal(files, []string{"play greeting.wav", "play_2 second.wav", "play_2 third.wav"}) || e.outcome.Result != controller.Completed {
		t.Errorf("prompts %q, outcome %+v", files, e.outcome)
	}
	checkAudio(t, e)
}

// whisper is a step that the tree does not know: it says a digit into the call.
type whisper struct{ digit string }

func (whisper) Name() string                  { return "whisper" }
func (whisper) Needs() flow.Needs             { return flow.Needs{} }
func (whisper) Length() flow.Length           { return flow.Length{Known: 100 * time.Second} }
func (whisper) Follow(p *flow.Position) error { return p.NeedAnswer() }
func (w whisper) Preview(p *flow.Preview)     { p.Add(0, "whisper %s", w.digit) }
func (w whisper) Run(ctx context.Context, ch flow.Channel) error {
	ch.Reached()
	if _, err := ch.Execute(ctx, "log", "INFO "+w.digit, time.Second); err != nil {
		return err
	}
	_, err := ch.API(ctx, "uuid_setvar", "whispered "+w.digit)
	return err
}

// A further step is one type, and nothing else knows of it.
func TestStepOfItsOwn(t *testing.T) {
	t.Parallel()
	e := made(&flow.Answer{}, whisper{"5"}, whisper{"6"}, &flow.Hangup{}).run(t, switchsim.CallSpec{})
	want := []string{
		"execute answer", "execute log INFO 5", "bgapi uuid_setvar … whispered 5", "execute log INFO 6", "bgapi uuid_setvar … whispered 6",
		"execute hangup NORMAL_CLEARING", "bgapi sched_del tapdeck-…",
	}
	if diff := cmp.Diff(want, said(t, e.report)); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	if got := moments(e); !slices.Equal(got, []string{"connect", "answer", "whisper", "whisper", "hangup"}) {
		t.Errorf("timeline %q", got)
	}
	if arm := e.report.Commands[5]; !strings.HasPrefix(arm, "bgapi sched_api +1107 ") { // 200 s, a prompt's 3, the stream's 4, and 15 min
		t.Errorf("the dead man's switch does not ask the step: %s", arm)
	}
}

// scripted is a step that a test makes of a function.
type scripted struct {
	whisper
	do func(ctx context.Context, ch flow.Channel) error
}

func (s scripted) Run(ctx context.Context, ch flow.Channel) error { return s.do(ctx, ch) }

// A step may have the call hung up wherever it stands; nothing follows it then.
func TestHangUpByAStep(t *testing.T) {
	t.Parallel()
	ends := scripted{do: func(_ context.Context, ch flow.Channel) error { ch.HangUp(""); return nil }}
	e := made(&flow.Answer{}, ends, &flow.Play{Files: []string{promptFile}}).run(t, switchsim.CallSpec{})
	if len(e.outcome.Prompts) > 0 || e.outcome.Result != controller.Completed {
		t.Errorf("outcome %+v", e.outcome)
	}
}

// An error of a step that is none of the channel's ends the call, and not as if its plan were carried out.
func TestErrorOfAStep(t *testing.T) {
	t.Parallel()
	for _, err := range []error{errDisk, flow.ErrTimeout} {
		fails := scripted{do: func(context.Context, flow.Channel) error { return err }}
		e := made(&flow.Answer{}, fails, &flow.Play{Files: []string{promptFile}}).run(t, switchsim.CallSpec{})
		if len(e.outcome.Prompts) > 0 || e.outcome.Result != controller.Failed || e.outcome.Err != err.Error() || e.outcome.Hint == "" {
			t.Errorf("outcome %+v", e.outcome)
		}
	}
}

// A call that any step has answered is hung up after an error, not given to the dialplan's next action.
func TestErrorAfterAnAnswer(t *testing.T) {
	t.Parallel()
	fails := scripted{do: func(ctx context.Context, ch flow.Channel) error {
		if err := ch.Answer(ctx); err != nil {
			return err
		}
		return errDisk
	}}
	e := made(fails).run(t, switchsim.CallSpec{Then: after()})
	if e.outcome.Result != controller.Failed || e.outcome.HungUpBy != "tapdeck" || nextRan(e.report) {
		t.Errorf("outcome %+v", e.outcome)
	}
}

// A plan without a stream has no recording, and asks the sink for none.
func TestPlanWithoutStream(t *testing.T) {
	t.Parallel()
	s := made(&flow.Answer{}, &flow.Play{Files: []string{promptFile}}, &flow.Listen{For: 10 * time.Millisecond})
	s.refuse = func(controller.Info) error { return &controller.RefusalError{Err: errDisk} }
	e := s.run(t, switchsim.CallSpec{Voice: voice()})
	if e.outcome.Result != controller.Completed || len(e.report.Streams) > 0 || strings.Contains(strings.Join(e.report.Commands, "\n"), "STREAM_") {
		t.Errorf("outcome %+v, commands %q", e.outcome, e.report.Commands)
	}
}

// A call that is not answered can be hung up, with the plan's cause.
func TestHangupWithoutAnswer(t *testing.T) {
	t.Parallel()
	e := made(&flow.Hangup{Cause: "USER_BUSY"}).run(t, switchsim.CallSpec{Then: after()})
	if e.outcome.Result != controller.Completed || e.outcome.HangupCause != "USER_BUSY" || e.report.Answered || nextRan(e.report) {
		t.Errorf("outcome %+v", e.outcome)
	}
}

// What runs beside the plan while it listens ends before the next playback.
func TestPlayAfterListeningToBothWays(t *testing.T) {
	t.Parallel()
	listen := &flow.Listen{For: 50 * time.Millisecond}
	s := made(&flow.Answer{}, &flow.Stream{}, listen, listen, &flow.Play{Files: []string{promptFile}}, listen)
	s.plan.Stream.Mix = "stereo"
	e := s.run(t, switchsim.CallSpec{Voice: voice(), Before: []switchsim.Action{{Application: "answer"}}})
	want := []string{
		"execute answer", "bgapi uuid_audio_stream … start … stereo 8000", "execute playback silence_stream://-1", "bgapi uuid_break … all",
		"execute playback " + promptFile, "execute playback silence_stream://-1",
		"bgapi uuid_audio_stream … stop", "bgapi uuid_kill … NORMAL_CLEARING", "bgapi sched_del tapdeck-…",
	}
	if diff := cmp.Diff(want, said(t, e.report)); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	if e.outcome.Result != controller.Completed || e.outcome.Prompts[0].EndedBy != flow.PromptEnd {
		t.Errorf("outcome %+v", e.outcome)
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	value := "?"
	s := made(&flow.Answer{}, &flow.Set{Variable: "account", Value: "J. Doe; 12"}, &flow.Play{Files: []string{promptFile}})
	e := s.runWith(t, switchsim.CallSpec{}, 1, "playing", "ivr/", func(_ *testbed, call *switchsim.Call) { value = call.Variable("account") })
	if value != "J. Doe; 12" || e.outcome.Result != controller.Completed {
		t.Errorf("account=%q, outcome %+v", value, e.outcome)
	}
}

// Digits of stop_on end a prompt, and the rest of the list, and no others do. What the dialplan
// has named is back when the call goes on.
func TestStopOn(t *testing.T) {
	t.Parallel()
	for _, own := range []string{"", "9"} {
		t.Run("dialplan's "+own, func(t *testing.T) {
			t.Parallel()
			s := made(
				&flow.Answer{}, &flow.Play{Files: []string{"menu.wav", "more.wav"}, StopOn: "12"}, &flow.Play{Files: []string{"thanks.wav"}},
				&flow.Transfer{Number: "5000"},
			)
			s.sim.Prompts = func(file string) (time.Duration, bool) {
				return map[string]time.Duration{"menu.wav": time.Hour}[file] + time.Second, true
			}
			s.cfg.PromptLimit = patience
			set := map[string]string{}
			spec := switchsim.CallSpec{Then: after()}
			if own != "" {
				spec.Variables = map[string]string{"playback_terminators": own}
			}
			l := s.start(t)
			placed := make(chan *switchsim.Call, 1)
			spec.Progress = func(e switchsim.Event) {
				if e.Step != "playing" {
					return
				}
				call := <-placed
				placed <- call
				set[e.Detail] = call.Variable("playback_terminators")
				call.Press("3")
				call.Press("2")
			}
			call := l.dial(spec)
			placed <- call
			call.Wait()
			l.close()
			e := l.ended(call.Report())
			none := "none"
			if own != "" {
				none = own
			}
			if diff := cmp.Diff(map[string]string{"menu.wav": "12", "thanks.wav": none, "ivr/sorry.wav": own}, set); diff != "" {
				t.Errorf("playback_terminators (-want +got):\n%s", diff)
			}
			p := e.outcome.Prompts
			if len(p) != 2 || p[0].EndedBy != flow.PromptDigit || p[1].File != "thanks.wav" || p[1].EndedBy != flow.PromptEnd {
				t.Errorf("prompts %+v", p)
			}
			if line := e.line(t, "prompt cut"); field(line, "digit") != "2" || field(line, "hint") != nil {
				t.Errorf("line %v", line.ContextMap())
			}
		})
	}
}

// The plan gives the call away: its stream ends first, the channel is left as it came.
func TestTransfer(t *testing.T) {
	t.Parallel()
	s := made(&flow.Answer{}, &flow.Stream{}, &flow.Listen{For: 50 * time.Millisecond}, &flow.Transfer{Number: "5000", Context: "public"})
	e := s.run(t, switchsim.CallSpec{Voice: voice(), Then: after()})
	want := []string{
		"execute answer", "bgapi uuid_audio_stream … start … mono 8000", "bgapi uuid_audio_stream … stop",
		"bgapi uuid_setvar … playback_terminators", "bgapi sched_del tapdeck-…", "bgapi uuid_transfer … 5000 XML public",
	}
	if diff := cmp.Diff(want, said(t, e.report)[:len(want)]); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	if e.outcome.Result != controller.Transferred || e.outcome.Err != "" || !nextRan(e.report) {
		t.Errorf("outcome %+v, next action %v", e.outcome, e.report.NextAction)
	}
	if got := moments(e); !slices.Equal(got[:6], []string{"connect", "answer", "stream", "listen", "stop", "transfer"}) {
		t.Errorf("timeline %q", got)
	}
	checkAudio(t, e)
}

// A hangup ends any step at once, with every step's own bounds far away.
func TestHangupEndsEveryStep(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]flow.Step{
		"pause": &flow.Pause{For: time.Hour}, "tone": &flow.Tone{Frequency: 800, Duration: time.Hour},
		"play": &flow.Play{Files: []string{"a.wav", "b.wav"}}, "listen": &flow.Listen{For: time.Hour, FinishOn: "#"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := made(&flow.Answer{}, &flow.Stream{}, step, &flow.Play{Files: []string{"never.wav"}})
			s.sim.Prompts = func(string) (time.Duration, bool) { return time.Hour, true }
			s.cfg.PromptLimit = time.Hour
			l := s.start(t)
			call := l.dial(switchsim.CallSpec{Voice: voice()})
			l.waitStep(t, name)
			call.Hangup()
			call.Wait()
			l.close()
			e := l.ended(call.Report())
			if e.outcome.Result != controller.CallerHangup || slices.Contains(commands(e.report), "execute playback never.wav") {
				t.Errorf("outcome %+v", e.outcome)
			}
			if name == "play" && e.outcome.Prompts[0].EndedBy != flow.PromptHangup {
				t.Errorf("prompts %+v", e.outcome.Prompts)
			}
		})
	}
}

// A break of what has not begun yet has no effect: the silence is broken until it ends.
func TestSilenceThatHasNotBegun(t *testing.T) {
	t.Parallel()
	s := made(&flow.Answer{}, &flow.Stream{}, &flow.Listen{}, &flow.Play{Files: []string{promptFile}}, &flow.Listen{}, &flow.Set{Variable: "a", Value: "b"})
	s.plan.Stream.Mix = "mixed"
	e := s.run(t, switchsim.CallSpec{Voice: voice(), Before: []switchsim.Action{{Application: "answer"}}})
	if e.outcome.Result != controller.Completed || len(e.outcome.Prompts) != 1 || e.outcome.Prompts[0].EndedBy != flow.PromptEnd {
		t.Errorf("outcome %+v", e.outcome)
	}
}

// An unknown extension: the call was transferred, and hung up at once, however the events come.
func TestTransferToNowhere(t *testing.T) {
	t.Parallel()
	for _, already := range []bool{false, true} {
		s := made(&flow.Answer{}, &flow.Transfer{Number: "1"})
		e := s.run(t, switchsim.CallSpec{Extensions: map[string][]switchsim.Action{"5000": after()}, Faults: switchsim.Faults{HungUpThere: already}})
		if e.outcome.Result != controller.Transferred || !strings.Contains(e.outcome.Err, "nothing to transfer the call to: 1") || e.outcome.Hint == "" {
			t.Errorf("outcome %+v", e.outcome)
		}
		if line := e.line(t, "call ended"); line.Level != zapcore.WarnLevel {
			t.Errorf("line %+v", line)
		}
	}
}

// A caller who hangs up at the transfer was not transferred.
func TestHangupAtTheTransfer(t *testing.T) {
	t.Parallel()
	s := made(&flow.Answer{}, &flow.Transfer{Number: "5000"})
	good := s.run(t, switchsim.CallSpec{})
	n := 1 + slices.IndexFunc(good.report.Commands, func(c string) bool { return strings.Contains(c, "uuid_transfer") })
	e := s.run(t, switchsim.CallSpec{Faults: switchsim.Faults{HangupAt: n}})
	if n == 0 || e.outcome.Result != controller.CallerHangup {
		t.Errorf("command %d, outcome %+v", n, e.outcome)
	}
}
