package bot

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"regexp"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

// twilioCodec is the bot's side of Twilio Media Streams, and a strict reader of the platform's.
type twilioCodec struct {
	messages int // that have come; connected has no number
	sequence int // of the last one
	chunk    int
	end      time.Duration // of the audio so far, by its timestamps
	start    *Call
	ulaw     []byte
	pcm      []byte
}

// twilioMessage has every field that the platform sends. Numbers are strings, but those of the media's format.
type twilioMessage struct {
	Event          string `json:"event"`
	Protocol       string `json:"protocol"`
	Version        string `json:"version"`
	SequenceNumber string `json:"sequenceNumber"`
	StreamSID      string `json:"streamSid"`
	Start          *struct {
		AccountSID  string   `json:"accountSid"`
		StreamSID   string   `json:"streamSid"`
		CallSID     string   `json:"callSid"`
		Tracks      []string `json:"tracks"`
		MediaFormat struct {
			Encoding   string `json:"encoding"`
			SampleRate int    `json:"sampleRate"`
			Channels   int    `json:"channels"`
		} `json:"mediaFormat"`
		CustomParameters map[string]string `json:"customParameters"`
	} `json:"start"`
	Media *struct {
		Track     string `json:"track"`
		Chunk     string `json:"chunk"`
		Timestamp string `json:"timestamp"`
		Payload   string `json:"payload"`
	} `json:"media"`
	DTMF *struct {
		Track string `json:"track"`
		Digit string `json:"digit"`
	} `json:"dtmf"`
	Mark *struct {
		Name string `json:"name"`
	} `json:"mark"`
	Stop *struct {
		AccountSID string `json:"accountSid"`
		CallSID    string `json:"callSid"`
	} `json:"stop"`
}

const twilioRate = 8000

func (c *twilioCodec) decode(kind websocket.MessageType, b []byte, complain func(string, ...any)) incoming {
	if kind != websocket.MessageText {
		complain("a binary message of %d bytes", len(b))
		return incoming{}
	}
	var m twilioMessage
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		complain("message %.200q: %v", b, err)
		return incoming{}
	}
	c.messages++
	c.order(&m, complain)
	switch Kind(m.Event) {
	case KindConnected:
		if m.Protocol != "Call" || m.Version != "1.0.0" {
			complain("connected: protocol %q, version %q", m.Protocol, m.Version)
		}
		return incoming{kind: KindConnected}
	case KindStart:
		return c.begin(&m, complain)
	case KindMedia:
		return c.audio(&m, complain)
	case KindDTMF:
		return digit(&m, complain)
	case KindMark:
		if m.Mark == nil {
			complain("a mark without mark")
			return incoming{}
		}
		return incoming{kind: KindMark, text: m.Mark.Name}
	case KindStop:
		if m.Stop == nil || c.start != nil && (m.Stop.CallSID != c.start.CallSID || m.Stop.AccountSID != c.start.AccountSID) {
			complain("stop %+v is not of %+v", m.Stop, c.start)
		}
		return incoming{kind: KindStop}
	}
	complain("event %q", m.Event)
	return incoming{}
}

// order checks what every message has: its place, its number, its stream.
func (c *twilioCodec) order(m *twilioMessage, complain func(string, ...any)) {
	first := c.messages <= 2
	if want := []string{"connected", "start"}; first && m.Event != want[c.messages-1] || !first && (m.Event == want[0] || m.Event == want[1]) {
		complain("message %d is %s", c.messages, m.Event)
	}
	if m.Event == "connected" {
		return
	}
	c.sequence++
	if m.SequenceNumber != strconv.Itoa(c.sequence) {
		complain("%s: sequenceNumber %q, want %d", m.Event, m.SequenceNumber, c.sequence)
		if n, err := strconv.Atoi(m.SequenceNumber); err == nil {
			c.sequence = n
		}
	}
	if c.start != nil && m.StreamSID != c.start.StreamSID {
		complain("%s: streamSid %q, want %q", m.Event, m.StreamSID, c.start.StreamSID)
	}
}

var sid = regexp.MustCompile(`^(MZ|CA|AC)[0-9a-f]{32}$`)

