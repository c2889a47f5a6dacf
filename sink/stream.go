package sink

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap"
)

const (
	// readBytes is how much of a message is taken at a time.
	readBytes = 2 << 10
	// maxMessageBytes bounds a message, where two seconds of audio are not more.
	maxMessageBytes = 64 << 10
	maxMessageTime  = 2 * time.Second
	// waitedFor is the time after which a read has waited for its bytes.
	waitedFor = time.Millisecond
	// Text and control frames beyond this many a second are a flood, and so are
	// bytes that are no audio beyond this many, and beyond the audio that came.
	maxNoise      = 100
	maxNoiseBytes = 128 << 10
)

// errEnding is what a read returns once the sink wants the socket to end; the
// stream's ending says why.
var errEnding = errors.New("stream is ending")

// stream is one socket of a recording. Its goroutine is the HTTP handler's; only what
// is said to be is touched by others.
type stream struct {
	rec  *Recording
	conn *conn
	ws   *websocket.Conn

	// For other goroutines.
	done  chan struct{}          // closed when the socket and its goroutine's work are over
	asked atomic.Pointer[ending] // the first wish to end it
	hurry atomic.Bool            // reads wait for nothing any more
	wake  chan struct{}          // ends a wait between two reads

	// Read state.
	now      time.Time // when the last read or wait was over
	drained  bool      // the last read left nothing behind
	lowWater int       // bytes below which the kernel wakes nobody; 0 is any
	deadline time.Time // the connection's; zero if unknown
	pause    *time.Timer
	closing  bool      // the close handshake reads as it likes
	askedAt  time.Time // when the goroutine saw asked
	broken   bool      // the connection is over

	// Message state.
	buf  []byte
	rest int // bytes of an incomplete frame at the start of buf

	// Limits.
	connected time.Time
	lastFrame time.Time
	flushed   time.Time
	raw       int64 // bytes read
	audio     int64 // bytes of audio
	secondRaw int64 // both at the beginning of this second
	secondPCM int64
	second    time.Time
	noise     int     // text and control frames in this second
	own       *ending // why the stream itself wants to end

	take *take // nil until the file is there
}

func newStream(rec *Recording, c *conn) *stream {
	return &stream{
		rec: rec, conn: c,
		done: make(chan struct{}),
		wake: make(chan struct{}, 1),
		buf:  make([]byte, readBytes),
	}
}

// serve is the whole life of a socket, after its upgrade.
func (s *stream) serve(ws *websocket.Conn) {
	s.ws = ws
	s.now = time.Now()
	s.connected, s.lastFrame, s.flushed, s.second = s.now, s.now, s.now, s.now
	s.pause = time.NewTimer(time.Hour)
	defer s.pause.Stop()
	ws.SetReadLimit(max(maxMessageBytes, int64(s.rec.call.Format.ByteRate())*int64(maxMessageTime/time.Second)))
	s.rec.connected(s)
	e := ending{reason: EndPanic}
	defer func() {
		s.survive(recover())
		_ = ws.CloseNow()
		s.rec.detach(s, e)
	}()
	err := errEnding
	if s.take = s.open(); s.take != nil {
		s.conn.stream = s
		err = s.run()
	}
	e = s.end(err)
}

// survive tells of a panic, which ends this stream alone.
func (s *stream) survive(panicked any) {
	if panicked != nil {
		s.rec.log.Error("stream panicked", zap.Any("err", panicked), zap.Stack("stack"), zap.String("hint", hintPanic))
	}
}

// guard does something at the stream's end that must not keep the rest from being done.
func (s *stream) guard(do func()) {
	defer func() { s.survive(recover()) }()
	do()
}

// open returns the recording's take, with its file, or nil after a disk error.
func (s *stream) open() *take {
	t, err := s.rec.open()
	s.disk(err)
	if err != nil {
		return nil
	}
	t.connect(s.now)
	s.rec.listen(t)
	return t
}

// run reads until the socket ends.
func (s *stream) run() error {
	for {
		kind, r, err := s.ws.Reader(context.Background())
		if err != nil {
			return err
		}
		if kind == websocket.MessageBinary {
			err = s.readAudio(r)
		} else {
			err = s.readText(r)
		}
		if err != nil {
			return err
		}
		s.lastFrame = s.now
	}
}

// readAudio takes one binary message. A frame that is split between two messages is
// put together; what the socket's end leaves of one is dropped.
func (s *stream) readAudio(r io.Reader) error {
	size := 0
	for {
		n, err := r.Read(s.buf[s.rest:])
		if err == io.EOF {
			break
		}
		if err != nil {
			return err // what came of a payload that is cut is still masked: no audio
		}
		size += n
		s.takeBytes(n)
	}
	s.take.message(size)
	return nil
}

// takeBytes takes n new bytes of the buffer.
func (s *stream) takeBytes(n int) {
	if n == 0 {
		return
	}
	if s.audio == 0 {
		s.rec.firstAudio(s)
	}
	s.audio += int64(n)
	s.lastFrame = s.now
	frame := s.rec.call.Format.FrameBytes()
	n += s.rest
	whole := n - n%frame
	if whole > 0 {
		pcm := s.buf[:whole]
		s.disk(s.take.audio(pcm, s.now))
		if c := s.rec.call.Consumer; c != nil {
			c.Audio(pcm)
		}
	}
	s.rest = copy(s.buf, s.buf[whole:n])
}

// readText takes one text message: metadata, or what uuid_audio_stream send_text sent.
func (s *stream) readText(r io.Reader) error {
	s.countNoise()
	text := make([]byte, 0, 512)
	for {
		n, err := r.Read(s.buf[s.rest:])
		keep := min(n, maxMetadataBytes-len(text))
		text = append(text, s.buf[s.rest:][:keep]...)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	s.take.text(text)
	return nil
}

func (s *stream) ping(context.Context, []byte) bool {
	s.countNoise()
	return s.own == nil
}

func (s *stream) pong(context.Context, []byte) { s.countNoise() }

func (s *stream) countNoise() {
	s.lastFrame = s.now
	if s.noise++; s.noise > maxNoise {
		s.stop(flooded())
	}
}

// stop notes why the stream wants to end; the next read sees it.
func (s *stream) stop(e ending) {
	if s.own == nil {
		s.own = &e
	}
}

// disk ends the stream if err says that its file can't be written.
func (s *stream) disk(err error) {
	if err == nil || s.own != nil {
		return
	}
	s.stop(ending{reason: EndDisk, text: "disk error", status: websocket.StatusInternalError})
	s.rec.fail(err)
}
