package controller_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim/recogniser"
)

// slowToEnd is a recogniser of vosk's wire that has heard "one" when it is told that the audio has ended, and
// "two" once it may say so.
func slowToEnd(t *testing.T, more <-chan struct{}) (url string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		ctx := t.Context()
		for frames := 0; ; {
			kind, message, err := ws.Read(ctx)
			switch {
			case err != nil:
				return
			case kind == websocket.MessageBinary:
				if frames++; frames > 1 { // the last one's answer is "one"
					_ = ws.Write(ctx, websocket.MessageText, []byte(`{"partial" : ""}`))
				}
			case strings.Contains(string(message), "eof"):
				_ = ws.Write(ctx, websocket.MessageText, []byte(`{"text" : "one"}`))
				select {
				case <-more:
				case <-ctx.Done():
				}
				_ = ws.Write(ctx, websocket.MessageText, []byte(`{"text" : "two"}`))
				_ = ws.Close(websocket.StatusNormalClosure, "")
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http")
}

// Words that come while the last ones are awaited are told when they come, and not at the end.
func TestLastWordsAreToldAtOnce(t *testing.T) {
	more := make(chan struct{})
	s, events := transcribed(t, &recogniser.Server{Format: recogniser.Vosk})
	s.plan.Transcribe.URL, s.plan.Transcribe.FinalTimeout = slowToEnd(t, more), 2*patience
	l := s.start(t)
	call := l.dial(speaker())
	events.await(t, controller.EventTranscriptFinal)
	l.waitStep(t, "last_words")
	if lines := l.logs.FilterMessage("transcript").Len(); lines != 1 {
		t.Errorf("%d lines", lines)
	}
	if calls := l.ctl.Calls(); len(calls) != 1 || calls[0].Transcript == nil || len(calls[0].Transcript.Segments) != 1 {
		t.Errorf("%+v", calls)
	}
	close(more)
	report := call.Wait()
	_ = l.close()
	if n := l.ended(report).outcome.Transcript; !slices.Equal(textsOf(n.Segments), []string{"one", "two"}) || n.Missing != 0 {
		t.Errorf("%+v", n)
	}
}

// What is said is noted when it is, and not only at the call's end.
func TestWordsAreNoted(t *testing.T) {
	s, events := transcribed(t, &recogniser.Server{Format: recogniser.Vosk})
	s.plan.Steps = []flow.Step{&flow.Answer{}, &flow.Stream{}, &flow.Listen{For: patience}, &flow.Hangup{}}
	l := s.start(t)
	call := l.dial(threeWords(recogniser.Vosk))
	events.await(t, controller.EventTranscriptFinal)
	call.Hangup()
	report := call.Wait()
	_ = l.close()
	e := l.ended(report)
	if !slices.ContainsFunc(e.recording.noted(), func(o controller.Outcome) bool {
		return o.HungUpBy == "" && o.Transcript != nil && len(o.Transcript.Segments) > 0
	}) {
		t.Errorf("notes %+v", e.recording.noted())
	}
}

// What was said in a call that is over is its record's, and remembered no more.
func TestWordsAreForgotten(t *testing.T) {
	for _, badly := range []error{nil, errDisk} {
		s, _ := transcribed(t, &recogniser.Server{Format: recogniser.Vosk})
		s.badly = badly
		l := s.start(t)
		report := l.dial(threeWords(recogniser.Vosk)).Wait()
		_ = l.close()
		if n := l.ended(report).outcome.Transcript; n == nil || len(n.Segments) != 2 {
			t.Errorf("%v: the record has %+v", badly, n)
		}
		if over := l.ctl.Ended(); len(over) != 1 || over[0].Outcome.Transcript != nil {
			t.Errorf("%v: %+v", badly, over)
		}
	}
}

// A panic ends the call's transcription, too, and the record says that words are missing.
func TestPanicWhileTranscribed(t *testing.T) {
	server := &recogniser.Server{Format: recogniser.Vosk}
	server.SetFault(0, recogniser.Fault{NeverFinishes: true})
	s, events := transcribed(t, server)
	s.plan.Transcribe.FinalTimeout = 2 * patience
	s.plan.Steps = []flow.Step{&flow.Answer{}, &flow.Stream{}, scripted{do: func(ctx context.Context, ch flow.Channel) error {
		_ = ch.Wait(ctx, patience, func() bool { return len(events.texts(controller.EventTranscriptInterim)) > 0 })
		panic("told to")
	}}}
	e := s.run(t, threeWords(recogniser.Vosk))
	n := e.outcome.Transcript
	if e.outcome.Result != controller.Failed || n == nil || n.Connects != 1 || n.Missing <= 0 || !strings.Contains(n.Err, "last words in time") || n.Hint == "" {
		t.Errorf("%+v %+v", e.outcome, n)
	}
	if !slices.Contains(e.outcome.Alarms, "transcript_incomplete") || e.count("transcript incomplete") != 1 {
		t.Errorf("alarms %v, log %q", e.outcome.Alarms, e.messages())
	}
	select {
	case <-server.Connections()[0].Done():
	case <-time.After(patience):
		t.Error("the service is still connected")
	}
}
