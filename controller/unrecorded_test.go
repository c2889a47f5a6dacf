package controller_test

import (
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
)

// Of a call that went as it should and was not recorded, one line says why.
func TestWhyACallIsNotRecorded(t *testing.T) {
	t.Parallel()
	answer, stream, listen := &flow.Answer{}, &flow.Stream{}, &flow.Listen{For: 10 * time.Millisecond}
	long := &flow.Play{Files: []string{promptFile, promptFile, promptFile}}
	for name, c := range map[string]struct {
		steps         []flow.Step
		spec          switchsim.CallSpec
		until, detail string // the caller hangs up when the switch is at this
		cause, step   string // no cause is no line
	}{
		"no stream":          {steps: []flow.Step{answer, listen}, cause: "no_stream_step", step: "listen"},
		"hung up, no answer": {steps: []flow.Step{&flow.Hangup{Cause: "USER_BUSY"}}, cause: "no_stream_step", step: "hangup"},
		"hung up before it":  {steps: []flow.Step{answer, long, stream, listen}, until: "execute", detail: "playback", cause: "stream_not_reached", step: "play"},
		"given up": {
			steps: []flow.Step{answer, stream, listen}, spec: switchsim.CallSpec{Faults: switchsim.Faults{NeverComplete: "answer"}},
			until: "execute", detail: "answer", cause: "not_answered", step: "answer",
		},
		"hung up while it is awaited": {
			steps: []flow.Step{answer, stream, listen}, spec: switchsim.CallSpec{Faults: switchsim.Faults{NeverConnect: true}},
			until: "stream start", cause: "no_socket_yet", step: "stream",
		},
		"recorded":          {steps: []flow.Step{answer, stream, listen}},
		"its error says it": {steps: []flow.Step{answer, stream, listen}, spec: switchsim.CallSpec{Faults: switchsim.Faults{RefuseStart: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.spec.Voice = voice()
			e := made(c.steps...).runWith(t, c.spec, 1, c.until, c.detail, hangUp)
			if c.cause == "" {
				if n := e.count("no recording"); n != 0 {
					t.Errorf("%q", e.messages())
				}
				return
			}
			line := e.line(t, "no recording")
			if line.Level != zapcore.InfoLevel || field(line, "cause") != c.cause || field(line, "step") != c.step || field(line, "hint") == nil {
				t.Errorf("%s %v", line.Level, line.ContextMap())
			}
		})
	}
}

// A call that is refused is told of by its error alone.
func TestRefusedCallHasNoFurtherLine(t *testing.T) {
	t.Parallel()
	s := good()
	s.refuse = func(controller.Info) error { return &controller.RefusalError{Err: errDisk} }
	if e := s.run(t, switchsim.CallSpec{Then: after()}); e.outcome.Result != controller.Refused || e.count("no recording") != 0 {
		t.Errorf("%+v, %q", e.outcome, e.messages())
	}
}
