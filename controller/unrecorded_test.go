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
		steps       []flow.Step
		spec        switchsim.CallSpec
		cause, step string // no cause is no line
	}{
		"no stream":          {[]flow.Step{answer, listen}, switchsim.CallSpec{}, "no_stream_step", "listen"},
		"hung up, no answer": {[]flow.Step{&flow.Hangup{Cause: "USER_BUSY"}}, switchsim.CallSpec{}, "no_stream_step", "hangup"},
		"hung up before it":  {[]flow.Step{answer, long, stream, listen}, switchsim.CallSpec{HangupAfter: 500 * time.Millisecond}, "stream_not_reached", "play"},
		"given up":           {[]flow.Step{&flow.Pause{For: time.Minute}, answer, stream, listen}, switchsim.CallSpec{RingHangup: 500 * time.Millisecond}, "not_answered", "pause"},
		"hung up while it is awaited": {
			[]flow.Step{answer, stream, listen}, switchsim.CallSpec{HangupAfter: 500 * time.Millisecond, Faults: switchsim.Faults{NeverConnect: true}}, "no_socket_yet", "stream",
		},
		"recorded":          {[]flow.Step{answer, stream, listen}, switchsim.CallSpec{}, "", ""},
		"its error says it": {[]flow.Step{answer, stream, listen}, switchsim.CallSpec{Faults: switchsim.Faults{RefuseStart: true}}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.spec.Voice = voice()
			e := made(c.steps...).run(t, c.spec)
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
