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
	EndWrongRate    End = "wrong_rate"      // restarted because the audio had another rate than the recording
	EndNotRead      End = "not_read"        // the switch does not read what Send sends it
	EndPanic        End = "panic"           // a defect of tapdeck
)

const (
	hintPeer  = "is this mod_audio_stream?"
	hintPanic = "a defect: please report it with the stack; the next socket of the call is accepted"
	hintRate  = "did the call's codec change? The stream is started again for it; if that does not help, the switch streams at another rate, or in stereo, than the plan's stream says"
	hintDisk  = "see the disk of sink.directory, and whether tapdeck may write there; what was written before this is kept"
)

// closeReasons are what is known of every End.
var closeReasons = map[End]struct {
	status websocket.StatusCode // what the peer is told, unless it has gone
	text   string
	drain  bool   // what has arrived is still read
	hint   string // what to do about it; "" if nobody has to look into it
}{
	EndClosed:       {},
	EndWrongRate:    {hint: hintRate},
	EndDropped:      {hint: "the network or the switch dropped the connection; tapdeck starts the stream again if the plan permits"},
	EndProtocol:     {websocket.StatusProtocolError, "protocol error", false, hintPeer},
	EndTooBig:       {websocket.StatusMessageTooBig, "message too big", false, "lower the plan's stream buffer"},
	EndFlood:        {websocket.StatusPolicyViolation, "too much that is no audio", false, hintPeer},
	EndIdle:         {websocket.StatusGoingAway, "idle", false, "the switch sends nothing any more: was the stream paused, or is the socket line without async?"},
	EndMaxDuration:  {websocket.StatusPolicyViolation, "recording is full", true, "raise sink.max_duration if calls may last longer"},
	EndDisk:         {websocket.StatusInternalError, "disk error", false, hintDisk},
	EndDisconnected: {websocket.StatusGoingAway, "restart", true, ""},
	EndFinished:     {websocket.StatusGoingAway, "call is over", true, ""},
	EndShutdown:     {websocket.StatusGoingAway, "going away", true, ""},
	EndNotRead:      {drain: true, hint: "the switch has read nothing of what it was sent for some seconds: a slow network, or a slow disk of its temp folder?"},
	EndPanic:        {hint: hintPanic},
}

// cutOff says that the end was nobody's wish.
func (e End) cutOff() bool {
	switch e {
	case EndDropped, EndProtocol, EndTooBig, EndFlood, EndIdle, EndNotRead, EndPanic:
		return true
	}
	return false
}

// inOrder says that no network may have lost what was sent before the end.
func (e End) inOrder() bool { return e != EndDropped && e != EndIdle }

// errClosing is what a read returns once a socket is to end.
var errClosing = errors.New("stream is ending")

// handle is what other goroutines hold of a stream.
type handle struct {
	conn  *conn
	done  chan struct{}       // closed when the socket and its goroutine's work are over
	asked atomic.Pointer[End] // the first wish to end it
	hurry atomic.Bool         // reads wait for nothing any more
	wake  chan struct{}       // ends a wait between two reads
	out   sender
}

// ask tells the stream's goroutine to end the socket. Only the first wish counts.
func (h *handle) ask(why End) {
	if h.asked.CompareAndSwap(nil, &why) {
		h.rush()
		_ = h.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// rush ends the waits between reads, in the process and in the kernel, and what waits to be sent.
func (h *handle) rush() {
	h.hurry.Store(true)
	h.closeSender(false)
	h.nudge()
}

// nudge ends the present wait between two reads.
func (h *handle) nudge() {
	h.conn.setLowWater(1)
	select {
	case h.wake <- struct{}{}:
	default:
	}
}
