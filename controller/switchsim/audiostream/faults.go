package audiostream

import (
	"bufio"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tapdeck/controller/switchsim/audio"
	"tapdeck/controller/switchsim/fault"
)

// faultState is where a stream is with its faults.
type faultState struct {
	audio    fault.Audio
	drop     *fault.Drop // still to come
	any      bool        // there are any: the careful path
	hugeSent bool
	broken   bool    // a Drop has closed TCP
	dropped  bool    // DropNothing has come: nothing goes through any more
	owed     float64 // of Omit
	odd      []byte  // of Odd: the byte that waits for its other half
	first    int64   // the media frame with which the stream began
}

// target is the URL that is really opened.
func (s *Stream) target() string {
	if tamper := s.options.Faults.TamperURL; tamper != nil {
		return tamper(s.options.URL)
	}
	return s.options.URL
}

// pumpFaulty is pump for a stream with faults: one message at a time. It needs
// s.mu.
func (s *Stream) pumpFaulty(due int64, all bool) {
	f, leg, began := &s.faults, s.options.Leg, s.report.first
	for due-s.next >= s.packets && (all || len(s.pending) == 0) && s.open {
		if f.drop != nil && time.Duration(s.next-f.first)*audio.FrameDuration >= f.drop.After {
			s.dropNow()
			return
		}
		s.floods()
		if f.audio.None || s.omits() || leg.Held(s.next) || leg.lost(s.next, s.packets, leg.Rate(began) != s.mix.Rate) {
			s.endPart()
			s.next += s.packets
			s.begin = s.next
			continue
		}
		s.setRate(leg.streamed(began, s.next, s.mix.Rate))
		payload := s.fill()
		s.next += s.packets
		s.message(payload)
	}
}

// fill makes the next message's audio.
func (s *Stream) fill() []byte {
	mix := s.mix
	mix.Rate = s.rate
	size := mix.FrameBytes()
	payload := make([]byte, size*int(s.packets))
	for i := range s.packets {
		if !s.faults.audio.Silent {
			mix.Frame(payload[int(i)*size:int(i+1)*size], s.next+i)
		}
	}
	return payload
}

// setRate begins another stretch if the rate changes.
func (s *Stream) setRate(rate int) {
	if rate != s.rate {
		s.endPart()
		s.rate = rate
	}
}

// omits says whether the next message is left out.
func (s *Stream) omits() bool {
	s.faults.owed += s.faults.audio.Omit
	if s.faults.owed < 1 {
		return false
	}
	s.faults.owed--
	return true
}

// floods sends the frames that come with every message, and the huge one.
func (s *Stream) floods() {
	a := &s.faults.audio
	if a.Huge > 0 && !s.faults.hugeSent {
		s.faults.hugeSent = true
		s.frame(opBinary, make([]byte, a.Huge))
	}
	for i := range a.Texts {
		s.frame(opText, []byte(`{"simulated":"text `+strconv.Itoa(i)+`"}`))
	}
	for range a.Pings {
		s.frame(opPing, []byte("simulated ping"))
	}
}

// message sends one message of audio.
func (s *Stream) message(payload []byte) {
	a := &s.faults.audio
	if a.Odd {
		payload = append(s.faults.odd, payload...)
		even := len(payload) &^ 1
		s.faults.odd = append([]byte(nil), payload[even-1:]...)
		payload = payload[:even-1]
	}
	s.frame(opBinary, payload)
}

// writeOddByte sends what Odd has kept back, before a Close.
func (s *Stream) writeOddByte() {
	if len(s.faults.odd) > 0 && s.open {
		s.frame(opBinary, s.faults.odd)
		s.faults.odd = nil
	}
}

// dropNow is the network failing. It needs s.mu.
func (s *Stream) dropNow() {
	d := s.faults.drop
	s.faults.drop = nil
	s.endPart()
	s.options.Channel.Fault("stream dropped")
	if d.How == fault.DropNothing {
		s.faults.dropped = true
		return
	}
	s.open, s.faults.broken = false, true
	if tcp, ok := s.conn.(*net.TCPConn); ok && d.How == fault.DropRST {
		s.report.End = "fault rst"
		tcp.SetLinger(0)
	}
	s.endedBy("fault fin")
	s.conn.Close()
}

// second opens another WebSocket for the same URL, and notes how the server
// took it.
func (s *Stream) second() {
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
	conn, err := net.DialTimeout("tcp4", hostPort(target), UpgradeTimeout)
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(UpgradeTimeout))
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
