package agent

import (
	_ "embed"
	"strconv"
	"time"
)

// PCMSchema is the JSON schema (2020-12) of the text messages of the pcm wire. Its definitions
// to_bot and from_bot are those of one direction.
//
//go:embed pcm.schema.json
var PCMSchema []byte

// pcmVersion is told to a bot: it changes if a bot of today could not do with what is new.
const pcmVersion = 1

// pcmWire is the lean wire: binary messages are audio, text messages are JSON.
type pcmWire struct {
	config  Config
	botRate int // of the bot's audio, in Hz
}

func newPCM(c Config) *pcmWire { return &pcmWire{config: c, botRate: c.Rate} }

func (w *pcmWire) rate() int { return w.config.Rate }

func (w *pcmWire) open() [][]byte {
	call := w.config.Call
	start := append([]byte(nil), `{"event":"start","version":`...)
	start = strconv.AppendInt(start, pcmVersion, 10)
	for _, member := range []Parameter{{"call", call.ID}, {"caller", call.Caller}, {"destination", call.Destination}, {"plan", call.Plan}} {
		start = append(start, `,"`+member.Name+`":`...)
		start = appendString(start, member.Value)
	}
	start = append(start, `,"sample_rate":`...)
	start = strconv.AppendInt(start, int64(w.config.Rate), 10)
	start = append(start, `,"encoding":"pcm_s16le","parameters":`...)
	return [][]byte{append(appendParameters(start, w.config.Parameters), '}')}
}

func (w *pcmWire) audio(dst, linear []byte, _ time.Duration) ([]byte, bool) {
	return append(dst, linear...), true
}

func (w *pcmWire) tell(dst []byte, n notice) []byte {
	switch n.kind {
	case noticeDigit:
		dst = appendString(append(dst, `{"event":"dtmf","digit":`...), n.text)
		return append(appendAt(dst, n.at), '}')
	case noticeMark:
		dst = appendString(append(dst, `{"event":"mark","name":`...), n.text)
		dst = strconv.AppendBool(append(dst, `,"cleared":`...), n.on)
	case noticeSpeech:
		dst = strconv.AppendBool(append(dst, `{"event":"speech","speaking":`...), n.on)
		return append(appendAt(dst, n.at), '}')
	case noticeCleared:
		dst = appendString(append(dst, `{"event":"clear","reason":`...), n.text)
	case noticeStop:
		dst = appendString(append(dst, `{"event":"stop","reason":`...), n.text)
	}
	return append(dst, '}')
}

func appendAt(dst []byte, at time.Duration) []byte {
	return strconv.AppendInt(append(dst, `,"at_ms":`...), at.Milliseconds(), 10)
}

func (w *pcmWire) decode(binary bool, message []byte) (command, *wrong) {
	if !binary {
		return w.decodeText(message)
	}
	if len(message)%2 != 0 {
		return command{}, wrongf(wrongOdd, "%d bytes", len(message))
	}
	return command{kind: commandAudio, pcm: message, rate: w.botRate}, nil
}
