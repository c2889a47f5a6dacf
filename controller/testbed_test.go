package controller_test

import (
	"context"
	"errors"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"tapdeck/controller"
	"tapdeck/controller/esl"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
)

// speed is how many times faster than real time the switch's media runs.
const speed = 10

// patience is far beyond what any call of a test takes.
const patience = 20 * time.Second

const (
	promptFile  = "ivr/prompt.wav"
	missingFile = "ivr/missing.wav"
)

// setup is what a test's controller and switch are made of.
type setup struct {
	cfg  controller.Config
	esl  esl.Config
	plan flatPlan
	sim  switchsim.Config

	plans  controller.Plans // nil: plan for every call
	behave func(uuid string, socket int) behaviour
	refuse func(info controller.Info) error
	badly  error
	level  zapcore.Level

	rewrite  func(command []byte) []byte // of what goes to the switch
	recorder controller.Recorder         // nil: one that keeps what calls say
}

// flatPlan is a plan in its flat form, unless it has steps.
type flatPlan struct {
	controller.Plan
	AnswerPause time.Duration
	Tone        flow.Tone
	Prompt      string
	StopOn      string
	Listen      time.Duration
	FinishOn    string
	Silence     time.Duration
}

func (p flatPlan) expanded() controller.Plan {
	if p.Steps == nil {
		p.Steps = flow.Flat{
			AnswerPause: p.AnswerPause, Tone: p.Tone, Prompt: p.Prompt, StopOn: p.StopOn,
			Listen: flow.Listen{For: p.Listen, FinishOn: p.FinishOn, Silence: p.Silence},
		}.Steps()
	}
	return p.Plan
}

// good is a setup in which a call completes within half a second.
func good() setup {
	s := setup{
		cfg: controller.Config{
			MaxCalls: 100, CommandTimeout: time.Second, AnswerTimeout: 2 * time.Second, StepGrace: 2 * time.Second,
			PromptLimit: 3 * time.Second, HangupTimeout: time.Second, AbortTimeout: 3 * time.Second, TurnTimeout: 5 * time.Second, RestartPause: 30 * time.Millisecond,
		},
		esl: esl.DefaultConfig(),
		plan: flatPlan{
			Plan: controller.Plan{
				Name: "default", OnStreamFailure: controller.FailureHangup,
				Stream: controller.StreamPlan{
					Mix: "mono", SampleRate: 8000, Buffer: 20 * time.Millisecond,
					ConnectTimeout: 2 * time.Second, StopTimeout: 2 * time.Second, Restarts: 3,
				},
			},
			AnswerPause: 10 * time.Millisecond, Tone: flow.Tone{Frequency: 800, Duration: 200 * time.Millisecond},
			Prompt: promptFile, Listen: 100 * time.Millisecond,
		},
		level: zapcore.InfoLevel,
	}
	s.sim = switchsim.Config{Speed: speed, Prompts: func(file string) (time.Duration, bool) {
		return 600 * time.Millisecond, file != missingFile
	}}
	return s
}

// testbed is a controller and a switch that run.
type testbed struct {
	tb   testing.TB
	ctl  *controller.Controller
	rec  *recorder
	sw   *switchsim.Switch
	tap  *tap
	reg  *prometheus.Registry
	logs *observer.ObservedLogs
	stop context.CancelCauseFunc // Serve's context

	served chan error
}

// start runs a testbed until the test ends, or until close.
func (s setup) start(tb testing.TB) *testbed {
	tb.Helper()
	core, logs := observer.New(s.level)
	log := zap.New(core)
	l := &testbed{tb: tb, rec: startRecorder(tb), sw: switchsim.New(s.sim), reg: prometheus.NewRegistry(), logs: logs, served: make(chan error, 1)}
	l.rec.behave, l.rec.refuse, l.rec.badly = s.behave, s.refuse, s.badly
	s.esl.Headers = controller.Headers(s.cfg.Variables...)
	server := esl.NewServer(s.esl, log, l.reg)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	l.tap = &tap{Listener: ln, rewrite: s.rewrite}
	plans := s.plans
	if plans == nil {
		plans = func(controller.Variables, string) (controller.Plan, []error) { return s.plan.expanded(), nil }
	}
	recorder := s.recorder
	if recorder == nil {
		recorder = l.rec
	}
	l.ctl = controller.New(s.cfg, recorder, plans, log, l.reg)
	ctx, stop := context.WithCancelCause(context.Background())
	l.stop = stop
	go func() { l.served <- l.ctl.Serve(ctx, l.tap, server) }()
	tb.Cleanup(func() {
		stop(errors.New("the test is over"))
		l.close()
		l.sw.Wait()
	})
	return l
}