func (c *twilioCodec) begin(m *twilioMessage, complain func(string, ...any)) incoming {
	s := m.Start
	if s == nil {
		complain("a start without start")
		return incoming{}
	}
	for prefix, text := range map[string]string{"MZ": s.StreamSID, "CA": s.CallSID, "AC": s.AccountSID} {
		if !sid.MatchString(text) || text[:2] != prefix {
			complain("start: %q is no SID of %s", text, prefix)
		}
	}
	if m.StreamSID != s.StreamSID {
		complain("start: streamSid is %q outside and %q inside", m.StreamSID, s.StreamSID)
	}
	if f := s.MediaFormat; f.Encoding != "audio/x-mulaw" || f.SampleRate != twilioRate || f.Channels != 1 {
		complain("start: mediaFormat %+v", f)
	}
	if len(s.Tracks) != 1 || s.Tracks[0] != "inbound" {
		complain("start: tracks %q", s.Tracks)
	}
	if s.CustomParameters == nil {
		complain("start: no customParameters")
	}
	c.start = &Call{
		StreamSID: s.StreamSID, CallSID: s.CallSID, AccountSID: s.AccountSID,
		Parameters: maps.Clone(s.CustomParameters), Rate: twilioRate,
	}
	return incoming{kind: KindStart, start: c.start}
}

func (c *twilioCodec) audio(m *twilioMessage, complain func(string, ...any)) incoming {
	if m.Media == nil {
		complain("a media without media")
		return incoming{}
	}
	c.chunk++
	if m.Media.Track != "inbound" || m.Media.Chunk != strconv.Itoa(c.chunk) {
		complain("media: track %q, chunk %q, want inbound, %d", m.Media.Track, m.Media.Chunk, c.chunk)
	}
	ms, err := strconv.ParseUint(m.Media.Timestamp, 10, 32)
	at := time.Duration(ms) * time.Millisecond
	if err != nil || at+time.Millisecond <= c.end {
		complain("media: timestamp %q after audio up to %v", m.Media.Timestamp, c.end)
	}
	if c.ulaw, err = base64.StdEncoding.AppendDecode(c.ulaw[:0], []byte(m.Media.Payload)); err != nil || len(c.ulaw) == 0 {
		complain("media: payload of %d characters: %v", len(m.Media.Payload), err)
		return incoming{}
	}
	c.end = at + time.Duration(len(c.ulaw))*time.Second/twilioRate
	c.pcm = appendSamples(c.pcm[:0], c.ulaw)
	return incoming{kind: KindMedia, pcm: c.pcm, at: at}
}

func digit(m *twilioMessage, complain func(string, ...any)) incoming {
	if m.DTMF == nil || len(m.DTMF.Digit) != 1 || m.DTMF.Track != "inbound_track" {
		complain("dtmf %+v", m.DTMF)
		return incoming{}
	}
	return incoming{kind: KindDTMF, text: m.DTMF.Digit}
}

// skim trusts that payload is the last value of a media message's that is longer than a number.
func (c *twilioCodec) skim(kind websocket.MessageType, b []byte) (int, bool) {
	if kind != websocket.MessageText || !bytes.Contains(b[:min(len(b), 40)], []byte(`"media"`)) {
		return 0, false
	}
	_, payload, ok := bytes.Cut(b, []byte(`"payload":"`))
	n := bytes.IndexByte(payload, '"')
	if !ok || n < 0 {
		return 0, false
	}
	c.messages++
	c.sequence++
	c.chunk++
	padding := n - len(bytes.TrimRight(payload[:n], "="))
	return 2 * (base64.StdEncoding.DecodedLen(n) - padding), true
}

func (c *twilioCodec) stream() string {
	if c.start == nil {
		return ""
	}
	return c.start.StreamSID
}

func (c *twilioCodec) media(pcm []byte) (websocket.MessageType, []byte) {
	b := make([]byte, 0, 100+len(pcm)*2/3)
	b = append(b, `{"event":"media","streamSid":"`+c.stream()+`","media":{"payload":"`...)
	b = base64.StdEncoding.AppendEncode(b, appendCodes(make([]byte, 0, len(pcm)/2), pcm))
	return websocket.MessageText, append(b, `"}}`...)
}

func (c *twilioCodec) mark(name string, named bool) []byte {
	m := map[string]any{"event": KindMark, "streamSid": c.stream()}
	if named {
		m["mark"] = map[string]string{"name": name}
	}
	return marshal(m)
}

func (c *twilioCodec) control(kind Kind, _ string) []byte {
	if kind != KindClear {
		return nil
	}
	return marshal(map[string]any{"event": kind, "streamSid": c.stream()})
}
