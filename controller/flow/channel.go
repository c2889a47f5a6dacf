package flow

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

var (
	// ErrHungUp is what interrupts a step when the channel is hung up.
	ErrHungUp = errors.New("the channel was hung up")
	// ErrTimeout is Wait's error once its limit is over.
	ErrTimeout = errors.New("time is up")
)

// Channel is the call as its steps see it. Its methods are for the goroutine that runs the
// step. Those that wait handle all that happens in the call meanwhile, and end at once if
// something interrupts it, such as a hangup, a shutdown or the end of its stream: a step
// returns that error as it is.
type Channel interface {
	// Log is the call's logger.
	Log() *zap.Logger
	// Begin says that the step has begun, for whoever looks at the call, and for its metrics.
	Begin()
	// Reached notes the step's moment in the call's timeline: now. It begins the step unless it
	// has begun.
	Reached()
	// Notes is what the steps add to the call's record.
	Notes() *Notes
	// Digits are what the caller has pressed.
	Digits() *Digits
	// Words are what the caller has said, if the call is transcribed.
	Words() *Words
	// Media is the call's audio.
	Media() Media

	// Answer answers the call. The step's moment is when it is answered.
	Answer(ctx context.Context) error
	// Execute has the channel run an application and waits for its completion, for limit at
	// most. The response is FreeSWITCH's Application-Response. An application that runs
	// beside the plan is ended first.
	Execute(ctx context.Context, app, arg string, limit time.Duration) (response string, err error)
	// Playback has the channel play a sound and waits for its end. A sound whose length only the
	// switch knows is a prompt, and is added to Notes.
	Playback(ctx context.Context, s Sound) (Playback, error)
	// API runs "command ID arguments", an API command about this channel, and waits for its
	// answer, which is "" if the switch gives none in time.
	API(ctx context.Context, command, arguments string) (answer string, err error)
	// Wait waits until done says so, for limit at most: its error is ErrTimeout then. done is
	// asked after everything that happens in the call.
	Wait(ctx context.Context, limit time.Duration, done func() bool) error
	// Talk has the caller talk with the step's bot and waits for the end, for the step's time at
	// most. Its error says that no further step is carried out, and how the call ends: it is hung up,
	// transferred by the bot, or goes back to the dialplan (OnClose, OnFailure); and also that the
	// bot has failed if OnFailure is ThenHangup. What else is left to the step has a nil error.
	Talk(ctx context.Context, a *Agent) (TalkEnd, error)

	// HangUp has the call hung up with this cause, "" is NORMAL_CLEARING, once the step has
	// returned. No further step is carried out.
	HangUp(cause string)
	// Transfer gives the channel to another extension: the arguments of uuid_transfer after the
	// id. The stream is to be stopped before, since it would go on (F120). Nothing can follow it.
	Transfer(ctx context.Context, to string) error
}

// Media is the audio of a call: its stream to the sink, and the recording that becomes of it.
// A call whose stream the sink did not accept has none, and its methods do nothing.
type Media interface {
	// Start notes the step's moment, starts the stream and waits until it is up, or has failed.
	Start(ctx context.Context) error
	// Stop stops it and waits for its end at the sink.
	Stop(ctx context.Context) error
	// Ended says that the recording has reached its greatest length.
	Ended() bool
	// Failed says that the stream has failed for good.
	Failed() bool
	// Mark puts a cue point with this label at the present position of the recording.
	Mark(label string)
	// WatchSpeech asks for Speech, from now on, instead of what was asked for before.
	WatchSpeech(w SpeechWatch)
	// Speech says which of what WatchSpeech asked for has come first.
	Speech() Speech
	// KeepAlive keeps a stream that holds both directions going while nothing is played, if
	// it would stand still then (F47).
	KeepAlive(ctx context.Context) error
}

// SpeechWatch is what is asked of a recording about the caller's speech. Times are of audio.
type SpeechWatch struct {
	// Silence: the caller has spoken and has then been quiet for so long. 0 is not asked.
	Silence time.Duration
	// NoInput: the caller has said nothing at all for so long. 0 is not asked.
	NoInput time.Duration
	// Level is the dBFS above which 20 ms of audio are loud. 0 is auto: the level follows the
	// noise floor of the call.
	Level float64
}

// Speech is what a SpeechWatch has found, one word of a closed list.
type Speech string

// What a SpeechWatch may find.
const (
	SpeechNothing Speech = "" // yet
	SpeechSilence Speech = "silence"
	SpeechNoInput Speech = "no_input"
)

// Sound is something that playback is given.
type Sound struct {
	// File is a file's name or one of FreeSWITCH's file strings.
	File string
	// Length is how long it lasts; zero if only the switch knows.
	Length time.Duration
	// StopOn are the digits any of which ends it. None does if it is empty, unless the
	// dialplan has named some.
	StopOn string
}

// Playback is how a sound was played. It is returned beside an error, too.
type Playback struct {
	// Response is FreeSWITCH's: "FILE PLAYED", "FILE NOT FOUND", or why it was not.
	Response string
	// Digit is the key that has ended it, if one has.
	Digit string
	// Heard is how much of it the caller heard.
	Heard time.Duration
	// EndedBy is one of the words for it.
	EndedBy string
}

// What ends a prompt.
const (
	PromptEnd      = "end"       // its own end
	PromptDigit    = "digit"     // a key of the caller
	PromptHangup   = "hangup"    // whoever's it was, also that of a shutdown
	PromptTransfer = "transfer"  // something else has the channel
	PromptNotFound = "not_found" // FreeSWITCH has no such file
	PromptError    = "error"     // FreeSWITCH could not play it, or the call's stream failed
)

// What ends the listening time.
const (
	ListenTime    = "time"                // the step's time is over
	ListenDTMF    = "dtmf"                // a digit of finish_on
	ListenSaid    = "said"                // words of until_said
	ListenSilence = string(SpeechSilence) // the caller was quiet after speaking
	ListenNoInput = string(SpeechNoInput) // the caller said nothing, and pressed nothing
	ListenHangup  = "hangup"              // whoever's it was
	ListenStream  = "stream"              // the stream failed, or its recording reached max_duration
)

// Notes is what the steps add to a call's record.
type Notes struct {
	// ListenEndedBy is what has ended the last listening time; empty if there was none.
	ListenEndedBy string
	// Prompts are those that were played, in order.
	Prompts []Prompt
}

// Prompt is one file that a caller was played.
type Prompt struct {
	// File is as the plan has it.
	File string
	// Step is the step's name in the record's timeline: play_2.
	Step string
	// Began is when it was begun.
	Began time.Time
	// Heard is how much of it the caller heard.
	Heard time.Duration
	// EndedBy is what has ended it.
	EndedBy string
}
