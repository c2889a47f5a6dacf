package controller

import (
	"time"

	"tapdeck/controller/flow"
	"tapdeck/controller/transcript"
)

// Plan is what happens in one call. It is validated where it is read (the
// configuration or a call's channel variables); the controller trusts it.
type Plan struct {
	// Name is the plan's name in the configuration.
	Name string
	// Stream says how the audio is streamed.
	Stream StreamPlan
	// OnStreamFailure says what becomes of a call whose stream has failed.
	OnStreamFailure OnStreamFailure
	// Typeahead says that digits which are pressed before a listening time count for it.
	Typeahead bool
	// InbandDTMF has the switch look for digits in the caller's audio.
	InbandDTMF bool
	// Transcribe is the service that transcribes the recording; none if it has no URL.
	Transcribe transcript.Service
	// LogTranscripts has each final segment logged.
	LogTranscripts bool
	// Steps are what happens, in order. A plan that ends without hangup or transfer hangs up.
	Steps []flow.Step
}

// StreamPlan is how a call's audio is streamed to the sink.
type StreamPlan struct {
	// Mix is "mono" (the caller), "mixed" (both directions in one channel) or
	// "stereo" (left the caller, right what FreeSWITCH plays): F46.
	Mix string
	// SampleRate is in Hz: 8000 or 16000.
	SampleRate int
	// Buffer is how much audio mod_audio_stream puts into one frame: a multiple
	// of 20 ms (F57).
	Buffer time.Duration
	// ConnectTimeout bounds the time from the switch's +OK to the socket at the sink.
	ConnectTimeout time.Duration
	// StopTimeout bounds the time from stop to the end of the stream at the sink.
	StopTimeout time.Duration
	// Restarts is how many times a dropped stream is brought back, each that a step has started.
	Restarts int
}

// Channels returns the number of channels of the stream's audio.
func (s StreamPlan) Channels() int {
	if s.Mix == "stereo" {
		return 2
	}
	return 1
}

// OnStreamFailure is what becomes of a call whose stream has failed.
type OnStreamFailure string

// The three values of a plan's on_stream_failure.
const (
	// FailureHangup hangs the call up.
	FailureHangup OnStreamFailure = "hangup"
	// FailureContinue goes on with the plan, without a stream.
	FailureContinue OnStreamFailure = "continue"
	// FailureDialplan gives the call back to the dialplan's next action.
	FailureDialplan OnStreamFailure = "dialplan"
)
