package bot

import (
	"context"
	"time"

	"github.com/coder/websocket"
)

// send writes one message and notes what it was; what can't be sent any more is dropped.
func (s *Session) send(kind websocket.MessageType, b []byte, sent Sent) {
	s.writing.Lock()
	defer s.writing.Unlock()
	sent.At = time.Now()
	s.note(func(r *record) { r.sent(sent, s.bot.o.Count) })
	_ = s.ws.Write(context.Background(), kind, b) // the reader sees the end; CloseNow ends a write that hangs
}

// Play says PCM, 16-bit little-endian mono at Rate(), in one message.
func (s *Session) Play(pcm []byte) {
	pcm = pcm[:len(pcm)&^1]
	if len(pcm) == 0 {
		return
	}
	kind, b := s.codec.media(pcm)
	heard := pcm
	if s.bot.o.Format == Twilio && !s.bot.o.Count {
		heard = appendSamples(make([]byte, 0, len(pcm)), appendCodes(make([]byte, 0, len(pcm)/2), pcm))
	}
	s.send(kind, b, Sent{Kind: KindMedia, Bytes: len(pcm), pcm: heard})
}

// PlayIn is Play in messages of a length, all at once.
func (s *Session) PlayIn(pcm []byte, each time.Duration) {
	n := max(s.bytes(each), 2)
	for len(pcm) > n && s.ctx.Err() == nil {
		s.Play(pcm[:n])
		pcm = pcm[n:]
	}
	s.Play(pcm)
}

// Rate is that of what the bot says, in Hz.
func (s *Session) Rate() int {
	if s.bot.o.Rate != 0 && s.bot.o.Format == PCM {
		return s.bot.o.Rate
	}
	return s.Call().Rate
}

// bytes is how much PCM of the bot a duration has.
func (s *Session) bytes(d time.Duration) int {
	return 2 * int(d*time.Duration(s.Rate())/time.Second)
}

// Mark asks to be told when all that was said before it has been heard.
func (s *Session) Mark(name string) {
	if !s.conn.fault.NeverMarks {
		s.send(websocket.MessageText, s.codec.mark(name, true), Sent{Kind: KindMark, Text: name})
	}
}

// NamelessMark is Mark without a name, as some bots send it.
func (s *Session) NamelessMark() {
	if !s.conn.fault.NeverMarks {
		s.send(websocket.MessageText, s.codec.mark("", false), Sent{Kind: KindMark})
	}
}

// Clear drops what was said and has not been heard.
func (s *Session) Clear() { s.control(KindClear, "") }

// Hangup ends the call; on the twilio wire, which has no message for it, the connection.
func (s *Session) Hangup() {
	if !s.control(KindHangup, "") {
		s.Close(websocket.StatusNormalClosure, "")
	}
}

// Transfer sends the caller elsewhere, SendDigits presses keys. Only the pcm wire has these.
func (s *Session) Transfer(to string)       { s.control(KindTransfer, to) }
func (s *Session) SendDigits(digits string) { s.control(KindDTMF, digits) }

// control says whether the wire has the message.
func (s *Session) control(kind Kind, text string) bool {
	b := s.codec.control(kind, text)
	if b != nil {
		s.send(websocket.MessageText, b, Sent{Kind: kind, Text: text})
	}
	return b != nil
}

// Raw sends a message as it is, of text or binary.
func (s *Session) Raw(kind websocket.MessageType, b []byte) {
	s.send(kind, b, Sent{Kind: "raw", Bytes: len(b)})
}

// Close closes the connection with a code and a reason, in order.
func (s *Session) Close(code websocket.StatusCode, reason string) { _ = s.ws.Close(code, reason) }

// Reset ends the connection with a TCP reset.
func (s *Session) Reset() {
	abort(s.conn)
	_ = s.conn.Close()
}
