package bot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Session is one connection of a daemon, most often one call's. It stays readable after its end.
type Session struct {
	bot     *Bot
	ws      *websocket.Conn
	conn    *connection
	codec   codec
	request *http.Request
	hooks   Hooks
	count   bool               // audio is only counted
	ctx     context.Context    // of its goroutines; ends with it
	cancel  context.CancelFunc // ends it
	running sync.WaitGroup     // Run and Attack

	writing sync.Mutex // keeps what is sent and what is noted of it in one order

	mu     sync.Mutex
	start  Call
	record record
}

func newSession(b *Bot, ws *websocket.Conn, conn *connection, r *http.Request) *Session {
	s := &Session{bot: b, ws: ws, conn: conn, codec: newCodec(b.o.Format), request: r}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	ws.SetReadLimit(maxMessage)
	return s
}

// maxMessage is the size in bytes that a bot accepts.
const maxMessage = 1 << 20

// run reads until the connection ends.
func (s *Session) run() {
	defer s.running.Wait()
	defer s.cancel()
	defer func() { _ = s.ws.CloseNow() }()
	if s.conn.fault.Deaf {
		<-s.bot.closed
		return
	}
	var b []byte
	for {
		kind, r, err := s.ws.Reader(context.Background()) // CloseNow ends it
		if err == nil {
			b, err = readAll(r, b[:0])
		}
		if err != nil {
			s.ended(err)
			return
		}
		if !s.receive(kind, b) {
			<-s.bot.closed // a bot that never closes
			return
		}
		if !s.pause(s.conn.fault.ReadPause) {
			return
		}
	}
}

// readAll is io.ReadAll into a buffer that is used again.
func readAll(r io.Reader, b []byte) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// receive is one message; false if the bot reads no more, as its fault says.
func (s *Session) receive(kind websocket.MessageType, b []byte) bool {
	now := time.Now()
	if s.count {
		if n, ok := s.codec.skim(kind, b); ok {
			s.note(func(r *record) { r.media(now, incoming{}, n, true) })
			s.attack()
			return true
		}
	}
	m := s.codec.decode(kind, b, s.complain)
	switch m.kind {
	case "":
		return true
	case KindStart:
		s.begin(m.start, now)
	case KindMedia:
		s.note(func(r *record) { r.media(now, m, len(m.pcm), s.bot.o.Count) })
		s.attack()
	default:
		s.note(func(r *record) { r.message(now, m, s.complainLocked) })
	}
	s.call(m)
	return m.kind != KindStop || !s.conn.fault.NeverCloses
}

// begin is the start of the call: the behaviour's, too.
func (s *Session) begin(start *Call, now time.Time) {
	s.mu.Lock()
	s.start = *start
	s.record.messages = append(s.record.messages, Message{At: now, Kind: KindStart})
	s.mu.Unlock()
	s.bot.add(s)
	if s.bot.o.Rate != 0 && s.bot.o.Format == PCM {
		s.Raw(websocket.MessageText, marshal(map[string]any{"event": KindStart, "sample_rate": s.bot.o.Rate}))
	}
	if f := s.bot.o.Behaviour; f != nil {
		s.hooks = f(s)
	}
	s.count = s.bot.o.Count && s.hooks.Heard == nil
	if s.hooks.Run != nil {
		s.running.Go(s.hooks.Run)
	}
	if s.conn.fault.After == 0 {
		s.attack()
	}
}

// attack begins the fault's attack when enough of the caller has been heard.
func (s *Session) attack() {
	if f := &s.conn.fault; f.Attack != nil && s.Counts().Frames == f.After {
		s.running.Go(func() { f.Attack(s) })
	}
}

// call gives a message to its hook.
func (s *Session) call(m incoming) {
	switch h := &s.hooks; {
	case m.kind == KindMedia && h.Heard != nil:
		h.Heard(m.pcm)
	case m.kind == KindMark && h.Mark != nil:
		h.Mark(m.text)
	case m.kind == KindDTMF && h.Digit != nil:
		h.Digit(m.text)
	case m.kind == KindSpeech && h.Speech != nil:
		h.Speech(m.flag)
	case m.kind == KindClear && h.Cleared != nil:
		h.Cleared()
	}
}

// pause waits in real time; false if the session ended meanwhile.
func (s *Session) pause(d time.Duration) bool {
	if d == 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
	case <-s.bot.closed:
	}
	return false
}

// Sleep waits so long; false says that the session has ended.
func (s *Session) Sleep(d time.Duration) bool {
	return s.ctx.Err() == nil && s.pause(max(d, 1))
}

// Done is closed when the session has ended, but for hooks that still run.
func (s *Session) Done() <-chan struct{} { return s.ctx.Done() }

func (s *Session) note(f func(r *record)) {
	s.mu.Lock()
	f(&s.record)
	s.mu.Unlock()
}

func (s *Session) complain(format string, args ...any) {
	s.note(func(*record) { s.complainLocked(format, args...) })
}

func (s *Session) complainLocked(format string, args ...any) {
	if len(s.record.problems) < maxProblems {
		s.record.problems = append(s.record.problems, fmt.Sprintf(format, args...))
	}
}

// ended notes how the connection ended.
func (s *Session) ended(err error) {
	s.note(func(r *record) { r.end = End{At: time.Now(), Code: websocket.CloseStatus(err), Err: err} })
}
