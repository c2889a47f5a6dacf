package bot

import (
	"encoding/json"
	"time"

	"github.com/coder/websocket"
)

// Kind is what a message is.
type Kind string

// The messages of both wires, in both directions. Connected, Media's track and the sequence numbers
// are twilio's alone; Speech, Hangup, Transfer are pcm's.
const (
	KindConnected Kind = "connected"
	KindStart     Kind = "start"
	KindMedia     Kind = "media"
	KindDTMF      Kind = "dtmf"
	KindMark      Kind = "mark"
	KindClear     Kind = "clear"
	KindSpeech    Kind = "speech"
	KindStop      Kind = "stop"
	KindHangup    Kind = "hangup"
	KindTransfer  Kind = "transfer"
)

// Call is what the daemon says of the call at first.
type Call struct {
	// StreamSID, CallSID and AccountSID are twilio's; Call, Caller, Destination and Plan are pcm's.
	StreamSID, CallSID, AccountSID  string
	Call, Caller, Destination, Plan string
	// Parameters are those of the configuration.
	Parameters map[string]string
	// Rate is that of the audio in both directions, in Hz.
	Rate int
}

// incoming is one message of the daemon, decoded.
type incoming struct {
	kind  Kind
	text  string        // digit, name of the mark, reason
	pcm   []byte        // media, 16-bit little-endian; valid until the next message
	at    time.Duration // media: twilio's timestamp; pcm: the audio before it; else what the message says
	flag  bool          // speech: speaking; mark: cleared
	start *Call
}

// codec is the bot's side of a wire. decode complains of what the wire does not allow; if it
// returns a kind at all, the message can be used.
type codec interface {
	decode(kind websocket.MessageType, b []byte, complain func(format string, args ...any)) incoming
	// skim returns the bytes of audio, as PCM, of a media message without decoding it; ok is false for others.
	skim(kind websocket.MessageType, b []byte) (n int, ok bool)
	media(pcm []byte) (websocket.MessageType, []byte)
	mark(name string, named bool) []byte
	control(kind Kind, text string) []byte // nil if the wire has no such message
}

func newCodec(f Format) codec {
	if f == PCM {
		return &pcmCodec{}
	}
	return &twilioCodec{}
}

// marshal is json.Marshal of what can't fail.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("bot: " + err.Error())
	}
	return b
}
