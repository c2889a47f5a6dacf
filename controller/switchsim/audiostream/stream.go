package switchsim

import (
	"net"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	upgradeTimeout = time.Second // name, TCP, TLS and 101 together
	closeTimeout   = time.Second // from the Close frame to the end of TCP
)

// stream is one WebSocket of uuid_audio_stream, and the media bug that feeds
// it. Lock order: stream before call.
type stream struct {
	call     *Call
	url      string
	metadata string
	packets  int64 // media frames in a message
	beat     time.Duration
	headers  map[string]string
	unset    []string
	started  time.Time
	over     chan struct{} // closed when TCP is over and the goroutine ends

	mu        sync.Mutex
	audio     audio
	conn      net.Conn
	raw       syscall.RawConn // nil: conn can only be written to blocking
	pending   []byte          // what the socket did not take yet
	next      int64           // the next media frame to be sent
	begin     int64           // the frame with which the present stretch began
	open      bool            // 101 received, not closing
	muted     bool            // the callbacks are gone: no more events
	unnoticed bool            // by fault: the module does not see the end
	paused    bool
	deaf      bool // sync mode: nobody reads audio
	closing   time.Time
	peerClose bool // the server has sent Close: only TCP's end ends it
	reset     bool // writing has failed: the server has reset TCP
	aborted   bool // ended before there was a connection
	nextBeat  time.Time
	scratch   []byte
	faults    streamFaults
	report    StreamReport
}

func newStream(c *Call, url, mix string, rate int, metadata string) *stream {
	st := c.snapshot()
	s := &stream{
		call: c, url: url, metadata: cut(metadata, 8192), started: time.Now(), over: make(chan struct{}),
		packets: bufferPackets(st.vars.get("STREAM_BUFFER_SIZE")),
		headers: extraHeaders(st.vars.get("STREAM_EXTRA_HEADERS")),
		audio:   audio{voice: c.spec.Voice, mix: mix, rate: rate},
		deaf:    rate <= 0 || !c.spec.async() && !c.inApplication(),
	}
	s.beat = time.Duration(max(atoi(st.vars.get("STREAM_HEART_BEAT")), 0)) * time.Second
	for _, name := range [...]string{"STREAM_HEART_BEAT", "STREAM_MESSAGE_DEFLATE"} {
		if st.vars.get(name) == "" {
			s.unset = append(s.unset, name)
		}
	}
	s.report = StreamReport{
		URL: url, Mix: mix, Rate: rate, Channels: s.audio.channels(), Started: s.started,
		Buffer: time.Duration(s.packets) * FrameDuration, Unset: s.unset, voice: c.spec.Voice,
	}
	s.next = c.mediaFrame(s.started)
	s.begin = s.next
	s.armFaults()
	return s
}

// bufferPackets reads STREAM_BUFFER_SIZE: anything but a multiple of 20 is 20.
func bufferPackets(v string) int64 {
	if n := atoi(v); n >= 20 && n%20 == 0 {
		return int64(n / 20)
	}
	return 1
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

// mediaFrame is the media frame that is being spoken at a time.
func (c *Call) mediaFrame(at time.Time) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.media.IsZero() {
		return 0
	}
	return frames(time.Duration(float64(at.Sub(c.media)) * c.sw.cfg.Speed))
}

// launch opens the WebSocket in its own goroutine, which reads from it until
// TCP is over.
func (s *stream) launch() {
	s.call.wg.Add(1)
	go func() {
		defer s.call.wg.Done()
		defer close(s.over)
		s.run()
	}()
}

func (s *stream) run() {
	if s.call.spec.Faults.NeverConnect {
		s.call.fault("stream never connected")
		s.finish("fault never connected")
		return
	}
	r, failure := s.dial()
	if failure != nil {
		s.fail(failure)
		return
	}
	if failure = s.read(r); failure != nil {
		s.fail(failure)
	}
}

// wsError is what the module reports in its error event.
type wsError struct {
	end  string // for the report
	code int
	text string
}

// fail ends a stream that broke: the error event, and the media bug is gone.
func (s *stream) fail(e *wsError) {
	s.mu.Lock()
	muted := s.muted || s.unnoticed
	s.mu.Unlock()
	s.finish(e.end)
	if muted {
		return
	}
	s.detach()
	s.event("error", `{"status":"error","message":{"code":`+itoa(e.code)+`,"error":"`+e.text+`"}}`)
	s.call.emit(&event{name: "MEDIA_BUG_STOP", extra: bugHeaders()})
}

