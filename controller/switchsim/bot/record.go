package bot

import (
	"net/http"
	"slices"
	"time"

	"github.com/coder/websocket"
)

// What a session keeps of each kind at most; later ones are only counted.
const (
	maxKept     = 10_000
	maxAudio    = 16 << 20 // bytes
	maxProblems = 100
)

// Frame is one message of the caller's audio.
type Frame struct {
	// At is when it came, Timestamp what it says of its begin: ms since the stream's start, or, on the
	// pcm wire, the audio that came before it.
	At        time.Time
	Timestamp time.Duration
	// Bytes are its size as 16-bit PCM.
	Bytes int
}

// Message is any other message of the daemon. Text is a digit, a mark's name, or a reason; Flag is
// speech's speaking, and cleared of a mark on the pcm wire.
type Message struct {
	At   time.Time
	Kind Kind
	Text string
	Flag bool
}

// Sent is what the bot has sent. Bytes are the size as PCM of KindMedia, and on the wire of "raw".
type Sent struct {
	At    time.Time
	Kind  Kind
	Text  string
	Bytes int
	pcm   []byte
}

// Counts are the numbers of a session.
type Counts struct {
	// Frames of the caller and their bytes as PCM; what the bot said, in messages and bytes; the marks
	// that it sent, and those that came back.
	Frames, FrameBytes, Said, SaidBytes, Marks, MarksBack int
	// FirstFrame, LastFrame are when they came.
	FirstFrame, LastFrame time.Time
	// Silences are how often more than 60 ms passed between two frames, Longest the longest such time.
	Silences int
	Longest  time.Duration
}

// End is how a connection ended. Code is -1 if there was no close frame.
type End struct {
	At   time.Time
	Code websocket.StatusCode
	Err  error
}

// record is what a session keeps. The session's mutex protects it.
type record struct {
	counts   Counts
	frames   []Frame
	messages []Message
	sends    []Sent
	heard    []byte
	said     []byte
	marks    []string // sent and not back
	stopped  bool
	problems []string
	end      End
}

// media is a frame of audio. pcm may be shorter than n if it is only counted.
func (r *record) media(now time.Time, m incoming, n int, count bool) {
	c := &r.counts
	const late = 60 * time.Millisecond
	if d := now.Sub(c.LastFrame); c.Frames > 0 && d > late {
		c.Silences++
		c.Longest = max(c.Longest, d)
	}
	if c.Frames == 0 {
		c.FirstFrame = now
	}
	c.Frames++
	c.FrameBytes += n
	c.LastFrame = now
	if count {
		return
	}
	if len(r.frames) < maxAudio/320 {
		r.frames = append(r.frames, Frame{At: now, Timestamp: m.at, Bytes: n})
	}
	if len(r.heard)+n <= maxAudio {
		r.heard = append(r.heard, m.pcm...)
	}
}

// message is any other one.
func (r *record) message(now time.Time, m incoming, complain func(string, ...any)) {
	if r.stopped {
		complain("%s after stop", m.kind)
	}
	r.stopped = r.stopped || m.kind == KindStop
	if m.kind == KindMark {
		r.counts.MarksBack++
		if len(r.marks) == 0 || r.marks[0] != m.text {
			complain("mark %q came back, %d wait: %.3q", m.text, len(r.marks), r.marks[:min(len(r.marks), 3)])
		} else {
			r.marks = r.marks[1:]
		}
	}
	if len(r.messages) < maxKept {
		r.messages = append(r.messages, Message{At: now, Kind: m.kind, Text: m.text, Flag: m.flag})
	}
}

func (r *record) sent(s Sent, count bool) {
	switch s.Kind {
	case KindMedia:
		r.counts.Said++
		r.counts.SaidBytes += s.Bytes
		if !count && len(r.said)+len(s.pcm) <= maxAudio {
			r.said = append(r.said, s.pcm...)
		}
	case KindMark:
		r.counts.Marks++
		r.marks = append(r.marks, s.Text)
	}
	s.pcm = nil
	if !count && len(r.sends) < maxKept {
		r.sends = append(r.sends, s)
	}
}

func read[T any](s *Session, f func(r *record) T) T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f(&s.record)
}

// Call is what the daemon said of the call.
func (s *Session) Call() Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.start
}

// Header is that of the handshake.
func (s *Session) Header() http.Header { return s.request.Header }

// Counts are the session's numbers so far.
func (s *Session) Counts() Counts { return read(s, func(r *record) Counts { return r.counts }) }

// Heard is the caller's audio so far, as PCM at Call().Rate.
func (s *Session) Heard() []byte {
	return read(s, func(r *record) []byte { return slices.Clone(r.heard) })
}

// Said is what the bot has said so far, as PCM: what a caller hears who misses nothing. On the twilio wire it
// has gone through µ-law.
func (s *Session) Said() []byte {
	return read(s, func(r *record) []byte { return slices.Clone(r.said) })
}

// Frames are the messages with the caller's audio.
func (s *Session) Frames() []Frame {
	return read(s, func(r *record) []Frame { return slices.Clone(r.frames) })
}

// Messages are all others of the daemon.
func (s *Session) Messages() []Message {
	return read(s, func(r *record) []Message { return slices.Clone(r.messages) })
}

// Sent is what the bot has sent.
func (s *Session) Sent() []Sent {
	return read(s, func(r *record) []Sent { return slices.Clone(r.sends) })
}

// Pending are the marks that have not come back, in order.
func (s *Session) Pending() []string {
	return read(s, func(r *record) []string { return slices.Clone(r.marks) })
}

// Stopped says whether the daemon has said stop.
func (s *Session) Stopped() bool { return read(s, func(r *record) bool { return r.stopped }) }

// Problems are what the daemon sent against the rules of the wire; nil is what a test wants.
func (s *Session) Problems() []string {
	return read(s, func(r *record) []string { return slices.Clone(r.problems) })
}

// End is how the connection ended; its At is zero before that.
func (s *Session) End() End { return read(s, func(r *record) End { return r.end }) }
