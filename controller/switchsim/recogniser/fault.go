package recogniser

import (
	"time"

	"github.com/coder/websocket"
)

// Fault is how a connection misbehaves. The zero value is a good recogniser.
type Fault struct {
	// NoHandshake: the request is read and never answered.
	NoHandshake bool
	// Refuse, if not 0, is the status of the answer, and Location a redirect's header.
	Refuse   int
	Location string
	// EchoKey puts the header Authorization into what a refusal says, and into the reason of a close.
	EchoKey bool

	// BytesPerSecond, if not 0, is how fast messages are read.
	BytesPerSecond int
	// NoPongs: pings are not answered.
	NoPongs bool
	// Mute: everything is read, and no result is sent.
	Mute bool
	// FinalDelay is how late final results are sent, and with them what follows.
	FinalDelay time.Duration
	// NeverFinishes: CloseStream and eof have no answer, and the connection stays open.
	NeverFinishes bool

	// After is the audio after which the rest happens: with 0, at the begin.
	After time.Duration
	// StopReading: nothing is read any more, and the connection stays open.
	StopReading bool
	// Reset: the connection ends with a TCP reset.
	Reset bool
	// Close, if not 0, is the code with which the connection is closed, and Reason the reason.
	Close  websocket.StatusCode
	Reason string
	// Nonsense is said as messages with audio come: on deepgram beside the results, on vosk in place of the
	// answer. Times is how often; 0 is once, -1 always.
	Nonsense Nonsense
	Times    int
}

// Faults are the ways in which a connection can misbehave, by name. Those that break it do so after half a
// second of audio.
func Faults() map[string]Fault {
	const half = 500 * time.Millisecond
	faults := map[string]Fault{
		"none":            {},
		"no-handshake":    {NoHandshake: true},
		"refuse-401":      {Refuse: 401},
		"refuse-403":      {Refuse: 403},
		"refuse-404":      {Refuse: 404},
		"refuse-429":      {Refuse: 429},
		"refuse-500":      {Refuse: 500},
		"redirect":        {Refuse: 302, Location: "/elsewhere"},
		"slow":            {BytesPerSecond: 4000},
		"no-pongs":        {NoPongs: true},
		"mute":            {Mute: true},
		"late-finals":     {FinalDelay: 2 * time.Second},
		"never-finishes":  {NeverFinishes: true},
		"stops-reading":   {StopReading: true, After: half},
		"reset":           {Reset: true, After: half},
		"close-1000":      {Close: websocket.StatusNormalClosure, After: half, Reason: "simulated"},
		"close-1008":      {Close: websocket.StatusPolicyViolation, After: half, Reason: "DATA-0000: simulated"},
		"close-1011":      {Close: websocket.StatusInternalError, After: half, Reason: "NET-0000: simulated"},
		"close-with-key":  {Close: websocket.StatusInternalError, After: half, EchoKey: true},
		"refuse-with-key": {Refuse: 401, EchoKey: true},
	}
	for _, n := range Nonsenses() {
		faults[string(n)] = Fault{Nonsense: n, After: half}
	}
	return faults
}

func (c *Connection) setFault(f Fault) { c.misbehave.Store(&f) }
func (c *Connection) fault() Fault     { return *c.misbehave.Load() }

// breakOff ends the connection, if its fault says so after that much audio.
func (c *Connection) breakOff(heard time.Duration) {
	f := c.fault()
	switch {
	case heard < f.After:
	case f.Reset:
		c.reset()
	case f.Close != 0:
		c.finished = true
		c.close(f.Close, c.echoed(f.Reason))
	case f.StopReading:
		c.keepLittle()
		c.expectNothing()
		c.finished = true
		<-c.gone
		c.end(End{Code: noClose, Ours: true})
	}
}

// slow waits as long as a message of n bytes lasts at the speed of the fault.
func (c *Connection) slow(n int) {
	if speed := c.fault().BytesPerSecond; speed > 0 {
		c.keepLittle()
		c.expectNothing()
		c.sleep(time.Duration(n) * time.Second / time.Duration(speed))
		c.touch()
	}
}

// keepLittle has the kernel keep little of what is not read, so that the client notices.
func (c *Connection) keepLittle() {
	if c.narrow {
		return
	}
	c.narrow = true
	if tcp, ok := c.socket.(interface{ SetReadBuffer(bytes int) error }); ok {
		_ = tcp.SetReadBuffer(4096) // only a wish
	}
}

// talkNonsense answers audio, if the fault says so, and says whether it has.
func (c *Connection) talkNonsense(heard time.Duration) bool {
	f := c.fault()
	if f != c.answered {
		c.answered, c.nonsense = f, 0
	}
	switch {
	case f.Nonsense == "" || heard < f.After:
		return false
	case f.Nonsense == Flood:
		if c.flooding.CompareAndSwap(false, true) {
			c.running.Go(c.flood)
		}
		return false
	case f.Times >= 0 && c.nonsense >= max(f.Times, 1):
		return false
	}
	c.nonsense++
	c.write(f.Nonsense.message(c.server.Format))
	return true
}

// flood sends five thousand messages a second, each a good one.
func (c *Connection) flood() {
	defer c.flooding.Store(false)
	kind, b := Flood.message(c.server.Format)
	for c.fault().Nonsense == Flood && c.sleep(10*time.Millisecond) {
		for range 50 {
			c.write(kind, b)
		}
	}
}