// finish closes TCP and takes the stream from the media clock.
func (s *stream) finish(end string) {
	s.call.sw.clock.remove(s)
	s.mu.Lock()
	conn := s.conn
	s.report.Unsent += len(s.pending)
	s.open, s.pending = false, nil
	s.endPart()
	if s.report.End == "" {
		s.report.End = end
	}
	s.report.Ended = time.Now()
	if !s.closing.IsZero() {
		s.report.CloseTook = s.report.Ended.Sub(s.closing)
	}
	end = s.report.End
	s.mu.Unlock()
	if conn != nil {
		conn.Close()
	}
	s.call.note("stream end", end)
}

// detach takes the media bug off the channel.
func (s *stream) detach() {
	s.call.mu.Lock()
	if s.call.stream == s {
		s.call.stream = nil
	}
	s.call.mu.Unlock()
}

// event sends a CUSTOM event of the module.
func (s *stream) event(kind, body string) {
	s.call.emit(&event{
		name: "CUSTOM", subclass: "mod_audio_stream::" + kind, body: body,
		calling: calling{"mod_audio_stream.c", "responseHandler", 16},
	})
}

// cleanup is what stop and the hangup do: no more events, a last text, Close,
// and then the end of TCP is waited for: a second, or without limit when the
// server has sent Close before.
func (s *stream) cleanup(text, end string) {
	s.mu.Lock()
	if s.muted {
		s.mu.Unlock()
		return
	}
	s.muted = true
	s.pump(time.Now(), true)
	s.mu.Unlock()
	s.detach()
	s.call.emit(&event{name: "MEDIA_BUG_STOP", extra: bugHeaders()})
	s.mu.Lock()
	if text != "" && s.open {
		s.writeText(text)
	}
	limit := s.sayClose(end)
	s.mu.Unlock()
	s.awaitOver(limit)
}

// sayClose sends the Close frame, and returns how long its end is waited for.
// It needs s.mu.
func (s *stream) sayClose(end string) time.Duration {
	if s.report.End == "" {
		s.report.End = end
	}
	s.endPart()
	switch {
	case s.peerClose:
		return 0
	case s.open:
		s.rest()
		s.open = false
		s.closing = time.Now()
		s.frame(opClose, append([]byte{0x03, 0xe8}, "Normal closure"...))
	}
	return closeTimeout
}

func (s *stream) awaitOver(limit time.Duration) {
	var expired <-chan time.Time
	if limit > 0 {
		t := time.NewTimer(limit)
		defer t.Stop()
		expired = t.C
	}
	select {
	case <-s.over:
	case <-s.call.torn:
	case <-expired:
		s.abort(false)
		<-s.over
	}
}

// abort closes TCP at once, with FIN or RST. The reader notices.
func (s *stream) abort(reset bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = false
	if s.conn == nil {
		s.aborted = true
		return
	}
	if tcp, ok := s.conn.(*net.TCPConn); ok && reset {
		tcp.SetLinger(0)
	}
	s.conn.Close()
}

// sendText sends a text frame.
func (s *stream) sendText(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open {
		s.writeText(text)
	}
}

// writeText needs s.mu.
func (s *stream) writeText(text string) {
	s.report.Texts = append(s.report.Texts, text)
	s.frame(opText, []byte(text))
}

// pause stops and resumes the audio; what is spoken meanwhile is lost.
func (s *stream) pause(on bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paused == on {
		return
	}
	s.interrupt(now, func() { s.paused = on })
}

// hear is sync mode's way of reading audio only while an application runs.
func (s *stream) hear(yes bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deaf == !yes {
		return
	}
	s.interrupt(now, func() { s.deaf = !yes })
}

// interrupt sends what is due, makes a change, and begins a new stretch.
func (s *stream) interrupt(now time.Time, change func()) {
	s.pump(now, true)
	change()
	s.endPart()
	s.next = max(s.next, s.call.mediaFrame(now))
	s.begin = s.next
}

// result is the stream's part of the report.
func (s *stream) result(played []Played) StreamReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.report
	r.Parts = append([]Part(nil), s.report.Parts...)
	if s.next > s.begin {
		r.Parts = append(r.Parts, s.stretch())
	}
	r.Texts = append([]string(nil), r.Texts...)
	r.played = played
	n := int64(r.Rate / 50)
	for i, p := range r.Parts {
		if i == 0 {
			r.Offset = p.From * n
		}
		r.Samples += p.Count * n
	}
	return r
}

// stretch is the present stretch.
func (s *stream) stretch() Part {
	return Part{From: s.begin, Count: s.next - s.begin, Silent: s.faults.audio.Silent}
}

// endPart closes the present stretch of frames. It needs s.mu.
func (s *stream) endPart() {
	if s.next > s.begin {
		s.report.Parts = append(s.report.Parts, s.stretch())
	}
	s.begin = s.next
}

// extraHeaders reads STREAM_EXTRA_HEADERS: a flat JSON object of strings.
func extraHeaders(v string) map[string]string {
	if strings.TrimSpace(v) == "" {
		return nil
	}
	return parseFlat(v)
}
