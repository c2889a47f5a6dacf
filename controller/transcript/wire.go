package transcript

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// wire is how messages look to one kind of service. It does no input and no output, and is for one
// connection. Times are on the connection's clock, which is that of the audio it was sent.
type wire interface {
	// open is the first message, nil if there is none.
	open() []byte
	// idle is what keeps the connection open while there is no audio; nil if nothing has to.
	idle() []byte
	// sent notes that audio was sent, up to this frame.
	sent(end int64)
	// unanswered is how many frames the service has not answered yet, and most how many it may leave so.
	unanswered() (frames int64, most time.Duration)
	// finish is the message that asks for the last words.
	finish() []byte
	// end is the frame before which all is answered for good if the service closes in order.
	end() int64
	// decode reads a message of the service. Beside an error there may be an answer, as good as it can be.
	decode(message []byte) (answer, error)
}

// answer is what a service says.
type answer struct {
	// done: nothing follows.
	done bool
	// news: text is new, also if it is empty.
	news       bool
	final      bool
	channel    int // index of Config.Channels
	text       string
	from, to   int64       // frames
	words      []timedWord // those of text, if the service tells them
	confidence float64
	// answered is the frame before which nothing will change on any channel.
	answered int64
}

// timedWord is one of an answer's text, with its frames.
type timedWord struct {
	text     string
	from, to int64
}

// wrongKind is what is wrong with a message, one word of a closed list.
type wrongKind string

// What can be wrong.
const (
	wrongJSON     wrongKind = "json"
	wrongMember   wrongKind = "member"
	wrongTimes    wrongKind = "times"
	wrongService  wrongKind = "error" // the service reports one itself
	wrongSize     wrongKind = "size"
	wrongProtocol wrongKind = "protocol"
	wrongFrames   wrongKind = "frames"
	wrongTooMany  wrongKind = "too_many"
)

var wrongHints = map[wrongKind]string{
	wrongJSON:     "this message was ignored: is transcribe.format the wire that the service speaks?",
	wrongMember:   "this message was ignored: is transcribe.format the wire that the service speaks?",
	wrongTimes:    "the service counts time otherwise than by the audio that it was sent: on the wire deepgram these words were ignored, on vosk they stand where its last results leave room; is transcribe.format the wire that it speaks?",
	wrongService:  "look at what err says, and at transcribe.model, language and parameters",
	wrongSize:     "a message of a service is at most 1 MiB",
	wrongProtocol: "what came is no WebSocket frame: does a proxy change what the service sends?",
	wrongFrames:   "a ping every few seconds is enough, and a message belongs into one frame",
	wrongTooMany:  "the words beyond the bound were dropped: look at what the service sends",
}

// wrong is a message that is not as it should be.
type wrong struct {
	kind wrongKind
	text string
}

func (w *wrong) Error() string {
	if w.text == "" {
		return string(w.kind)
	}
	return string(w.kind) + ": " + w.text
}

func wrongf(kind wrongKind, format string, values ...any) error {
	return &wrong{kind, fmt.Sprintf(format, values...)}
}

// newWire returns the wire of a connection.
func newWire(c Config) wire {
	if c.Format == FormatVosk {
		return &vosk{config: c}
	}
	return &deepgram{config: c, final: make([]int64, len(c.Channels))}
}

// maxTime bounds a time that a service tells, in seconds: no call lasts a week.
const maxTime = 7 * 24 * 3600

// frameOf is the frame at a time in seconds.
func (c Config) frameOf(seconds float64) (int64, error) {
	if !(seconds >= 0 && seconds <= maxTime) {
		return 0, wrongf(wrongTimes, "%v s is no time of the audio", seconds)
	}
	return int64(math.Round(seconds * float64(c.Rate))), nil
}

// spans finds the frames of words.
func (c Config) spans(words []spoken, sent int64) (list []timedWord, err error) {
	for _, w := range words[:min(len(words), maxWords)] {
		from, to, err := c.span(w.start, w.end, sent)
		if err != nil {
			return nil, err
		}
		list = append(list, timedWord{w.text, from, to})
	}
	return list, nil
}

// spoken is a word as a service tells it, with its times in seconds.
type spoken struct {
	text       string
	start, end float64
}

// maxWords is how many words of an answer are looked at.
const maxWords = 1000

// maxAhead is how far behind the audio that was sent a time may lie.
const maxAhead = 500 * time.Millisecond

// span is a stretch of frames that a service tells. It must lie in the audio up to sent.
func (c Config) span(from, to float64, sent int64) (first, end int64, err error) {
	first, err = c.frameOf(from)
	if err == nil {
		end, err = c.frameOf(to)
	}
	switch {
	case err != nil:
		return 0, 0, err
	case end < first:
		return 0, 0, wrongf(wrongTimes, "%v s to %v s is no stretch of the audio", from, to)
	case end > sent+c.frames(maxAhead):
		return 0, 0, wrongf(wrongTimes, "%v s is behind the audio that was sent", to)
	}
	return min(first, sent), min(end, sent), nil
}

// asWrong is err as a wrong message.
func asWrong(err error) *wrong {
	if w, is := errors.AsType[*wrong](err); is {
		return w
	}
	if of, is := errors.AsType[*json.UnmarshalTypeError](err); is && of.Field != "" {
		return &wrong{wrongMember, fmt.Sprintf("%s has type %.40s", of.Field, of.Value)}
	}
	return &wrong{wrongJSON, err.Error()}
}