// close stops accepting and waits until every call has ended.
func (l *testbed) close() error {
	l.tb.Helper()
	l.tap.Close()
	select {
	case err := <-l.served:
		l.served <- err
		return err
	case <-time.After(patience):
		l.tb.Fatal("Serve did not return")
		return nil
	}
}

// dial places a call; it is torn down if the test ends before it does.
func (l *testbed) dial(spec switchsim.CallSpec) *switchsim.Call {
	l.tb.Helper()
	if spec.Address == "" {
		spec.Address = l.tap.Addr().String()
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	call, err := l.sw.Dial(ctx, spec)
	if err != nil {
		cancel()
		l.tb.Fatal(err)
	}
	l.tb.Cleanup(func() { cancel(); call.Wait() })
	return call
}

// operator gives the switch an API command over its inbound event socket, in a
// goroutine that ends before the test does.
func (l *testbed) operator(command string) {
	l.operatorDone(command)
}

// operatorSays gives the switch an API command and waits for its answer.
func (l *testbed) operatorSays(command string) {
	l.tb.Helper()
	<-l.operatorDone(command)
}

func (l *testbed) operatorDone(command string) <-chan struct{} {
	l.tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l.tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	var tasks sync.WaitGroup
	tasks.Go(func() { l.sw.ServeInbound(ctx, ln) })
	tasks.Go(func() {
		defer close(done)
		conn, err := esl.Dial(ctx, ln.Addr().String(), "ClueCon", esl.DefaultConfig(), zap.NewNop())
		if err != nil {
			l.tb.Error(err)
			return
		}
		defer conn.Close()
		if _, err := conn.API(ctx, command); err != nil && ctx.Err() == nil {
			l.tb.Error(err)
		}
	})
	l.tb.Cleanup(func() { stop(); tasks.Wait() })
	return done
}

// ended is what one call left behind.
type ended struct {
	report    switchsim.Report
	outcome   controller.Outcome
	recording *recording
	logs      []observer.LoggedEntry
}

// run places one call in a testbed of its own and waits until it is over.
func (s setup) run(t *testing.T, spec switchsim.CallSpec) ended {
	t.Helper()
	l := s.start(t)
	call := l.dial(spec)
	report := call.Wait()
	if err := l.close(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	return l.ended(report)
}

// runAtEachCommand runs a call for each command of a good call from the second on,
// all at the same time, and returns what they left behind by the command's number.
func (s setup) runAtEachCommand(t *testing.T, fault func(n int) switchsim.Faults) map[int]ended {
	t.Helper()
	l := s.start(t)
	calls, all := map[int]*switchsim.Call{}, map[int]ended{}
	for n := 2; n <= len(goodCommands("mono", 8000)); n++ {
		calls[n] = l.dial(switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.3), Faults: fault(n)})
	}
	for _, c := range calls {
		c.Wait()
	}
	if err := l.close(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	for n, c := range calls {
		all[n] = l.ended(c.Report())
	}
	return all
}

// ended collects what a call left behind, and checks what holds for every call.
func (l *testbed) ended(report switchsim.Report) ended {
	l.tb.Helper()
	id := controller.CallID(report.UUID)
	e := ended{report: report, recording: l.rec.recording(id), logs: l.of(id)}
	outcomes := l.rec.outcomes(id)
	if len(outcomes) != 1 {
		l.tb.Fatalf("call %s: %d outcomes saved, want 1", id, len(outcomes))
	}
	e.outcome = outcomes[0]
	checkTimeline(l.tb, e.outcome.Timeline)
	if report.Stranded {
		l.tb.Errorf("call %s: stranded, with nobody in control", id)
	}
	if n := e.count("call ended"); n != 1 {
		l.tb.Errorf("call %s: %d lines \"call ended\", want 1", id, n)
	}
	for _, line := range e.logs {
		if line.Level >= zapcore.WarnLevel && field(line, "hint") == nil && e.outcome.Result != controller.Aborted {
			l.tb.Errorf("call %s: %s %q has no hint: %v", id, line.Level, line.Message, line.ContextMap())
		}
	}
	if n := l.sw.Tasks("tapdeck-" + report.UUID); n > 0 && !lost(e) {
		l.tb.Errorf("call %s: %d tasks were left in the switch", id, n)
	}
	if e.recording != nil && e.recording.finished != 1 {
		l.tb.Errorf("call %s: recording finished %d times, want once", id, e.recording.finished)
	}
	return e
}

// of returns the log lines of one call.
func (l *testbed) of(id string) []observer.LoggedEntry {
	return l.logs.Filter(func(e observer.LoggedEntry) bool { return field(e, "call") == id }).All()
}

// lost says that a call may leave its dead man's switch behind: nothing could be said to
// the switch any more, or it did not answer, or a shutdown could not wait for the hangup.
func lost(e ended) bool {
	return e.outcome.Result == controller.Aborted && e.outcome.HangupCause == "" ||
		e.outcome.Result == controller.SwitchLost || e.outcome.Result == controller.Failed ||
		slices.ContainsFunc(e.report.Faults, func(f string) bool { return strings.HasPrefix(f, "died") || strings.HasPrefix(f, "never answered") })
}

func field(e observer.LoggedEntry, name string) any { return e.ContextMap()[name] }

func (e ended) count(message string) int {
	n := 0
	for _, line := range e.logs {
		if line.Message == message {
			n++
		}
	}
	return n
}

// line returns the first log line with that message.
func (e ended) line(t *testing.T, message string) observer.LoggedEntry {
	t.Helper()
	for _, line := range e.logs {
		if line.Message == message {
			return line
		}
	}
	t.Fatalf("no log line %q in %q", message, e.messages())
	return observer.LoggedEntry{}
}

func (e ended) messages() []string {
	var all []string
	for _, line := range e.logs {
		all = append(all, line.Level.String()+" "+line.Message)
	}
	return all
}

// checkTimeline says whether the steps that were reached were so in order.
func checkTimeline(tb testing.TB, t controller.Timeline) {
	tb.Helper()
	for i := range t {
		if i > 0 && t[i].At.Before(t[i-1].At) {
			tb.Errorf("moment %d of the timeline is before the one before it: %+v", i, t)
		}
	}
}

// noise is what differs from call to call in a command.
var noise = regexp.MustCompile(`ws://\S+|\+\d+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}`)

// commands returns the switch's commands without what differs from call to call.
func commands(r switchsim.Report) []string {
	var all []string
	for _, c := range r.Commands {
		all = append(all, noise.ReplaceAllString(c, "…"))
	}
	return all
}

// story is commands in one word each, without those that begin every call.
func story(r switchsim.Report) string {
	var all []string
	for _, c := range commands(r) {
		for _, w := range []struct{ sign, word string }{
			{"execute answer", "answer"},
			{"execute playback tone_stream", "tone"},
			{"execute playback", "prompt"},
			{"uuid_audio_stream … start", "start"},
			{"uuid_audio_stream … stop", "stop"},
			{"execute hangup", "hangup"},
			{"bgapi uuid_kill", "kill"},
			{"uuid_break", "break"},
		} {
			if strings.Contains(c, w.sign) {
				all = append(all, w.word)
				break
			}
		}
	}
	return strings.Join(all, " ")
}

// on calls do at the nth step of a call that has this name and whose detail
// begins so. It is to be given as a CallSpec's Progress; do must not block.
func on(n int, step, detail string, do func()) func(switchsim.Event) {
	seen := make(chan struct{}, 1000)
	return func(e switchsim.Event) {
		if e.Step == step && strings.HasPrefix(e.Detail, detail) {
			seen <- struct{}{}
			if len(seen) == n {
				do()
			}
		}
	}
}

// newUUID is a channel's UUID.
func newUUID() string { return uuid.NewString() }
