package controller

import (
	"time"

	"tapdeck/controller/player"
)

// Config is what holds for every call; what differs from call to call is in a Plan.
type Config struct {
	// MaxCalls is how many calls run at once; one more is refused.
	MaxCalls int
	// CommandTimeout bounds the switch's answer to an API command, which comes as
	// an event. The reply to a command is bounded by esl.Config's ReplyTimeout,
	// which ends the connection; the daemon sets both to the same.
	CommandTimeout time.Duration
	// AnswerTimeout bounds answer.
	AnswerTimeout time.Duration
	// StepGrace is what a tone may take beyond its length.
	StepGrace time.Duration
	// PromptLimit bounds a prompt, whose length only the switch knows.
	PromptLimit time.Duration
	// HangupTimeout bounds the wait for CHANNEL_HANGUP_COMPLETE.
	HangupTimeout time.Duration
	// AbortTimeout bounds the orderly end of all calls after Serve's context is done.
	AbortTimeout time.Duration
	// TurnTimeout bounds the wait for the end of an earlier call of the same channel.
	TurnTimeout time.Duration
	// DeadManMargin is how much longer than its plan a call may take before FreeSWITCH
	// itself hangs it up; 0 is 15 minutes.
	DeadManMargin time.Duration
	// RestartPause is the pause before a dropped stream is started again; it doubles with each
	// restart of the stream that a step has started, up to 16 s.
	RestartPause time.Duration
	// Variables are the names of the channel variables that go into each call's record. Headers
	// must have them, too.
	Variables []string
	// Instance is this tapdeck's name, which bots may be told.
	Instance string
	// Player is how audio gets into a call.
	Player Player
	// Observer is told of events; nil if nobody is.
	Observer Observer
}

// Player is how what a bot says gets into a call.
type Player struct {
	// Method is a player.Method: "stream", over the stream's own socket, or "files", in Directory.
	Method string
	// Directory is a folder that FreeSWITCH sees under the same path. It may be empty for "stream",
	// which falls back to it if there is one.
	Directory string
	// Limit is how much audio waits for its turn at most; what is older is dropped then.
	Limit time.Duration
	// Lead is how much waits before an utterance begins, at most 1 s; 0 begins at once.
	Lead time.Duration
}

// DefaultConfig returns the configuration of the daemon.
func DefaultConfig() Config {
	return Config{
		MaxCalls:       1000,
		CommandTimeout: 5 * time.Second,
		AnswerTimeout:  30 * time.Second,
		StepGrace:      10 * time.Second,
		PromptLimit:    10 * time.Minute,
		HangupTimeout:  3 * time.Second,
		AbortTimeout:   10 * time.Second,
		TurnTimeout:    20 * time.Second,
		RestartPause:   250 * time.Millisecond,
		Player:         Player{Method: string(player.MethodStream), Limit: 2 * time.Minute},
	}
}

// Headers returns what a call looks at of its channel and of events, for esl.Config, with
// Config.Variables. It asks for nothing else, so the event socket need not decode it.
func Headers(variables ...string) []string {
	list := []string{
		"Core-UUID", "Unique-ID", "Job-UUID", "Control", "Socket-Mode", "Answer-State", "Channel-State-Number",
		"Caller-Caller-ID-Number", "Caller-Destination-Number",
		"variable_socket_path", "variable_current_application_data", "variable_tapdeck_*",
		"Application", "Application-UUID", "Application-Response",
		"DTMF-Digit", "DTMF-Source", "variable_dtmf_type", "Channel-Write-Codec-Rate", "variable_playback_last_offset_pos", "variable_playback_terminators", "variable_playback_terminator_used",
		"Content-Disposition", "Hangup-Cause", "variable_sip_hangup_disposition",
	}
	for _, name := range variables {
		list = append(list, variablePrefix+name)
	}
	return list
}
