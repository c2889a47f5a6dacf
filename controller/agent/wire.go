package agent

import (
	"encoding/json"
	"fmt"
	"time"
)

// frameTime is the length of a frame of audio to the bot.
const frameTime = 20 * time.Millisecond

// wire is how messages look to one kind of bot: a codec without input or output. Each connection
// has its own. All but decode is used by the goroutine that writes, decode by the one that reads.
type wire interface {
	// open returns the first messages of a connection, each a text message.
	open() [][]byte
	// rate is that of the audio to the bot, in Hz.
	rate() int
	// audio appends the message of one frame of 16-bit PCM, which begins at a position in the
	// recording. binary says which kind of message that is.
	audio(dst, pcm []byte, at time.Duration) (message []byte, binary bool)
	// tell appends the text message that says n, or nothing if this wire has none for it.
	tell(dst []byte, n notice) []byte
	// decode reads a message of the bot. What it returns is valid until the next call.
	decode(binary bool, message []byte) (command, *wrong)
}

// newWire returns the codec of one connection.
func newWire(c Config) wire {
	if c.Format == FormatTwilio {
		return newTwilio(c)
	}
	return newPCM(c)
}

// notice is something that the bot is told beside audio.
type notice struct {
	kind noticeKind
	text string        // a digit, a mark's name, or a reason
	on   bool          // the caller speaks; the mark's audio was cleared
	at   time.Duration // position in the recording
	of   *connection   // that it belongs to; nil if any
}

type noticeKind int

const (
	noticeDigit noticeKind = iota
	noticeMark
	noticeSpeech
	noticeCleared
	noticeStop
)

// command is what a message of the bot asks for.
type command struct {
	kind commandKind
	pcm  []byte // 16-bit little-endian
	rate int    // of pcm, in Hz
	text string // a mark's name, a cause, where to, or digits
}

type commandKind int

const (
	commandNone commandKind = iota // said something that asks for nothing
	commandAudio
	commandMark
	commandClear
	commandHangUp
	commandTransfer
	commandDigits
)

// wrong is a message that is not as it should be.
type wrong struct {
	kind   wrongKind
	detail string
}

func (w *wrong) Error() string {
	if w.detail == "" {
		return string(w.kind)
	}
	return string(w.kind) + ": " + w.detail
}

func wrongf(kind wrongKind, format string, args ...any) *wrong {
	return &wrong{kind, fmt.Sprintf(format, args...)}
}

// wrongKind is why a message is wrong, the metric's label.
type wrongKind string

const (
	wrongJSON     wrongKind = "no JSON object"
	wrongEvent    wrongKind = "unknown event"
	wrongMember   wrongKind = "wrong member"
	wrongBase64   wrongKind = "no base64"
	wrongOdd      wrongKind = "half a sample"
	wrongBinary   wrongKind = "binary"
	wrongStream   wrongKind = "another stream"
	wrongMark     wrongKind = "long mark name"
	wrongSize     wrongKind = "too big"
	wrongTooMany  wrongKind = "too many requests"
	wrongFrames   wrongKind = "too many frames"
	wrongProtocol wrongKind = "no WebSocket frame"
)

// wrongHints says what to do about each.
var wrongHints = map[wrongKind]string{
	wrongJSON:     "each text message of a bot is one JSON object; .github/bots.md has them all",
	wrongEvent:    "this wire has no such event: does the plan's agent.format fit this bot?",
	wrongMember:   "the bot should send the message as .github/bots.md shows it",
	wrongBase64:   "media.payload is standard base64 of mu-law, without a header of its own",
	wrongOdd:      "a binary message of the pcm wire holds whole samples of 16 bits: let the bot keep an odd byte for its next message",
	wrongBinary:   "the twilio wire has text messages only; agent.format: pcm is the wire of bots that send binary audio",
	wrongStream:   "the bot speaks to another stream: it must answer with the streamSid of this connection's start message",
	wrongMark:     "a mark's name is at most 1024 bytes: let the bot send a short one and keep the rest to itself",
	wrongSize:     "a message is at most 1 MiB: let the bot send its audio in several",
	wrongTooMany:  "the bot asks faster than a call can do it: what is too much is dropped",
	wrongFrames:   hintFrames,
	wrongProtocol: "what came is no WebSocket frame: does a proxy change what the bot sends?",
}

// maxMarkName bounds a mark's name, in bytes, as thousands of them can wait.
const maxMarkName = 1024

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	text, _ := json.Marshal(s) // a string is always one
	return append(dst, text...)
}

// appendParameters appends the parameters as a JSON object.
func appendParameters(dst []byte, all []Parameter) []byte {
	dst = append(dst, '{')
	for i, p := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, p.Name)
		dst = append(dst, ':')
		dst = appendString(dst, p.Value)
	}
	return append(dst, '}')
}
