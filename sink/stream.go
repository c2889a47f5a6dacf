package sink

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap"

	"tapdeck/sink/track"
)

const (
	// readBytes is how much of a message is read at a time.
	readBytes = 2 << 10
	// maxMessageBytes bounds a message, unless two seconds of audio are more.
	maxMessageBytes = 64 << 10
	maxMessageTime  = 2 * time.Second

	// Text frames beyond one of these bounds are dropped and counted.
	maxMetadata      = 32       // frames of a recording
	maxMetadataBytes = 8 << 10  // of one, which is cut
	maxMetadataTotal = 16 << 10 // bytes of all frames of a recording

	// closeTimeout bounds the close handshake: the switch waits for the end of the TCP
	// connection (F41, F42), so it must come.
	closeTimeout = time.Second
)

// stream is one socket of a recording. Its goroutine is the HTTP handler's; only its
// handle is touched by others.
type stream struct {
	handle
	rec *Recording
	ws  *websocket.Conn

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
	synced    time.Time
	raw       int64 // bytes read
	audio     int64 // bytes of audio
	secondRaw int64 // both at the beginning of this second
	secondPCM int64
	second    time.Time
	noise     int // text and control frames in this second
	own       End // why the stream itself wants to end

	track *track.Track
}

// serve is the whole life of a socket, after its upgrade.
func (s *stream) serve() {
	s.now = time.Now()
	s.connected, s.lastFrame, s.flushed, s.synced, s.second = s.now, s.now, s.now, s.now, s.now
	s.pause = time.NewTimer(time.Hour)
	defer s.pause.Stop()
	s.ws.SetReadLimit(max(maxMessageBytes, int64(s.rec.format.ByteRate())*int64(maxMessageTime/time.Second)))
	s.begin()
	end := EndPanic
	s.guard(func() {
		s.track = s.rec.open()
		s.track.Connect(s.now)
		s.rec.listen()
		s.conn.reader, s.conn.read = newReader(s.conn.Conn), s.readConn
		end = s.close(s.endOf(s.run()))
	})
	_ = s.ws.CloseNow()
	s.awaitSender()
	if s.track != nil && s.track.WrongRate() && (end == EndClosed || end == EndDisconnected) {
		end = EndWrongRate
	}
	s.finish(end)
}

func (s *stream) begin() {
	r := s.rec
	r.metrics.live.Inc()
	r.metrics.accepted.Inc()
	s.openSender(s.ws)
	r.update(func(st *State) {
		st.Connections++
		st.Live = true
		if st.ConnectedAt.IsZero() {
			st.ConnectedAt = s.connected
		}
	})
	r.log.Debug("stream connected", zap.String("peer", s.conn.RemoteAddr().String()))
}

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

// readAudio reads one binary message. A frame that is split between two messages is
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
		s.accept(n)
	}
	s.track.Message(size)
	return nil
}

func (s *stream) accept(n int) {
	if n == 0 {
		return
	}
	if s.audio == 0 {
		s.rec.metrics.firstAudio.Observe(s.now.Sub(s.connected).Seconds())
		s.rec.update(func(st *State) {
			if st.FirstAudioAt.IsZero() {
				st.FirstAudioAt = s.now
			}
		})
	}
	s.audio += int64(n)
	s.lastFrame = s.now
	n += s.rest
	whole := n - n%s.rec.format.FrameBytes()
	if whole > 0 {
		pcm := s.buf[:whole]
		tapped := s.rec.taps.Load()
		s.track.SetLive(tapped.live())
		s.track.WatchTalk(tapped != nil)
		s.fail(s.track.Audio(pcm, s.now))
	}
	s.rest = copy(s.buf, s.buf[whole:n])
}

// readText reads one text message: metadata, or what uuid_audio_stream send_text sent. Once
// one is dropped, so are all that follow.
func (s *stream) readText(from io.Reader) error {
	s.countNoise()
	text, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	r := s.rec
	if r.dropped > 0 || len(r.metadata) >= maxMetadata {
		r.dropped++
		return nil
	}
	valid := strings.ToValidUTF8(string(text[:min(len(text), maxMetadataBytes)]), "\uFFFD")
	if r.metadataBytes+len(valid) > maxMetadataTotal {
		r.dropped++
		return nil
	}
	r.metadata = append(r.metadata, valid)
	r.metadataBytes += len(valid)
	return nil
}

func (s *stream) ping(context.Context, []byte) bool {
	s.countNoise()
	return s.own == "" && !s.stuck() // else the pong would wait behind what the switch does not read
}

func (s *stream) endOf(err error) End {
	asked := s.asked.Load()
	switch {
	case websocket.CloseStatus(err) != -1:
		return EndClosed
	case s.own != "":
		return s.own
	case errors.Is(err, errClosing) && asked != nil:
		return *asked
	case errors.Is(err, websocket.ErrMessageTooBig):
		return EndTooBig
	case s.broken || errors.Is(err, net.ErrClosed):
		return EndDropped
	}
	return EndProtocol
}

func (s *stream) close(why End) End {
	s.closing = true
	s.closeSender(true)
	_ = s.conn.SetDeadline(time.Now().Add(closeTimeout))
	if e := closeReasons[why]; e.status != 0 {
		_ = s.ws.Close(e.status, e.text)
	}
	return why
}

// finish gives the recording back, for the next socket or Finish.
func (s *stream) finish(end End) {
	defer close(s.done) // whatever panics, as Finish waits for it
	r := s.rec
	if s.track != nil {
		s.guard(func() { // what is left of the socket's audio
			r.mu.Lock()
			s.track.CallEnded(r.ended)
			r.mu.Unlock()
			s.fail(s.track.Disconnect(s.now, end.inOrder()))
			if !s.syncAt().IsZero() { // the next socket may be far
				s.sync()
			}
			if !r.stopping.Load() { // else the call's end is near, or Note sees to it
				r.updateSidecar()
				s.fail(s.track.Flush())
			}
			r.wakeReaders()
			r.observe()
			r.metrics.audio.Add(float64(s.audio - s.secondPCM))
		})
	}
	r.level.Store(math.Float64bits(track.FloorDBFS))
	r.metrics.live.Dec()
	r.metrics.ended.WithLabelValues(string(end)).Inc()
	s.logEnd(end)
	r.update(func(st *State) {
		r.live, r.gone = nil, s.now
		st.Live, st.WrongRate, st.LastEnd = false, false, end
	})
}

// fail ends the stream if err says that its file can't be written. No further socket is
// accepted then.
func (s *stream) fail(err error) {
	if err == nil || s.own != "" {
		return
	}
	s.stop(EndDisk)
	s.rec.fail(err)
}

func (s *stream) logEnd(end End) {
	log := s.rec.log.With(zap.String("cause", string(end)), zap.Int64("dur_ms", s.now.Sub(s.connected).Milliseconds()))
	hint := closeReasons[end].hint
	if hint == "" || (end == EndDropped && s.rec.stopping.Load()) {
		log.Debug("stream ended")
		return
	}
	log.Warn("stream ended abnormally", zap.String("hint", hint))
}

// guard does something whose panic ends this stream alone.
func (s *stream) guard(do func()) {
	_ = recoverPanic(s.rec.log, "stream panicked", hintPanic, func() error { do(); return nil })
}
