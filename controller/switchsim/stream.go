package switchsim

import (
	"strings"
	"time"

	"tapdeck/controller/switchsim/audiostream"
	"tapdeck/controller/switchsim/fault"
)

// audioStream executes uuid_audio_stream.
func (s *Switch) audioStream(arguments string) string {
	argv, ok := audiostream.Split(arguments)
	if !ok {
		return "-USAGE: " + audiostream.Usage + "\n"
	}
	c := s.call(argv[0])
	if c == nil {
		return audiostream.Failed
	}
	switch strings.ToLower(argv[1]) {
	case "start":
		return c.startStream(argv)
	case "stop":
		return c.stopStream(argv)
	case "send_text":
		if len(argv) < 3 {
			return ""
		}
		return c.withStream(func(s *audiostream.Stream) { s.SendText(argv[2]) })
	case "pause":
		return c.withStream(func(s *audiostream.Stream) { s.Pause(true) })
	case "resume":
		return c.withStream(func(s *audiostream.Stream) { s.Pause(false) })
	}
	return audiostream.Failed
}

func (c *Call) withStream(f func(*audiostream.Stream)) string {
	c.mu.Lock()
	s := c.stream
	c.mu.Unlock()
	if s == nil {
		return audiostream.Failed
	}
	f(s)
	return audiostream.OK
}

// startStream executes start URL MIX [RATE] [METADATA] (F35 to F37).
func (c *Call) startStream(argv []string) string {
	start, refusal, ok := audiostream.ParseStart(argv)
	if !ok {
		return refusal
	}
	c.mu.Lock()
	hooked := c.stream != nil || c.faults.others < c.spec.Faults.OtherStreams
	c.mu.Unlock()
	if hooked || c.spec.Faults.RefuseStart || c.isHungUp() {
		return audiostream.Failed
	}
	if !c.sw.licensed() {
		return audiostream.Failed
	}
	c.preAnswer()
	s := c.newStream(start)
	c.note("stream start", start.URL)
	c.wg.Go(func() {
		defer c.sw.streams.Add(-1)
		s.Run()
	})
	if start.Rate <= 0 {
		return audiostream.Failed // and the WebSocket stays open for ever
	}
	c.emit("MEDIA_BUG_START")
	return audiostream.OK
}

// licensed counts one more stream, if the module's licence permits it (F54).
func (s *Switch) licensed() bool {
	if n := s.streams.Add(1); s.cfg.MaxStreams > 0 && n > int64(s.cfg.MaxStreams) {
		s.streams.Add(-1)
		return false
	}
	return true
}

// newStream makes the channel's stream, with the faults that are its turn.
func (c *Call) newStream(start audiostream.Start) *audiostream.Stream {
	c.mu.Lock()
	o := audiostream.Options{
		Start: start, Channel: module{c}, Clock: c.sw.clock, Voice: c.spec.Voice, Said: &c.said, Played: &c.played, Syncs: c.syncs, Idle: c.idleAudio,
		NoTLS: c.sw.cfg.NoTLS, Patience: c.sw.patience, Leg: &c.spec.Leg, Faults: &c.spec.Faults, Drop: c.nextDrop(),
	}
	c.mu.Unlock()
	s := audiostream.New(o)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.streams = append(c.streams, s)
	if start.Rate > 0 {
		c.stream = s
	}
	return s
}

// nextDrop is how the next stream drops, if it does. It needs c.mu.
func (c *Call) nextDrop() *fault.Drop {
	n := c.faults.drops
	if n >= len(c.spec.Faults.Drops) {
		return nil
	}
	c.faults.drops++
	return &c.spec.Faults.Drops[n]
}

// stopStream executes stop [TEXT]. It blocks until TCP is over (F41).
func (c *Call) stopStream(argv []string) string {
	c.holds.Add(1) // the channel can't go while stop works on it
	defer c.holds.Done()
	if c.stopOther() {
		return audiostream.OK
	}
	text := ""
	if len(argv) > 2 {
		text = argv[2]
	}
	return c.withStream(func(s *audiostream.Stream) { s.Close(text, "stop") })
}

// stopOther stops a stream that somebody else had on the channel.
func (c *Call) stopOther() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.faults.others >= c.spec.Faults.OtherStreams {
		return false
	}
	c.faults.others++
	c.report.Faults = append(c.report.Faults, "stopped somebody else's stream")
	return true
}

// module is the channel as mod_audio_stream has it.
type module struct{ *Call }

// Event sends a CUSTOM event of the module.
func (m module) Event(kind, body string) {
	switch kind {
	case "play":
		m.nameLater(kind, body, m.spec.Faults.LatePlay)
		return
	case "json":
		m.nameLater(kind, body, 0)
		return
	}
	m.sendEvent(kind, body)
}

func (m module) sendEvent(kind, body string) {
	subclass := "mod_audio_stream::" + kind
	m.mu.Lock()
	e := m.event("CUSTOM", body, header{Name: "subclass", Value: subclass})
	m.mu.Unlock()
	e.Subclass = subclass
	late := m.spec.Faults.LateReport
	if late == 0 || kind != "error" && kind != "disconnect" {
		m.send(e)
		return
	}
	m.wg.Go(func() { // its caller runs in one of the group's goroutines
		m.pause(late)
		m.send(e)
	})
}

// Detached removes the media bug.
func (m module) Detached(s *audiostream.Stream) {
	m.mu.Lock()
	if m.stream == s {
		m.stream = nil
	}
	m.mu.Unlock()
	m.emit("MEDIA_BUG_STOP")
}

// Reopen starts a dropped stream's WebSocket again, with the same media bug (F53).
func (m module) Reopen(s *audiostream.Stream, start audiostream.Start) bool {
	m.mu.Lock()
	again := m.spec.Faults.Reopens > 0 && m.stream == s
	m.mu.Unlock()
	if again {
		m.wg.Go(func() { m.reopen(s, start) }) // its caller runs in one of the group's goroutines
	}
	return again
}

func (m module) reopen(s *audiostream.Stream, start audiostream.Start) {
	m.pause(m.spec.Faults.Reopens)
	m.mu.Lock()
	gone := m.stream != s || m.state.cause != ""
	m.mu.Unlock()
	if gone {
		return
	}
	m.fault("stream opened again by the module")
	m.sw.streams.Add(1)
	defer m.sw.streams.Add(-1)
	m.newStream(start).Run()
}

// Fault notes a fault that took place.
func (m module) Fault(what string) { m.fault(what) }

// Note tells Progress.
func (m module) Note(step, detail string) { m.note(step, detail) }

// TornDown is closed when the call is torn down.
func (m module) TornDown() <-chan struct{} { return m.tornDown }

// Position returns the media frame that is being spoken at a time.
func (m module) Position(at time.Time) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.position(at)
}

// Due returns how many media frames are complete. Those of which the channel's thread is about to
// decide are not, in both directions.
func (m module) Due(at time.Time, both bool) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.position(at)
	if both {
		if m.inTime(m.held, at) {
			n = min(n, m.held+sendDelay)
		}
		m.mixed = max(m.mixed, n)
	}
	m.consumed = max(m.consumed, n)
	return n
}

// WriteTemp makes a temporary file.
func (m module) WriteTemp(name string, data []byte) (string, error) {
	return m.sw.temp.write(name, data)
}

// RemoveTemp removes one.
func (m module) RemoveTemp(path string) { m.sw.temp.removeFile(path) }
