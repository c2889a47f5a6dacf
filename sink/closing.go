package sink

import (
	"errors"
	"net"
	"time"

	"github.com/coder/websocket"
)

// Why a socket ended: State.LastEnd, the label of a metric, and the cause in the log.
const (
	EndClosed       = "closed"          // the switch said Close
	EndDropped      = "dropped"         // the connection ended without a Close
	EndProtocol     = "protocol_error"  // what came is no WebSocket frame of a client
	EndTooBig       = "message_too_big" // a message beyond the limit
	EndFlood        = "flood"           // too much that is no audio
	EndIdle         = "idle_timeout"    // no frame for too long
	EndMaxDuration  = "max_duration"    // the recording has its greatest length
	EndDisk         = "disk_error"      // the file can't be written
	EndDisconnected = "disconnected"    // the call asked for it, before a restart
	EndFinished     = "finished"        // the call was over, the socket not
	EndShutdown     = "shutdown"        // tapdeck is stopping
	EndPanic        = "panic"           // a defect of tapdeck, or of a Consumer
)

func endReasons() []string {
	return []string{
		EndClosed, EndDropped, EndProtocol, EndTooBig, EndFlood, EndIdle, EndMaxDuration,
		EndDisk, EndDisconnected, EndFinished, EndShutdown, EndPanic,
	}
}

const (
	statusGoingAway = websocket.StatusGoingAway
	// goodbye bounds the close handshake: the switch waits for the end of the TCP
	// connection, so it must come.
	goodbye = time.Second
)

// ending is why a socket ended or is to end, and what the peer is told.
type ending struct {
	reason string
	text   string
	status websocket.StatusCode
	drain  bool // what has arrived is still taken
}

func flooded() ending {
	return ending{reason: EndFlood, text: "too much that is no audio", status: websocket.StatusPolicyViolation}
}

// ordinary says that nobody has to look into it.
func (e ending) ordinary() bool {
	switch e.reason {
	case EndClosed, EndDisconnected, EndFinished, EndShutdown:
		return true
	}
	return false
}

// hint says what to do about a socket's end.
func (e ending) hint() string {
	switch e.reason {
	case EndDropped:
		return "the network or the switch dropped the connection; tapdeck starts the stream again if the plan permits"
	case EndIdle:
		return "the switch sends nothing any more: was the stream paused, or is the socket line without async?"
	case EndTooBig:
		return "lower the plan's stream buffer"
	case EndMaxDuration:
		return "raise sink.max_duration if calls may last longer"
	case EndDisk:
		return hintDisk
	case EndPanic:
		return hintPanic
	}
	return "is this mod_audio_stream?"
}

const hintPanic = "a defect: please report it with the stack; the next socket of the call is taken"

const hintDisk = "see the disk of sink.directory; what was recorded so far is kept"

// ask tells the stream's goroutine to end the socket. Only the first wish counts.
func (s *stream) ask(e ending) {
	if s.asked.CompareAndSwap(nil, &e) {
		s.rush()
		_ = s.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// rush ends the waits between reads, in the process and in the kernel.
func (s *stream) rush() {
	s.hurry.Store(true)
	s.conn.setLowWater(1)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// end closes the socket and its TCP connection, and returns why it ended.
func (s *stream) end(err error) ending {
	e := s.why(err)
	s.closing = true
	_ = s.conn.SetDeadline(time.Now().Add(goodbye))
	if e.reason == EndClosed || e.reason == EndDropped {
		_ = s.ws.CloseNow()
	} else {
		_ = s.ws.Close(e.status, e.text)
	}
	return e
}

func (s *stream) why(err error) ending {
	asked := s.asked.Load()
	switch {
	case websocket.CloseStatus(err) != -1:
		return ending{reason: EndClosed}
	case s.own != nil:
		return *s.own
	case errors.Is(err, errEnding) && asked != nil:
		return *asked
	case errors.Is(err, websocket.ErrMessageTooBig):
		return ending{reason: EndTooBig, text: "message too big", status: websocket.StatusMessageTooBig}
	case s.broken || errors.Is(err, net.ErrClosed):
		return ending{reason: EndDropped}
	}
	return ending{reason: EndProtocol, text: "protocol error", status: websocket.StatusProtocolError}
}
