package transcript

import (
	"errors"
	"net/http"

	"github.com/coder/websocket"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"tapdeck/controller/dialer"
)

// How a connection can end that has not failed by itself, beside what package dialer has.
var (
	errStopped    = errors.New("stopped")
	errAnswered   = errors.New("all that was sent is answered")
	errClosed     = errors.New("the service has closed the connection while the recording went on")
	errNoAnswer   = errors.New("the service answers nothing to what it is sent")
	errUnanswered = errors.New("the service has ended in order, without an answer to all of the audio")
	errDropped    = errors.New("the service was slower than the recording, whose oldest audio was dropped")
	errFormat     = errors.New("nothing that the service says is of transcribe.format")
	errNoEnd      = errors.New("the service has not said its last words in time")
	// errRecording is of the ear.
	errRecording = errors.New("read the recording")
	errPanic     = errors.New("panic")
)

// HintLate is what to do about words that come too late.
const HintLate = "the service is slow, or was away and is still sent what it has not heard: raise transcribe.final_timeout, look at its machine, or let it hear fewer calls; `tapdeck transcribe` makes up for what is missing"

const (
	hintClosed     = "look at what err says, and at the service's log: it may have closed for lack of credit, time or a model"
	hintSlow       = "the service is slower than the calls, or hangs: look at its machine and its log, or let it hear fewer calls"
	hintFormat     = "does the service at transcribe.url speak this wire, deepgram or vosk?"
	hintUnanswered = "look at the service's log: does it hear this language, rate and number of channels?"
	hintSilent     = "it has answered nothing at all: is transcribe.format its wire, and does it hang?"
	hintFrames     = "a ping every few seconds is enough: look at what the service's library is told to send"
	hintParameters = "what err says, if anything, is about something that the service was told in the URL: transcribe.model, language, parameters, or the query of transcribe.url"
	hintRecording  = "err says why the recording can't be read on: what is behind that was not heard"
	hintReport     = "please report this with its stack; this transcription is over, the call and all others go on"
)

// hintOf says what to do about a service that was not reached or was lost.
func (s *Session) hintOf(err error) string {
	if errors.Is(err, errFormat) {
		return hintFormat
	}
	if (errors.Is(err, errNoEnd) || errors.Is(err, errUnanswered) || errors.Is(err, errNoAnswer)) && !s.hasSpoken() {
		return hintSilent
	}
	for _, known := range []struct {
		is   error
		hint string
	}{
		{errClosed, hintClosed},
		{dialer.ErrNoWrite, hintSlow},
		{dialer.ErrNoPong, hintSlow},
		{errNoAnswer, hintSlow},
		{errUnanswered, hintUnanswered},
		{errDropped, hintSlow},
		{errNoEnd, HintLate},
		{dialer.ErrOnlyFrames, hintFrames},
		{errRecording, hintRecording},
		{websocket.ErrMessageTooBig, wrongHints[wrongSize]},
		{errPanic, hintReport},
	} {
		if errors.Is(err, known.is) {
			return known.hint
		}
	}
	if refused, is := errors.AsType[*dialer.RefusalError](err); is && refused.Status == http.StatusBadRequest {
		return hintParameters
	}
	return s.target.Hint(err)
}

func hint(text string) zap.Field { return zap.String("hint", text) }

// ratelog marks a line that a service can cause, for the daemon's log, which limits the lines of the
// same message and kind. Encoders ignore the field.
func ratelog(kind string) zap.Field {
	return zap.Field{Key: "ratelog", Type: zapcore.SkipType, String: kind}
}
