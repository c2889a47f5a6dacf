package controller

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap/zapcore"

	"tapdeck/controller/flow"
	"tapdeck/controller/pcm"
)

// RefusalError is what a Recorder's Expect wraps if it accepts no new stream now: the
// call ends as refused before it is answered, whatever its plan says.
type RefusalError struct {
	// Err says why.
	Err error
	// Hint says what to do so that streams are accepted again; it may be empty.
	Hint string
}

// Error gives the reason.
func (e *RefusalError) Error() string { return "refused by the sink: " + e.Err.Error() }

// Unwrap returns the reason.
func (e *RefusalError) Unwrap() error { return e.Err }

// StreamEnd is why a stream's socket ended at the sink: one word of a closed list.
type StreamEnd string

// The ends of a stream's socket that have a hint of their own; the call's own ends
// (disconnected, finished, max_duration) have none.
const (
	EndClosed   StreamEnd = "closed"          // the switch said Close
	EndDropped  StreamEnd = "dropped"         // the connection ended without a Close
	EndProtocol StreamEnd = "protocol_error"  // what came is no WebSocket frame of a client
	EndTooBig   StreamEnd = "message_too_big" // a message beyond the limit
	EndFlood    StreamEnd = "flood"           // too much that is no audio
	EndIdle     StreamEnd = "idle_timeout"    // no frame for too long
	EndDisk     StreamEnd = "disk_error"      // the file can't be written
	EndShutdown StreamEnd = "shutdown"        // tapdeck is stopping
	EndNotRead  StreamEnd = "not_read"        // the switch does not read what Send sends it
	EndPanic    StreamEnd = "panic"           // of the sink
	// EndWrongRate: the stream was started again because of StreamState.WrongRate.
	EndWrongRate StreamEnd = "wrong_rate"
)

// Recorder keeps the recordings and records of calls. It is all that the controller knows of the sink.
type Recorder interface {
	// Expect prepares the recording of a call before its stream is started.
	Expect(info Info, stream StreamPlan) (Recording, error)
	// Save keeps the record of a call that has no recording.
	Save(info Info, outcome Outcome) (Record, error)
}

// Record is a call's kept record, to be logged in one line.
type Record = zapcore.ObjectMarshaler

// ErrNoStream is what a Recording's Send wraps if no stream is live.
var ErrNoStream = errors.New("no stream is live")

// Recording is the recording of one call. Its methods may be called at any time
// from the call's goroutine; Finish and then Save must be called once at the end.
type Recording interface {
	// URL is what uuid_audio_stream is told to connect to.
	URL() string
	// Changed delivers a value after State has changed; capacity 1.
	Changed() <-chan struct{}
	// State is how the stream is now.
	State() StreamState
	// WatchSpeech asks for State's Speech, from now on. A later wish replaces an earlier one and
	// clears the state.
	WatchSpeech(w flow.SpeechWatch)
	// Mark puts a cue point with this label at the present position.
	Mark(label string)
	// Tap gives the recording's audio to a reader, live, from now until it is closed or the recording
	// ends. State's Talk is kept while one is open.
	Tap(o TapOptions) pcm.Ear
	// Send sends a text message to the switch over the live stream, behind those before it. It
	// does not wait, and copies text. What is not sent yet when the stream's socket ends is
	// dropped. The error wraps ErrNoStream if there is none, or says that too much waits already.
	Send(text []byte) error
	// Position is where in the recording a moment is: 0 before its first sample. It may be
	// beyond the audio that has come, and can be asked after Finish, and by any goroutine.
	Position(at time.Time) time.Duration
	// Note keeps what is known of the call so far, for the case that tapdeck does not see its
	// end. It must not block, and copies what it keeps of the lists, of Agent and of Transcript: how the last
	// prompt went, and what is still said, becomes known later.
	Note(sofar Outcome)
	// Stopping says that the call stops its stream: its end is expected now.
	Stopping()
	// Starting says, before the start, that the call starts the stream again that it has stopped.
	// The time between is not missing. Before the first start nothing has to be said.
	Starting()
	// Disconnect closes a live socket and waits until it is gone or ctx is done.
	Disconnect(ctx context.Context) error
	// Finish waits until the stream has ended or ctx is done, closes it, and publishes the audio.
	Finish(ctx context.Context) error
	// Save keeps the call's record. To be called after Finish.
	Save(outcome Outcome) (Record, error)
}

// TapOptions say what the reader of a Tap wants.
type TapOptions struct {
	// Caller gives, of a stereo stream, only the caller's channel.
	Caller bool
	// Latency is how late the reader may have the audio, so that one wake-up serves many frames.
	Latency time.Duration
	// Buffer is how much audio is kept for a reader that is slow; 0 is 2 s.
	Buffer time.Duration
}

// StreamState is how a call's stream stands at the sink.
type StreamState struct {
	// Connections counts the sockets that were accepted so far.
	Connections int
	// Live says that one of them is open.
	Live bool
	// Audio is how much audio came in.
	Audio time.Duration
	// FirstAudioAt is when the first audio came.
	FirstAudioAt time.Time
	// LevelDBFS is the level of the latest audio in dB of full scale.
	LevelDBFS float64
	// Speech says which of what WatchSpeech asked for has come first.
	Speech flow.Speech
	// Talk says whether the caller speaks now. It is kept while a Tap is open.
	Talk Talk
	// WrongRate says that the live socket brings audio at another rate than the plan's, and
	// that starting the stream again may mend it.
	WrongRate bool
	// LastEnd says why the last socket ended.
	LastEnd StreamEnd
	// Full says that the recording reached its greatest length.
	Full bool
	// Err is why no socket will be accepted any more, such as a disk error.
	Err error
}

// Talk says whether the caller speaks. Its moments are those of the audio: of what was said, not
// of when that was known.
type Talk struct {
	// Speaking says that the caller speaks now.
	Speaking bool
	// Since is the begin of the latest speech, zero if there was none.
	Since time.Time
	// Until is the end of the latest speech that is over, zero if none is.
	Until time.Time
	// Lag is by how much the moments are behind the clock: of audio that is late or missing.
	Lag time.Duration
}
