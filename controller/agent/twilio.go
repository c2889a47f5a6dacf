package agent

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"tapdeck/controller/pcm"
)

// ulawRate is the only one of the twilio wire, in Hz.
const ulawRate = 8000

// keptLinear is how much room for the audio of a message is kept, in bytes.
const keptLinear = 32 << 10

// twilio is the wire of Twilio Media Streams.
type twilio struct {
	config    Config
	streamSID string
	sequence  int64 // of the latest message
	chunk     int64
	ulaw      []byte // a frame to the bot
	linear    []byte // audio of the bot
}

func newTwilio(c Config) *twilio { return &twilio{config: c, streamSID: StreamSID()} }

func (*twilio) rate() int { return ulawRate }

func (t *twilio) open() [][]byte {
	account, call := t.accountSID(), CallSID(t.config.Call.ID)
	start := t.begin(nil, "start")
	start = append(start, `,"start":{"accountSid":"`+account+`","streamSid":"`+t.streamSID+`","callSid":"`+call+
		`","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":`...)
	start = append(appendParameters(start, t.config.Parameters), "}}"...)
	return [][]byte{[]byte(`{"event":"connected","protocol":"Call","version":"1.0.0"}`), start}
}

// accountSID is the configured one. Quotes can't be in it: it is made of letters and digits.
func (t *twilio) accountSID() string {
	if t.config.AccountSID != "" {
		return t.config.AccountSID
	}
	return AccountSID("")
}

// begin appends the members that each message but the first one has.
func (t *twilio) begin(dst []byte, event string) []byte {
	t.sequence++
	dst = append(dst, `{"event":"`...)
	dst = append(dst, event...)
	dst = append(dst, `","sequenceNumber":"`...)
	dst = strconv.AppendInt(dst, t.sequence, 10)
	dst = append(dst, `","streamSid":"`...)
	dst = append(dst, t.streamSID...)
	return append(dst, '"')
}

func (t *twilio) audio(dst, linear []byte, at time.Duration) ([]byte, bool) {
	t.chunk++
	t.ulaw = pcm.AppendULaw(t.ulaw[:0], linear)
	dst = t.begin(dst, "media")
	dst = append(dst, `,"media":{"track":"inbound","chunk":"`...)
	dst = strconv.AppendInt(dst, t.chunk, 10)
	dst = append(dst, `","timestamp":"`...)
	dst = strconv.AppendInt(dst, at.Milliseconds(), 10)
	dst = append(dst, `","payload":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, t.ulaw)
	return append(dst, `"}}`...), false
}

func (t *twilio) tell(dst []byte, n notice) []byte {
	switch n.kind {
	case noticeDigit:
		dst = append(t.begin(dst, "dtmf"), `,"dtmf":{"track":"inbound_track","digit":`...)
		return append(appendString(dst, n.text), "}}"...)
	case noticeMark:
		dst = append(t.begin(dst, "mark"), `,"mark":{"name":`...)
		return append(appendString(dst, n.text), "}}"...)
	case noticeStop:
		dst = append(t.begin(dst, "stop"), `,"stop":{"accountSid":"`+t.accountSID()+`","callSid":"`...)
		return append(append(dst, CallSID(t.config.Call.ID)...), `"}}`...)
	}
	return dst
}

// twilioMessage is what a bot sends.
type twilioMessage struct {
	Event     string
	StreamSID string `json:"streamSid"`
	Media     *struct{ Payload *[]byte }
	Mark      *struct{ Name string }
}

func (t *twilio) decode(binary bool, message []byte) (command, *wrong) {
	if binary {
		return command{}, wrongf(wrongBinary, "%d bytes", len(message))
	}
	var m twilioMessage
	if err := json.Unmarshal(message, &m); err != nil {
		return command{}, t.wrong(err)
	}
	if m.StreamSID != "" && m.StreamSID != t.streamSID {
		return command{}, wrongf(wrongStream, "%q", t.config.clip(m.StreamSID))
	}
	switch m.Event {
	case "media":
		return t.media(m)
	case "mark":
		return mark(m)
	case "clear":
		return command{kind: commandClear}, nil
	}
	return command{}, wrongf(wrongEvent, "%q", t.config.clip(m.Event))
}

func (t *twilio) media(m twilioMessage) (command, *wrong) {
	if m.Media == nil || m.Media.Payload == nil {
		return command{}, wrongf(wrongMember, "media without payload")
	}
	if cap(t.linear) > keptLinear {
		t.linear = nil
	}
	t.linear = pcm.AppendLinear(t.linear[:0], *m.Media.Payload)
	return command{kind: commandAudio, pcm: t.linear, rate: ulawRate}, nil
}

// mark has no name if the bot gave none.
func mark(m twilioMessage) (command, *wrong) {
	if m.Mark == nil {
		return command{kind: commandMark}, nil
	}
	if n := len(m.Mark.Name); n > maxMarkName {
		return command{}, wrongf(wrongMark, "%d bytes", n)
	}
	return command{kind: commandMark, text: m.Mark.Name}, nil
}

// wrong says what is wrong with a message that could not be read.
func (t *twilio) wrong(err error) *wrong {
	var base64Error base64.CorruptInputError
	var typeError *json.UnmarshalTypeError
	switch {
	case errors.As(err, &base64Error):
		return &wrong{wrongBase64, err.Error()}
	case errors.As(err, &typeError) && typeError.Field != "":
		return wrongf(wrongMember, "%s is a %s", t.config.clip(typeError.Field), t.config.clip(typeError.Value))
	}
	return wrongf(wrongJSON, "%s", t.config.clip(err.Error()))
}
