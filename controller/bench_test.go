package controller_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/pcm"
	"tapdeck/controller/switchsim"
)

// nothing is a recorder that keeps nothing. Its recordings say that their stream
// is up as soon as they are asked, and down once it is being stopped.
type nothing struct{}

func (nothing) Expect(controller.Info, controller.StreamPlan) (controller.Recording, error) {
	return &nowhere{changed: make(chan struct{}, 1), state: controller.StreamState{Connections: 1, Live: true, FirstAudioAt: time.Now()}}, nil
}

func (nothing) Save(info controller.Info, outcome controller.Outcome) (controller.Record, error) {
	return record{info, outcome}, nil
}

// nowhere is a recording of nothing, for one goroutine.
type nowhere struct {
	changed chan struct{}
	state   controller.StreamState
	info    controller.Info
}

func (n *nowhere) URL() string                      { return "ws://127.0.0.1:1/stream" }
func (n *nowhere) Changed() <-chan struct{}         { return n.changed }
func (n *nowhere) State() controller.StreamState    { return n.state }
func (n *nowhere) WatchSpeech(flow.SpeechWatch)     {}
func (n *nowhere) Mark(string)                      {}
func (n *nowhere) Note(controller.Outcome)          {}
func (n *nowhere) Stopping()                        { n.state.Live = false }
func (n *nowhere) Starting()                        {}
func (n *nowhere) Disconnect(context.Context) error { return nil }
func (n *nowhere) Finish(context.Context) error     { return nil }

func (n *nowhere) Tap(controller.TapOptions) pcm.Ear { return newEar() }
func (n *nowhere) Send([]byte) error                 { return controller.ErrNoStream }
func (n *nowhere) Position(time.Time) time.Duration  { return 0 }

func (n *nowhere) Save(outcome controller.Outcome) (controller.Record, error) {
	return record{n.info, outcome}, nil
}

// BenchmarkCall runs whole calls through event socket, controller and simulated
// switch, one after the other, over real sockets and without audio. What it
// counts is of all three; commands, events and bytes are of the wire.
func BenchmarkCall(b *testing.B) {
	s := good()
	s.level = zapcore.FatalLevel
	s.recorder = nothing{}
	s.sim = switchsim.Config{Speed: 100, Prompts: func(string) (time.Duration, bool) { return 0, true }}
	s.plan.AnswerPause, s.plan.Listen, s.plan.Tone.Duration = 0, 0, time.Millisecond
	l := s.start(b)
	var last switchsim.Report
	var first time.Duration
	b.ReportAllocs()
	for b.Loop() {
		last = l.dial(switchsim.CallSpec{Faults: switchsim.Faults{NeverConnect: true}}).Wait()
		first += last.FirstCommand.Sub(last.Connected)
	}
	b.ReportMetric(float64(len(last.Commands)), "commands/call")
	b.ReportMetric(float64(last.EventsSent), "events/call")
	b.ReportMetric(float64(last.BytesSent), "bytes/call")
	b.ReportMetric(float64(first.Microseconds())/float64(b.N), "µs-to-first-command")
	l.close()
	if ended := l.ctl.Ended(); ended[0].Outcome.Result != controller.Completed {
		b.Errorf("outcome = %+v, want completed", ended[0].Outcome)
	}
}

// BenchmarkCalls runs many calls at a time: what one costs must not grow with them.
func BenchmarkCalls(b *testing.B) {
	s := good()
	s.level = zapcore.FatalLevel
	s.recorder = nothing{}
	s.cfg.MaxCalls = 10000
	s.plan.Listen = 500 * time.Millisecond
	for _, n := range []int{10, 100, 500} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			l := s.start(b)
			b.ReportAllocs()
			var slowest time.Duration
			for b.Loop() {
				calls := make([]*switchsim.Call, 0, n)
				for range n {
					calls = append(calls, l.dial(switchsim.CallSpec{Faults: switchsim.Faults{NeverConnect: true}}))
				}
				for _, c := range calls {
					r := c.Wait()
					slowest = max(slowest, r.FirstCommand.Sub(r.Connected))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/call")
			b.ReportMetric(float64(slowest.Microseconds()), "µs-to-first-command-max")
		})
	}
}
