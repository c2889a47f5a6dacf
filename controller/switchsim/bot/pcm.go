package bot

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/coder/websocket"
)

// pcmCodec is the bot's side of the lean wire: JSON for words, binary for audio.
type pcmCodec struct {
	messages int
	start    *Call
	bytes    int // of audio so far
}

// pcmMessage has every field that the daemon sends.
type pcmMessage struct {
	Event       string            `json:"event"`
	Version     int               `json:"version"`
	Encoding    string            `json:"encoding"`
	Call        string            `json:"call"`
	Caller      string            `json:"caller"`
	Destination string            `json:"destination"`
	Plan        string            `json:"plan"`
	SampleRate  int               `json:"sample_rate"`
	Parameters  map[string]string `json:"parameters"`
	Digit       string            `json:"digit"`
	Name        string            `json:"name"`
	Cleared     bool              `json:"cleared"`
	Speaking    bool              `json:"speaking"`
	Reason      string            `json:"reason"`
	AtMS        int64             `json:"at_ms"`
}

func (c *pcmCodec) decode(kind websocket.MessageType, b []byte, complain func(string, ...any)) incoming {
	c.messages++
	if kind == websocket.MessageBinary {
		return c.audio(b, complain)
	}
	var m pcmMessage
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		complain("message %.200q: %v", b, err)
		return incoming{}
	}
	if (c.messages == 1) != (m.Event == "start") {
		complain("message %d is %s", c.messages, m.Event)
	}
	in := incoming{kind: Kind(m.Event), at: time.Duration(m.AtMS) * time.Millisecond}
	switch in.kind {
	case KindStart:
		if in.start = c.begin(&m, complain); in.start == nil {
			return incoming{}
		}
	case KindDTMF:
		in.text = m.Digit
		if len(m.Digit) != 1 {
			complain("dtmf: digit %q", m.Digit)
		}
	case KindMark:
		in.text, in.flag = m.Name, m.Cleared
	case KindSpeech:
		in.flag = m.Speaking
	case KindClear, KindStop:
		in.text = m.Reason
	default:
		complain("event %q", m.Event)
		return incoming{}
	}
	return in
}

func (c *pcmCodec) begin(m *pcmMessage, complain func(string, ...any)) *Call {
	if m.SampleRate != 8000 && m.SampleRate != 16000 {
		complain("start: sample_rate %d", m.SampleRate)
		return nil
	}
	if m.Call == "" || m.Version != 1 || m.Encoding != "pcm_s16le" || m.Parameters == nil {
		complain("start: call %q, version %d, encoding %q, parameters %v", m.Call, m.Version, m.Encoding, m.Parameters)
	}
	c.start = &Call{
		Call: m.Call, Caller: m.Caller, Destination: m.Destination, Plan: m.Plan,
		Parameters: m.Parameters, Rate: m.SampleRate,
	}
	return c.start
}

func (c *pcmCodec) audio(b []byte, complain func(string, ...any)) incoming {
	if c.start == nil {
		complain("audio before start")
		return incoming{}
	}
	if len(b) == 0 || len(b)%2 != 0 {
		complain("audio of %d bytes", len(b))
	}
	at := time.Duration(c.bytes) * time.Second / time.Duration(2*c.start.Rate)
	c.bytes += len(b)
	return incoming{kind: KindMedia, pcm: b[:len(b)&^1], at: at}
}

func (c *pcmCodec) skim(kind websocket.MessageType, b []byte) (int, bool) {
	c.messages++
	if kind != websocket.MessageBinary {
		c.messages--
		return 0, false
	}
	return len(b), true
}

func (*pcmCodec) media(pcm []byte) (websocket.MessageType, []byte) {
	return websocket.MessageBinary, pcm
}

func (*pcmCodec) mark(name string, named bool) []byte {
	m := map[string]any{"event": KindMark}
	if named {
		m["name"] = name
	}
	return marshal(m)
}

func (*pcmCodec) control(kind Kind, text string) []byte {
	m := map[string]any{"event": kind}
	switch kind {
	case KindTransfer:
		m["to"] = text
	case KindDTMF:
		m["digits"] = text
	}
	return marshal(m)
}
