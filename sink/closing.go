package sink

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// End is why a socket ended: State.LastEnd, the label of a metric, and the cause in the log.
type End string

// The reasons why sockets end.
const (
	EndClosed       End = "closed"          // the switch said Close
	EndDropped      End = "dropped"         // the connection ended without a Close
	EndProtocol     End = "protocol_error"  // what came is no WebSocket frame of a client
	EndTooBig       End = "message_too_big" // a message beyond the limit
	EndFlood        End = "flood"           // too much that is no audio
	EndIdle         End = "idle_timeout"    // no frame for too long
	EndMaxDuration  End = "max_duration"    // the recording has its greatest length
	EndDisk         End = "disk_error"      // the file can't be written
	EndDisconnected End = "disconnected"    // the call asked for it, before a restart
	EndFinished     End = "finished"        // the call was over, the socket not
	EndShutdown     End = "shutdown"        // tapdeck is stopping
	EndPanic        End = "panic"           // a defect of tapdeck, or of a Consumer
)

func ends() []End {
	return []End{
		EndClosed, EndDropped, EndProtocol, EndTooBig, EndFlood, EndIdle, EndMaxDuration,
		EndDisk, EndDisconnected, EndFinished, EndShutdown, EndPanic,
	}
}

// ordinary says that nobody has to look into it.
func (e End) ordinary() bool {
	switch e {
	case EndClosed, EndDisconnected, EndFinished, EndShutdown:
		return true
	}
	return false
}

// hint says what to do about a socket's end.
func (e End) hint() string {
	switch e {
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

const (
	hintPanic = "a defect: please report it with the stack; the next socket of the call is accepted"
	hintDisk  = "see the disk of sink.directory; what was recorded so far is kept"
)

const statusGoingAway = websocket.StatusGoingAway

// closeReason is why a socket ended or is to end, and what the peer is told.
type closeReason struct {
	end    End
	text   string
	status websocket.StatusCode
	drain  bool // what has arrived is still read
}

var (
	closeFlood    = closeReason{end: EndFlood, text: "too much that is no audio", status: websocket.StatusPolicyViolation}
	closeTooBig   = closeReason{end: EndTooBig, text: "message too big", status: websocket.StatusMessageTooBig}
	closeProtocol = closeReason{end: EndProtocol, text: "protocol error", status: websocket.StatusProtocolError}
	closeIdle     = closeReason{end: EndIdle, text: "idle", status: statusGoingAway}
	closeFull     = closeReason{EndMaxDuration, "recording is full", websocket.StatusPolicyViolation, true}
	closeDisk     = closeReason{end: EndDisk, text: "disk error", status: websocket.StatusInternalError}
	closeRestart  = closeReason{EndDisconnected, "restart", statusGoingAway, true}
	closeFinished = closeReason{EndFinished, "call is over", statusGoingAway, true}
	closeShutdown = closeReason{EndShutdown, "going away", statusGoingAway, true}
)

// errClosing is what a read returns once a socket is to end; its closeReason says why.
var errClosing = errors.New("stream is ending")

// handle is what other goroutines hold of a stream.
type handle struct {
	conn  *conn
	done  chan struct{}               // closed when the socket and its goroutine's work are over
	asked atomic.Pointer[closeReason] // the first wish to end it
	hurry atomic.Bool                 // reads wait for nothing any more
	wake  chan struct{}               // ends a wait between two reads
}

// ask tells the stream's goroutine to end the socket. Only the first wish counts.
func (h *handle) ask(why closeReason) {
	if h.asked.CompareAndSwap(nil, &why) {
		h.rush()
		_ = h.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// rush ends the waits between reads, in the process and in the kernel.
func (h *handle) rush() {
	h.hurry.Store(true)
	h.conn.setLowWater(1)
	select {
	case h.wake <- struct{}{}:
	default:
	}
}
