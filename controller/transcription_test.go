package controller_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/recogniser"
	"tapdeck/controller/transcript"
)

// observed are the events of a testbed's calls.
type observed struct {
	changed chan struct{} // capacity 1
	mu      sync.Mutex
	events  []controller.Event
}

// await waits for an event of a kind.
func (o *observed) await(t *testing.T, kind controller.EventKind) {
	t.Helper()
	timeout := time.After(patience)
	for len(o.texts(kind)) == 0 {
		select {
		case <-o.changed:
		case <-timeout:
			t.Fatalf("no event %s", kind)
		}
	}
}

func (o *observed) Observe(e controller.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

// texts are those of the events of a kind.
func (o *observed) texts(kind controller.EventKind) (texts []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.events {
		if e.Kind == kind {
			texts = append(texts, e.Data.(transcript.Segment).Text)
		}
	}
	return texts
}

// transcribed is a setup whose calls are transcribed, and what is told of them.
func transcribed(t *testing.T, server *recogniser.Server) (setup, *observed) {
	url, stop := server.Start()
	t.Cleanup(stop)
	s, events := good(), &observed{changed: make(chan struct{}, 1)}
	s.cfg.Observer = events
	s.plan.Transcribe = transcript.DefaultService()
	s.plan.Transcribe.URL, s.plan.Transcribe.Format, s.plan.LogTranscripts = url, string(server.Format), true
	listen := &flow.Listen{For: 600 * time.Millisecond}
	if server.Format == recogniser.Deepgram { // which is not sent audio ten times as fast as it is spoken
		s.sim.Speed, listen.For = 1, 2400*time.Millisecond
	}
	s.plan.Steps = []flow.Step{&flow.Answer{}, &flow.Stream{}, listen, &flow.Hangup{}}
	return s, events
}

// speaker is a caller who says words: the last ones right before the call ends.
func speaker(words ...recogniser.Spoken) switchsim.CallSpec {
	return switchsim.CallSpec{Voice: switchsim.VoiceFromBytes(8000, recogniser.Say(8000, append(words, recogniser.Spoken{At: time.Minute})...), false)}
}

func threeWords(format recogniser.Format) switchsim.CallSpec {
	last := recogniser.Spoken{At: 5 * time.Second, Length: 3 * time.Second, Word: "help"}
	if format == recogniser.Deepgram {
		last.At = 1500 * time.Millisecond
	}
	return speaker(recogniser.Spoken{At: 400 * time.Millisecond, Word: "one"}, recogniser.Spoken{At: 800 * time.Millisecond, Word: "two"}, last)
}

func textsOf(segments []transcript.Segment) (texts []string) {
	for _, s := range segments {
		texts = append(texts, s.Text)
	}
	return texts
}

// What is said in a call is in its outcome, its log and its events, with the last words.
func TestTranscription(t *testing.T) {
	for _, format := range []recogniser.Format{recogniser.Deepgram, recogniser.Vosk} {
		for _, logged := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s logged %v", format, logged), func(t *testing.T) {
				s, events := transcribed(t, &recogniser.Server{Format: format})
				s.plan.LogTranscripts = logged
				e := s.run(t, threeWords(format))
				n := e.outcome.Transcript
				want := []string{"one two", "help"}
				if e.outcome.Result != controller.Completed || n == nil || n.Missing != 0 || n.Err != "" || n.Connects != 1 || n.Format != string(format) {
					t.Fatalf("%+v %+v", e.outcome, n)
				}
				if diff := cmp.Diff(want, textsOf(n.Segments)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(want, events.texts(controller.EventTranscriptFinal)); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
				var lines []string
				for _, l := range e.logs {
					if l.Message == "transcript" {
						lines = append(lines, fmt.Sprint(l.ContextMap()["channel"], " ", l.ContextMap()["text"]))
						if from, to := l.ContextMap()["from_ms"].(int64), l.ContextMap()["to_ms"].(int64); to <= from || to > 9000 {
							t.Errorf("%d to %d ms", from, to)
						}
					} else if strings.Contains(fmt.Sprint(l.ContextMap()), "one two") {
						t.Errorf("words in line %q: %v", l.Message, l.ContextMap())
					}
				}
				wantLines := []string{"caller one two", "caller help"}
				if !logged {
					wantLines = nil
				}
				if diff := cmp.Diff(wantLines, lines); diff != "" {
					t.Errorf("log (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// The caller is let go before the last words are waited for, and so is the call's slot; the wait has a bound.
func TestNobodyWaitsForWords(t *testing.T) {
	server := &recogniser.Server{Format: recogniser.Vosk}
	server.SetFault(0, recogniser.Fault{NeverFinishes: true})
	s, _ := transcribed(t, server)
	s.cfg.MaxCalls, s.esl.MaxConnections = 1, 2
	s.plan.Transcribe.FinalTimeout = 3 * time.Second
	l := s.start(t)
	for range 3 { // the later ones while the first one's words are still awaited
		l.dial(threeWords(recogniser.Vosk)).Wait()
	}
	const none = "# HELP tapdeck_calls_active Calls that run now, without those that only wait for the last words of their transcript.\n# TYPE tapdeck_calls_active gauge\ntapdeck_calls_active 0\n"
	l.until(t, "an end of all calls that run", func() bool {
		return testutil.GatherAndCompare(l.reg, strings.NewReader(none), "tapdeck_calls_active") == nil
	})
	if running := l.ctl.Calls(); len(running) == 0 || running[0].Step != "last_words" {
		t.Errorf("%+v", running)
	}
	_ = l.close()
	all := l.ctl.Ended()
	if len(all) != 3 {
		t.Fatalf("%+v", all)
	}
	for _, e := range all {
		o := l.rec.outcomes(e.Info.UUID)[0]
		if took := o.Ended.Sub(o.Timeline.At("hangup")); o.Result != controller.Completed || took > 900*time.Millisecond {
			t.Errorf("%s: ended %v after its hangup", o.Result, took)
		}
		if n := o.Transcript; n.Missing <= 0 || n.Err == "" || n.Hint == "" || !slices.Contains(o.Alarms, "transcript_incomplete") {
			t.Errorf("%+v %v", n, o.Alarms)
		}
	}
	if n := l.logs.FilterMessage("transcript incomplete").Len(); n != 3 {
		t.Errorf("%d lines say that words are missing", n)
	}
}

// Whatever a service does, the call and its recording go on.
func TestBadTranscriber(t *testing.T) {
	all := recogniser.Faults()
	for _, name := range []string{"refuse-401", "redirect", "no-handshake", "slow", "mute", "never-finishes", "stops-reading", "reset", "close-1000", "flood", "not-json"} {
		fault, known := all[name]
		if !known {
			t.Fatalf("no fault %s", name)
		}
		t.Run(name, func(t *testing.T) {
			server := &recogniser.Server{Format: recogniser.Vosk}
			server.SetFault(0, fault)
			s, _ := transcribed(t, server)
			s.plan.Transcribe.FinalTimeout, s.plan.Transcribe.ConnectTimeout = 300*time.Millisecond, 300*time.Millisecond
			e := s.run(t, threeWords(recogniser.Vosk))
			if e.outcome.Result != controller.Completed || e.outcome.Err != "" {
				t.Errorf("%+v", e.outcome)
			}
			if audio := e.recording.State().Audio; audio < 5*time.Second {
				t.Errorf("%v of audio", audio)
			}
			failed := 0
			for _, l := range e.logs {
				if l.Message == "transcription failed" {
					failed++
				}
			}
			if refused := name == "refuse-401" || name == "redirect"; refused && failed != 1 {
				t.Errorf("%d lines say that it failed", failed)
			}
			if missing := e.outcome.Transcript.Missing > 0; missing != slices.Contains(e.outcome.Alarms, "transcript_incomplete") || missing && e.outcome.Transcript.Hint == "" {
				t.Errorf("%+v %v", e.outcome.Transcript, e.outcome.Alarms)
			}
		})
	}
}

// A plan that stops its stream and starts it again has one transcription, and all words.
func TestTranscribedAgain(t *testing.T) {
	server := &recogniser.Server{Format: recogniser.Vosk}
	s, _ := transcribed(t, server)
	listen := &flow.Listen{For: 300 * time.Millisecond}
	s.plan.Steps = []flow.Step{&flow.Answer{}, &flow.Stream{}, listen, &flow.Stream{Action: "stop"}, &flow.Pause{For: 100 * time.Millisecond}, &flow.Stream{}, listen, &flow.Hangup{}}
	e := s.run(t, speaker(recogniser.Spoken{At: time.Second, Word: "one"}, recogniser.Spoken{At: 5500 * time.Millisecond, Word: "two"}))
	if diff := cmp.Diff([]string{"one", "two"}, textsOf(e.outcome.Transcript.Segments)); diff != "" || server.Accepted() != 1 || e.outcome.Transcript.Missing != 0 {
		t.Errorf("%+v after %d connections (-want +got):\n%s", e.outcome.Transcript, server.Accepted(), diff)
	}
}

// A key that can't be read is told of, and the call goes on without words.
func TestNoKey(t *testing.T) {
	s, _ := transcribed(t, &recogniser.Server{Format: recogniser.Vosk})
	s.plan.Transcribe.KeyFile = t.TempDir() + "/key"
	e := s.run(t, threeWords(recogniser.Vosk))
	n := e.outcome.Transcript
	if e.outcome.Result != controller.Completed || n == nil || !strings.Contains(n.Err, "key_file") || n.Hint == "" || n.Missing != e.recording.State().Audio {
		t.Errorf("%+v %+v", e.outcome, n)
	}
}

// Of stereo a service that takes both channels is given both, each by its name.
func TestTranscribedChannels(t *testing.T) {
	for mix, want := range map[string][2]string{"mono": {"1", "caller"}, "mixed": {"1", "both"}, "stereo": {"2", "caller"}} {
		t.Run(mix, func(t *testing.T) {
			server := &recogniser.Server{Format: recogniser.Deepgram}
			s, _ := transcribed(t, server)
			s.plan.Stream.Mix = mix
			e := s.run(t, threeWords(recogniser.Deepgram))
			c := server.Connections()[0]
			if got := c.Query.Get("channels"); got != want[0] || (c.Query.Get("multichannel") == "true") != (want[0] == "2") || c.Query.Get("sample_rate") != "8000" {
				t.Error(c.Query)
			}
			wantTap := []controller.TapOptions{{Caller: mix != "stereo", Latency: 200 * time.Millisecond, Buffer: s.plan.Transcribe.Buffer}}
			if diff := cmp.Diff(wantTap, e.recording.tapped); diff != "" {
				t.Errorf("tap (-want +got):\n%s", diff)
			}
			if segments := e.outcome.Transcript.Segments; len(segments) == 0 || segments[0].Channel != want[1] {
				t.Errorf("%+v", segments)
			}
		})
	}
}

// What the caller says ends the listening, if the plan says so.
func TestUntilSaid(t *testing.T) {
	s, _ := transcribed(t, &recogniser.Server{Format: recogniser.Vosk})
	s.plan.Steps = []flow.Step{&flow.Answer{}, &flow.Stream{}, &flow.Listen{For: patience, UntilSaid: []string{"goodbye", "Stop!"}}, &flow.Hangup{}}
	e := s.run(t, speaker(recogniser.Spoken{At: time.Second, Word: "one"}, recogniser.Spoken{At: 3 * time.Second, Word: "stop"}))
	if e.outcome.Result != controller.Completed || e.outcome.ListenEndedBy != flow.ListenSaid {
		t.Errorf("%+v", e.outcome)
	}
}

// What was said before the listening time does not count for it, however late the service says so, and
// whatever was said behind it at one go.
func TestUntilSaidBefore(t *testing.T) {
	for _, format := range []recogniser.Format{recogniser.Vosk, recogniser.Deepgram} {
		for _, interim := range []bool{true, false} {
			server := &recogniser.Server{Format: format, Interim: 100 * time.Millisecond}
			server.SetFault(0, recogniser.Fault{FinalDelay: 300 * time.Millisecond})
			s, _ := transcribed(t, server)
			s.plan.Transcribe.Interim, s.sim.Speed = interim, 1 // what the clock says is where the recording is
			s.plan.Steps = []flow.Step{&flow.Answer{}, &flow.Stream{}, &flow.Pause{For: 500 * time.Millisecond}, &flow.Listen{For: time.Second, UntilSaid: []string{"stop"}}, &flow.Hangup{}}
			e := s.run(t, speaker(recogniser.Spoken{At: 200 * time.Millisecond, Word: "stop"}, recogniser.Spoken{At: 600 * time.Millisecond, Word: "one"}))
			if e.outcome.ListenEndedBy != flow.ListenTime || len(e.outcome.Transcript.Segments) != 1 {
				t.Errorf("%s, interim %v: ended by %q: %+v", format, interim, e.outcome.ListenEndedBy, e.outcome.Transcript)
			}
		}
	}
}

// prompted plays its files as words are listened to, and the call is over a second later.
type prompted struct {
	flow.Play
	any, found bool // of words
}

func (s *prompted) Run(ctx context.Context, ch flow.Channel) error {
	ch.Words().Begin()
	if err := s.Play.Run(ctx, ch); err != nil {
		return err
	}
	_ = ch.Wait(ctx, time.Second, func() bool {
		_, found := ch.Words().Find([]string{"stop"})
		s.found, s.any = s.found || found, s.any || ch.Words().Any()
		return false
	})
	return nil
}

// What the caller hears is not what he says: a prompt's words end no listening time, and are no input.
func TestWordsOfThePrompt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "prompt.r8")
	if err := os.WriteFile(file, recogniser.Say(8000, recogniser.Spoken{At: 500 * time.Millisecond, Word: "stop"}, recogniser.Spoken{At: 1500 * time.Millisecond}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, channel := range []string{transcript.ChannelCaller, transcript.ChannelCallee} {
		s, _ := transcribed(t, &recogniser.Server{Format: recogniser.Deepgram})
		s.plan.Stream.Mix = "stereo"
		step, caller := &prompted{Play: flow.Play{Files: []string{file}}}, speaker()
		if channel == transcript.ChannelCaller {
			step.Files, caller = []string{promptFile}, speaker(recogniser.Spoken{At: 500 * time.Millisecond, Word: "stop"})
		}
		s.plan.Steps = []flow.Step{&flow.Answer{}, &flow.Stream{}, step, &flow.Hangup{}}
		e := s.run(t, caller)
		if segments := e.outcome.Transcript.Segments; len(segments) != 1 || segments[0].Text != "stop" || segments[0].Channel != channel {
			t.Errorf("%s: %+v", channel, segments)
		}
		if want := channel == transcript.ChannelCaller; step.any != want || step.found != want {
			t.Errorf("%s: any %v, found %v", channel, step.any, step.found)
		}
	}
}

// Words are input, however quiet: who has said one is not told that he said nothing.
func TestNoInputByWords(t *testing.T) {
	for _, says := range []bool{true, false} {
		s, _ := transcribed(t, &recogniser.Server{Format: recogniser.Vosk})
		s.behave = func(string, int) behaviour { return behaviour{noInputAfter: 200} } // 4 s of audio without loud speech
		s.plan.Steps = []flow.Step{&flow.Answer{}, &flow.Stream{}, &flow.Listen{For: 700 * time.Millisecond, NoInput: 400 * time.Millisecond}, &flow.Hangup{}}
		spec := speaker()
		want := flow.ListenNoInput
		if says {
			spec, want = speaker(recogniser.Spoken{At: time.Second, Word: "one"}), flow.ListenTime
		}
		if e := s.run(t, spec); e.outcome.ListenEndedBy != want {
			t.Errorf("says %v: listening was ended by %q", says, e.outcome.ListenEndedBy)
		}
	}
}

// A shutdown does not wait long for words, neither of a call that it ends nor of one that is over.
func TestShutdownWhileTranscribed(t *testing.T) {
	for _, over := range []bool{false, true} {
		server := &recogniser.Server{Format: recogniser.Vosk}
		server.SetFault(0, recogniser.Fault{NeverFinishes: true})
		s, _ := transcribed(t, server)
		s.cfg.AbortTimeout = patience
		s.plan.Transcribe.FinalTimeout = patience
		l := s.start(t)
		call := l.dial(threeWords(recogniser.Vosk))
		if over {
			call.Wait()
			l.waitStep(t, "last_words")
		} else {
			l.waitStep(t, "listen")
		}
		began := time.Now()
		l.stop(controller.ErrShutdown)
		_ = l.close()
		if took := time.Since(began); took > patience/2 {
			t.Errorf("over %v: %v", over, took)
		}
		if last := l.ctl.Ended(); len(last) != 1 || (last[0].Outcome.Result == controller.Aborted) == over {
			t.Errorf("over %v: %+v", over, last)
		}
	}
}

// The page of running calls tells what was said so far.
func TestRunningTranscript(t *testing.T) {
	s, events := transcribed(t, &recogniser.Server{Format: recogniser.Vosk})
	s.plan.Steps = []flow.Step{&flow.Answer{}, &flow.Stream{}, &flow.Listen{For: patience}, &flow.Hangup{}}
	l := s.start(t)
	call := l.dial(threeWords(recogniser.Vosk))
	events.await(t, controller.EventTranscriptFinal)
	calls := l.ctl.Calls()
	if len(calls) != 1 || calls[0].Transcript == nil || len(calls[0].Transcript.Segments) == 0 || calls[0].Transcript.Connects != 1 {
		t.Errorf("%+v", calls)
	}
	call.Hangup()
}
