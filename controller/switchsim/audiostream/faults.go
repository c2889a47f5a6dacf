package switchsim

import (
	"bufio"
	"net"
	"net/url"
	"strings"
	"time"
)

// streamFaults are the faults of one stream.
type streamFaults struct {
	audio    AudioFaults
	drop     *Drop
	hugeSent bool
	broken   bool    // a Drop has closed TCP
	dropped  bool    // DropNothing has come: nothing goes through any more
	owed     float64 // of Omit
	odd      []byte  // of Odd: the byte that waits for its other half
	wrong    bool    // any of it: the careful path
	first    int64   // the media frame with which the stream began
}

// armFaults takes this stream's faults from the call's.
func (s *stream) armFaults() {
	f := &s.call.spec.Faults
	s.faults.audio = f.Audio
	s.call.mu.Lock()
	if n := s.call.faults.drops; n < len(f.Drops) {
		s.faults.drop = &f.Drops[n]
		s.call.faults.drops++
	}
	s.call.mu.Unlock()
	s.faults.wrong = s.faults.drop != nil || f.Audio != AudioFaults{}
}

// target is the URL that is really opened.
func (s *stream) target() string {
	if tamper := s.call.spec.Faults.TamperURL; tamper != nil {
		return tamper(s.url)
	}
	return s.url
}

// pumpWrong is pump for a stream with faults: one message at a time. It needs
// s.mu.
func (s *stream) pumpWrong(due int64, all bool) {
	f := &s.faults
	payload := make([]byte, s.audio.frameBytes()*int(s.packets))
	for due-s.next >= s.packets && (all || len(s.pending) == 0) && s.open {
		if f.drop != nil && time.Duration(s.next-f.first)*FrameDuration >= f.drop.After {
			s.dropNow()
			return
		}
		s.floods()
		if f.audio.None || s.omits() {
			s.endPart()
			s.next += s.packets
			s.begin = s.next
			continue
		}
		s.fill(payload)
		s.next += s.packets
		s.message(payload)
	}
}

// fill writes the next message's audio.
func (s *stream) fill(payload []byte) {
	size := s.audio.frameBytes()
	for i := range s.packets {
		if s.faults.audio.Silent {
			clear(payload[int(i)*size : int(i+1)*size])
			continue
		}
		s.audio.frame(payload[int(i)*size:int(i+1)*size], s.next+i)
	}
}

// omits tells whether the next message is left out.
func (s *stream) omits() bool {
	s.faults.owed += s.faults.audio.Omit
	if s.faults.owed < 1 {
		return false
	}
	s.faults.owed--
	return true
}

// floods sends the frames that come with every message, and the huge one.
func (s *stream) floods() {
	a := &s.faults.audio
	if a.Huge > 0 && !s.faults.hugeSent {
		s.faults.hugeSent = true
		s.frame(opBinary, make([]byte, a.Huge))
	}
	for i := range a.Texts {
		s.frame(opText, []byte(`{"simulated":"text `+itoa(i)+`"}`))
	}
	for range a.Pings {
		s.frame(opPing, []byte("simulated ping"))
	}
}

// message sends one message of audio, split as the faults say.
func (s *stream) message(payload []byte) {
	a := &s.faults.audio
	if a.Odd {
		payload = append(s.faults.odd, payload...)
		even := len(payload) &^ 1
		s.faults.odd = append([]byte(nil), payload[even-1:]...)
		payload = payload[:even-1]
	}
	switch third := len(payload) / 3; {
	case a.Fragments:
		s.part(opBinary, payload[:third])
		s.part(opContinuation, payload[third:2*third])
		s.part(finBit|opContinuation, payload[2*third:])
	default:
		s.part(finBit|opBinary, payload)
	}
}

func (s *stream) part(first byte, payload []byte) {
	s.write(s.encode(first, payload))
}

// encode makes one frame, masked unless the fault says otherwise.
func (s *stream) encode(first byte, payload []byte) []byte {
	b := appendFrame(nil, first, len(payload), func(p []byte) { copy(p, payload) })
	if !s.faults.audio.Unmasked {
		return b
	}
	head := len(b) - len(payload) - 4
	b[1] &^= maskBit
	return append(b[:head], payload...)
}

// rest sends what Odd has kept back, before a Close.
func (s *stream) rest() {
	if len(s.faults.odd) > 0 && s.open {
		s.part(finBit|opBinary, s.faults.odd)
		s.faults.odd = nil
	}
}

// dropNow is the network failing. It needs s.mu.
func (s *stream) dropNow() {
	d := s.faults.drop
	s.faults.drop = nil
	s.endPart()
	s.call.fault("stream dropped")
	if d.Unnoticed {
		s.unnoticed = true
	}
	if d.How == DropNothing {
		s.faults.dropped = true
		return
	}
	s.open, s.faults.broken = false, true
	if s.report.End == "" {
		s.report.End = "fault fin"
	}
	if tcp, ok := s.conn.(*net.TCPConn); ok && d.How == DropRST {
		s.report.End = "fault rst"
		tcp.SetLinger(0)
	}
	s.conn.Close()
}

// second opens another WebSocket for the same URL, and notes how the server
// took it.
func (s *stream) second() {
	outcome := "refused"
	defer func() {
		s.mu.Lock()
		s.report.Second = outcome
		s.mu.Unlock()
	}()
	target, err := url.Parse(s.target())
	if err != nil {
		return
	}
	conn, err := net.DialTimeout("tcp4", hostPort(target), upgradeTimeout)
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(upgradeTimeout))
	if _, err := conn.Write([]byte(s.request(target, "c2Vjb25kIHNvY2tldCAhIQ=="))); err != nil {
		return
	}
	status, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		outcome = "no answer"
		return
	}
	outcome = strings.TrimSpace(strings.TrimPrefix(status, "HTTP/1.1 "))
}
