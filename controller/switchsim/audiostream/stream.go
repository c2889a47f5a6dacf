package audiostream

import (
	"encoding/json"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"tapdeck/controller/switchsim/audio"
	"tapdeck/controller/switchsim/fault"
)

const (
	// UpgradeTimeout is for name, TCP, TLS and 101 together (F39).
	UpgradeTimeout = time.Second
	// CloseTimeout is from the Close frame to the end of TCP (F41).
	CloseTimeout = time.Second
)

// Channel is what a stream needs of the call that it streams. No method calls back
// into the stream.
type Channel interface {
	// Variable returns a channel variable; "" is unset.
	Variable(name string) string
	// Position returns the media frame that is being spoken at a time.
	Position(at time.Time) int64
	// Due returns how many media frames are complete: nothing that is said in them, or with
	// both, played, changes any more.
	Due(at time.Time, both bool) int64
	// WriteTemp makes a file of that name in the switch's temporary folder, and RemoveTemp removes it.
	WriteTemp(name string, data []byte) (path string, err error)
	RemoveTemp(path string)
	// Event sends an event of the module.
	Event(kind, body string)
	// Detached says that the stream has let go of the channel: another may be started.
	Detached(*Stream)
	// Reopen says whether the module opens a stream that has broken again by itself.
	Reopen(*Stream, Start) bool
	// Fault and Note report a fault that took place and a step of the call.
	Fault(what string)
	Note(step, detail string)
	// TornDown is closed when nothing is waited for any more.
	TornDown() <-chan struct{}
}

// Options are what one stream is made of.
type Options struct {
	Start
	Channel Channel
	Clock   *Clock
	// Voice is what the caller says, Said what he says instead at its time, and Played what
	// the switch plays; each may be nil.
	Voice        *audio.Voice
	Said, Played *audio.Playlist
	// Syncs are when the caller's audio is thrown away; nil is never.
	Syncs *audio.Syncs
	// Idle says that a parked channel sends silence (F47).
	Idle bool
	// NoTLS simulates the module's default build (F52).
	NoTLS bool
	// Patience is UpgradeTimeout, but in tests.
	Patience time.Duration
	// Leg is the caller's leg of the call; nil is a plain one.
	Leg *Leg
	// Faults are the call's, Drop this stream's own; nil for none.
	Faults *fault.Call
	Drop   *fault.Drop
}

// Stream is one WebSocket of uuid_audio_stream, and the media bug that feeds it.
type Stream struct {
	options Options
	packets int64 // media frames in a message
	beat    time.Duration
	headers map[string]string
	started time.Time
	over    chan struct{} // closed when TCP is over and Run ends

	mu        sync.Mutex
	mix       audio.Mix
	conn      net.Conn
	raw       syscall.RawConn // nil: conn can only be written to blocking
	pending   []byte          // what the socket did not accept yet
	next      int64           // the next media frame to be sent
	rate      int             // at which frames are sent; after a codec change not the one asked for
	begin     int64           // the frame with which the present stretch began
	open      bool            // 101 received, not closing
	muted     bool            // the callbacks are gone: no more events (F44)
	paused    bool
	closing   time.Time
	peerClose bool // the server has sent Close: only TCP's end ends it (F42)
	reset     bool // writing has failed: the server has reset TCP
	aborted   bool // ended before there was a connection
	nextBeat  time.Time
	scratch   []byte
	faults    faultState
	files     tempFiles
	report    Report
}

// New returns a stream that Run opens.
func New(o Options) *Stream {
	if o.Leg == nil {
		o.Leg = &Leg{}
	}
	s := &Stream{
		options: o, rate: o.Rate, started: time.Now(), over: make(chan struct{}),
		packets: bufferPackets(o.Channel.Variable("STREAM_BUFFER_SIZE")),
		headers: extraHeaders(o.Channel.Variable("STREAM_EXTRA_HEADERS")),
		beat:    time.Duration(max(Number(o.Channel.Variable("STREAM_HEART_BEAT")), 0)) * time.Second,
		mix:     audio.Mix{Voice: o.Voice, Said: o.Said, Played: o.Played, Syncs: o.Syncs, Kind: o.Mix, Rate: o.Rate},
	}
	s.report = Report{
		URL: o.URL, Mix: o.Mix, Rate: o.Rate, Channels: s.mix.Channels(), Started: s.started,
		Buffer: time.Duration(s.packets) * audio.FrameDuration,
	}
	for _, name := range [...]string{"STREAM_HEART_BEAT", "STREAM_MESSAGE_DEFLATE"} {
		if o.Channel.Variable(name) == "" {
			s.report.Unset = append(s.report.Unset, name)
		}
	}
	s.next = o.Channel.Position(s.started)
	s.begin, s.report.first = s.next, s.next
	s.faults = faultState{
		audio: o.Faults.Audio, drop: o.Drop,
		any: o.Drop != nil || o.Faults.Audio != fault.Audio{} || !o.Leg.plain(),
	}
	return s
}

