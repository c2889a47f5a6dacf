package bot

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// Fault is how a bot misbehaves in one connection. The zero value is a good bot.
type Fault struct {
	// Dead: the connection is accepted, and nothing is ever read from it or written to it.
	Dead bool
	// NoHandshake: the request is read and never answered.
	NoHandshake bool
	// NoWebSocket: the answer is a page.
	NoWebSocket bool
	// Refuse, if not 0, is the status of the answer.
	Refuse int
	// Deaf: nothing is read after the handshake.
	Deaf bool
	// ReadPause is a pause before each message is read.
	ReadPause time.Duration
	// NeverMarks: the behaviour's marks are not sent.
	NeverMarks bool
	// NeverCloses: nothing is read or answered after stop.
	NeverCloses bool
	// Attack runs in a goroutine of its own once so many frames of the caller have come; 0 is at the
	// start. It must end with the session.
	Attack func(s *Session)
	After  int
}

// attackAfter is how many frames into the call named faults break it: half a second.
const attackAfter = 25

// Faults are the ways in which a bot can misbehave, by their names.
func Faults() map[string]Fault {
	return map[string]Fault{
		"none":           {},
		"dead":           {Dead: true},
		"no-handshake":   {NoHandshake: true},
		"no-websocket":   {NoWebSocket: true},
		"refuse-401":     {Refuse: 401},
		"refuse-500":     {Refuse: 500},
		"deaf":           {Deaf: true},
		"slow":           {ReadPause: 100 * time.Millisecond},
		"never-marks":    {NeverMarks: true},
		"never-closes":   {NeverCloses: true},
		"flood-media":    {Attack: floodMedia},
		"flood-marks":    {Attack: flood(func(s *Session) { s.Mark("flood") })},
		"flood-clears":   {Attack: flood((*Session).Clear)},
		"flood-unknown":  {Attack: flood(func(s *Session) { s.text(`{"event":"simulated","type":"simulated"}`) })},
		"not-json":       {Attack: func(s *Session) { s.text("simulated: this is no JSON") }},
		"unknown-event":  {Attack: func(s *Session) { s.text(`{"event":"simulated","type":"simulated"}`) }},
		"bad-base64":     {Attack: func(s *Session) { s.text(mediaOf(s, "*simulated*")) }},
		"odd-bytes":      {Attack: oddBytes},
		"wrong-stream":   {Attack: wrongStream},
		"wrong-types":    {Attack: func(s *Session) { s.text(`{"event":7,"type":7,"media":[],"mark":"x","streamSid":null}`) }},
		"huge":           {Attack: huge},
		"close-1000":     {After: attackAfter, Attack: func(s *Session) { s.Close(websocket.StatusNormalClosure, "simulated") }},
		"close-1011":     {After: attackAfter, Attack: func(s *Session) { s.Close(websocket.StatusInternalError, "simulated") }},
		"reset":          {After: attackAfter, Attack: (*Session).Reset},
		"nameless-marks": {Attack: (*Session).NamelessMark},
	}
}

func (s *Session) text(t string) { s.Raw(websocket.MessageText, []byte(t)) }

// flood does something without end.
func flood(once func(s *Session)) func(s *Session) {
	return func(s *Session) {
		for s.ctx.Err() == nil {
			once(s)
		}
	}
}

// floodMedia says a second of audio over and over, as fast as it is read.
func floodMedia(s *Session) {
	pcm := Tone(s.Rate(), 440, time.Second)
	flood(func(s *Session) { s.Play(pcm) })(s)
}

func mediaOf(s *Session, payload string) string {
	return `{"event":"media","streamSid":"` + s.Call().StreamSID + `","media":{"payload":"` + payload + `"}}`
}

// oddBytes is audio that ends within a sample. µ-law has no such thing; there, its base64 has no padding.
func oddBytes(s *Session) {
	if s.bot.o.Format == PCM {
		s.Raw(websocket.MessageBinary, make([]byte, 321))
		return
	}
	s.text(mediaOf(s, strings.TrimRight(base64.StdEncoding.EncodeToString(make([]byte, 161)), "=")))
}

// wrongStream is audio and a mark of another stream.
func wrongStream(s *Session) {
	const other = "MZffffffffffffffffffffffffffffffff"
	s.text(strings.Replace(mediaOf(s, base64.StdEncoding.EncodeToString(make([]byte, 160))), s.Call().StreamSID, other, 1))
	s.text(`{"event":"mark","streamSid":"` + other + `","mark":{"name":"simulated"}}`)
}

// huge is one message of 10 MB.
func huge(s *Session) {
	const size = 10_000_000
	if s.bot.o.Format == PCM {
		s.Raw(websocket.MessageBinary, make([]byte, size))
		return
	}
	s.text(mediaOf(s, strings.Repeat("/", size)))
}
