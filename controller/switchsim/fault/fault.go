// Package fault says how the simulated switch misbehaves in one call. It is
// data only; the packages that are told to misbehave read it.
package fault

import "time"

// Call is how the switch misbehaves in one call. The zero value is a good
// switch. A step is the name of an application, or the beginning of "name
// data" if one application runs more than once ("playback ivr/"). A
// command is a part of its line as Report.Commands shows it ("stop",
// "execute answer"), or "#3" for the third command of the call.
type Call struct {
	// NeverConnect: start answers +OK Success, but no WebSocket ever comes.
	NeverConnect bool
	// RefuseStart: start answers -ERR Operation Failed.
	RefuseStart bool
	// NoAPI: uuid_audio_stream is not there (-ERR … Command not found!).
	NoAPI bool
	// OtherStreams: somebody else's stream is on the channel, so that start is refused
	// until stop has come so many times.
	OtherStreams int
	// TamperURL gives the URL that is really opened: a wrong path or ticket.
	TamperURL func(url string) string
	// SecondSocket opens another WebSocket for the same URL while the first
	// is live; StreamReport.Second is what came of it.
	SecondSocket bool
	// Drops break streams: the first stream of the call by the first Drop, the
	// second by the second, and so on.
	Drops []Drop
	// Reopens: the module opens the WebSocket of a dropped stream again by itself after
	// so long, in real time, whatever STREAM_NO_RECONNECT says (F53), until it connects.
	Reopens time.Duration
	// LateReport is how much later than the drop of a stream, in real time, the switch tells of it.
	LateReport time.Duration
	// Audio is what is wrong with the frames.
	Audio Audio

	// HangupIn is the step in which the caller hangs up, HangupAt the number
	// (from 1) of the command at which he does.
	HangupIn string
	HangupAt int
	// DieIn is the step in which the switch dies: both sockets are reset, and
	// nothing else ever comes. DieAt is the number of the command.
	DieIn string
	DieAt int
	// NeverComplete is the step that never ends; a hangup ends it.
	NeverComplete string
	// CompleteBeforeHangup: at a hangup CHANNEL_EXECUTE_COMPLETE of the
	// application that runs, and of socket, come before CHANNEL_HANGUP (F26).
	CompleteBeforeHangup bool
	// NoticeFirst: the notice of linger comes before CHANNEL_HANGUP (F110).
	NoticeFirst bool
	// BrokenIsPlayed: a playback that a hangup or a transfer has ended says FILE PLAYED (F65).
	BrokenIsPlayed bool
	// HungUpThere: a transferred channel is hung up by the time at which the switch tells that its
	// socket action has ended (F120).
	HungUpThere bool
	// AudioSync: each playback that begins takes two frames of what the caller says, silence in every
	// stream (F155). A real switch does this always. It is off unless asked for, since then a recording has each sample
	// that the caller spoke, and what is lost on the way is lost by the one who is tested.
	AudioSync bool
	// NoPlay: streamAudio is no more than text to the module, as to one that is old: `::json`.
	NoPlay bool
	// LatePlay is how much later, in real time, `::play` names a file.
	LatePlay time.Duration
	// LoseFile is the number (from 1) of the playback of a file of this machine that does not find it.
	LoseFile int
	// LateComplete is how much later than its last frame, in real time, a playback is complete. What
	// is queued is heard without a gap all the same, if it is not more than a second.
	LateComplete time.Duration
	// Stall is a time in which the session's thread stands still: what plays goes on after it, and
	// all that follows is later for good (F136).
	Stall Stall
	// Hold is a time in which the caller holds the call: what plays runs on unheard (F70).
	Hold Hold
	// EventFirst is a command whose reply comes after the next event.
	EventFirst string
	// BrokenFiles: a playback of a file ends at once with PLAYBACK ERROR.
	BrokenFiles bool
	// LoseJobs: no BACKGROUND_JOB event comes.
	LoseJobs bool
	// LateJob is the API command, or the beginning of its line, that bgapi carries out only
	// LateBy later, in real time: later ones overtake it (F15).
	LateJob string
	LateBy  time.Duration
	// HangOn is the command that is never answered, nor any after it; events
	// go on.
	HangOn string
	// ReplyDelay delays every reply, in real time.
	ReplyDelay time.Duration
	// EventsBefore is a command before whose reply EventCount events come.
	EventsBefore string
	EventCount   int
	// Inject are frames that nobody expects.
	Inject []Injection
	// OddVariables gives the channel variables with odd names and values:
	// characters that are no header's, UTF-8, arrays.
	OddVariables bool
}

// Stall is a time, counted from the moment media began. If nothing plays then, it comes with what
// plays next.
type Stall struct{ After, For time.Duration }

// Hold is a time, counted from the moment media began.
type Hold struct{ After, For time.Duration }

// Drop is the end of one stream in the network.
type Drop struct {
	// After is how much audio the stream has carried by then.
	After time.Duration
	// How it looks to the server.
	How DropHow
}

// DropHow is what the server sees of a Drop.
type DropHow int

// A stream drops with an orderly end of TCP, with a reset, or with nothing at
// all: no frame comes any more, and none goes through.
const (
	DropFIN DropHow = iota
	DropRST
	DropNothing
)

// Audio are wrong frames. The zero value is right ones.
type Audio struct {
	// None: the socket is open, and no audio comes.
	None bool
	// Silent: every sample is 0.
	Silent bool
	// Omit is the share (0 to 1) of messages that are left out, evenly spread.
	Omit float64
	// Odd splits samples between messages: odd byte counts, the same bytes.
	Odd bool
	// Texts and Pings are how many text and Ping frames come with each message.
	Texts, Pings int
	// Huge is the size in bytes of one frame of zeros that comes first; it is
	// no part of the reported audio. 0 is none.
	Huge int
}

// Injection is a frame that comes where nobody expects it.
type Injection struct {
	// On is the command at which it comes.
	On string
	// When it comes, seen from that command's reply.
	When Position
	// Raw is what is sent; one of the Frame constants, or anything.
	Raw string
	// Times is how often; 0 is once, -1 always.
	Times int
}

// Position is where an Injection comes.
type Position int

// An Injection comes before the reply, after it, or in its stead.
const (
	Before Position = iota
	After
	Instead
)

// Frames that a controller may not expect.
const (
	FrameLogData    = "Content-Type: log/data\nContent-Length: 14\nLog-Level: 7\nText-Channel: 0\n\nsimulated log\n"
	FrameEventXML   = "Content-Length: 18\nContent-Type: text/event-xml\n\n<event>\n</event>\n\n"
	FrameUnknown    = "Content-Type: application/x-simulated\nContent-Length: 4\n\nwhat"
	FrameShortReply = "Content-Type: command/reply\nReply-Text: -E\n\n"
	FrameError      = "Content-Type: command/reply\nReply-Text: -ERR simulated\n\n"
)