// bufferPackets reads STREAM_BUFFER_SIZE: anything but a multiple of 20 is 20 (F57).
func bufferPackets(v string) int64 {
	if n := Number(v); n >= 20 && n%20 == 0 {
		return int64(n / 20)
	}
	return 1
}

// extraHeaders reads STREAM_EXTRA_HEADERS: a flat JSON object of strings.
func extraHeaders(v string) map[string]string {
	var object map[string]any
	if json.Unmarshal([]byte(v), &object) != nil {
		return nil
	}
	flat := make(map[string]string, len(object))
	for name, value := range object {
		if text, ok := value.(string); ok {
			flat[name] = text
		}
	}
	return flat
}

// Run opens the WebSocket and reads from it until TCP is over.
func (s *Stream) Run() {
	defer close(s.over)
	if s.options.Faults.NeverConnect {
		s.options.Channel.Fault("stream never connected")
		s.finish("fault never connected")
		return
	}
	r, failure := s.dial()
	if failure == nil {
		failure = s.read(r)
	}
	if failure != nil {
		s.fail(failure)
	}
}

// streamError is what the module reports in its error event (F45).
type streamError struct {
	end  string // for the report
	code int
	text string
}

// fail ends a stream that broke: the error event, and the media bug is gone (F43).
func (s *Stream) fail(e *streamError) {
	s.mu.Lock()
	muted := s.muted
	s.mu.Unlock()
	s.finish(e.end)
	if muted {
		return
	}
	s.removeFiles()
	if !s.options.Channel.Reopen(s, s.options.Start) {
		s.options.Channel.Detached(s)
	}
	s.options.Channel.Event("error", `{"status":"error","message":{"code":`+strconv.Itoa(e.code)+`,"error":"`+e.text+`"}}`)
}

// finish closes TCP and removes the stream from the media clock.
func (s *Stream) finish(end string) {
	s.options.Clock.remove(s)
	s.mu.Lock()
	conn := s.conn
	s.report.Unsent += len(s.pending)
	s.open, s.pending = false, nil
	s.endPart()
	s.endedBy(end)
	s.report.Ended = time.Now()
	if !s.closing.IsZero() {
		s.report.CloseTook = s.report.Ended.Sub(s.closing)
	}
	end = s.report.End
	s.mu.Unlock()
	if conn != nil {
		conn.Close()
	}
	s.options.Channel.Note("stream end", end)
}

// Close is what stop and the hangup do: no more events, a last text, Close, and
// then the end of TCP is waited for: a second, or without limit if the server
// has sent Close before. end is for the report.
func (s *Stream) Close(text, end string) {
	s.mu.Lock()
	if s.muted {
		s.mu.Unlock()
		return
	}
	s.muted = true
	s.pump(time.Now(), true)
	s.mu.Unlock()
	s.options.Channel.Detached(s)
	s.removeFiles()
	s.mu.Lock()
	if text != "" && s.open {
		s.writeText(text)
	}
	limit := s.sayClose(end)
	s.mu.Unlock()
	s.awaitOver(limit)
}

// sayClose sends the Close frame, and returns how long its end is waited for; 0 is
// without limit. It needs s.mu.
func (s *Stream) sayClose(end string) time.Duration {
	s.endedBy(end)
	s.endPart()
	switch {
	case s.peerClose:
		return 0
	case s.open:
		s.writeOddByte()
		s.open = false
		s.closing = time.Now()
		s.frame(opClose, append([]byte{0x03, 0xe8}, "Normal closure"...))
	}
	return CloseTimeout
}

func (s *Stream) awaitOver(limit time.Duration) {
	var expired <-chan time.Time
	if limit > 0 {
		t := time.NewTimer(limit)
		defer t.Stop()
		expired = t.C
	}
	select {
	case <-s.over:
	case <-s.options.Channel.TornDown():
	case <-expired:
		s.Abort(false)
		<-s.over
	}
}

// Abort closes TCP at once, with FIN or RST. Run notices.
func (s *Stream) Abort(reset bool) {
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

// SendText sends a text frame.
func (s *Stream) SendText(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open {
		s.writeText(text)
	}
}

// writeText needs s.mu.
func (s *Stream) writeText(text string) {
	s.report.Texts = append(s.report.Texts, text)
	s.frame(opText, []byte(text))
}

// Pause stops and resumes the audio; what is spoken meanwhile is lost (F40).
func (s *Stream) Pause(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paused == on {
		return
	}
	now := time.Now()
	s.pump(now, true)
	s.paused = on
	s.endPart()
	s.next = max(s.next, s.options.Channel.Position(now))
	s.begin = s.next
}
