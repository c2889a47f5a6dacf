package transcript

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/dialer"
	"tapdeck/controller/pcm"
)

// stopTimeout bounds what is still done when the session is told to stop.
const stopTimeout = time.Second

// Session is one recording's transcription. Its methods are safe for concurrent use, and none but Stop
// waits.
type Session struct {
	config  Config
	target  dialer.Target
	connect dialer.Connect
	source  *source // of the session's goroutine
	log     *zap.Logger
	metrics *Metrics

	cancel   context.CancelFunc // of dialling
	changed  chan struct{}
	stopping chan struct{} // closed by Stop
	done     chan struct{} // closed when all goroutines have ended

	mu         sync.Mutex // protects the following
	state      State
	answered   int64 // frames of audio, for good
	news       []Segment
	spoke      bool            // a message was as it should be
	interim    []*Segment      // of each channel
	final      []time.Duration // … where its final words end
	stopped    bool
	connection *connection // nil if there is none
}

// Start dials the service in a goroutine of the session's own, which gives the ear back at its end. Once
// the ear has ended, the last words are asked for, and the session ends by itself. Stop must be called in
// any case. m may be nil.
func Start(c Config, ear pcm.Ear, log *zap.Logger, m *Metrics) *Session {
	return start(c, ear, log, m, nil)
}

func start(c Config, ear pcm.Ear, log *zap.Logger, m *Metrics, connect dialer.Connect) *Session {
	if m == nil {
		m = NewMetrics(nil)
	}
	s := &Session{
		config: c, target: c.target(), connect: connect, source: &source{config: c, ear: ear}, log: log, metrics: m,
		changed: make(chan struct{}, 1), stopping: make(chan struct{}), done: make(chan struct{}), interim: make([]*Segment, len(c.Channels)), final: make([]time.Duration, len(c.Channels)),
	}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	m.Sessions.Inc()
	go s.run(ctx)
	return s
}

// Changed delivers a value after there are News, or State has changed; capacity 1.
func (s *Session) Changed() <-chan struct{} { return s.changed }

// Done is closed when the session has ended: there are no News any more but those that wait.
func (s *Session) Done() <-chan struct{} { return s.done }

// Stop ends the session, whatever is still to come, and waits until all has ended, a second at most. State's
// Missing is final then. A service that is connected has not answered in time.
func (s *Session) Stop() {
	s.mu.Lock()
	if !s.stopped {
		s.stopped = true
		close(s.stopping)
		s.cancel()
		if s.connection != nil {
			s.connection.Expire(stopTimeout)
		}
	}
	s.mu.Unlock()
	timeout := time.NewTimer(stopTimeout + stopTimeout/10)
	defer timeout.Stop()
	select {
	case <-s.done:
	case <-timeout.C: // a goroutine is held up by the ear
	}
}

// run is the session's goroutine.
func (s *Session) run(ctx context.Context) {
	defer close(s.done)
	defer s.metrics.Sessions.Dec()
	defer s.cancel()
	err := s.guarded(func() error { return s.transcribe(ctx) })
	if err != nil {
		s.giveUp(err)
	}
	_ = s.guarded(func() error { s.conclude(); return nil })
	signal(s.changed)
}

// conclude counts what the service has not answered.
func (s *Session) conclude() {
	defer s.source.ear.Close()
	s.source.drain()
	state := s.State()
	s.metrics.missing.Add(state.Missing.Seconds())
	if state.Missing > 0 && state.Err == nil && !s.isStopped() {
		s.noteLoss(errDropped)
	}
}

// giveUp has the service not be dialled any more. What still comes of the recording is only counted.
func (s *Session) giveUp(err error) {
	s.noteLoss(err)
	s.update(func(st *State) { st.GivenUp = true })
	signal(s.changed)
	s.metrics.failures.Inc()
	_ = s.guarded(func() error { s.source.countOnly(s.stopping); return nil })
}

// transcribe connects with the service, again and again if it is lost, until the recording has ended
// and is answered, or the session is told to stop. Its error is why the service is lost for good.
func (s *Session) transcribe(ctx context.Context) error {
	var backoff dialer.Backoff
	for {
		lasted, err := s.connectOnce(ctx)
		switch {
		case err == nil:
			return nil
		case s.isStopped():
			if lasted > 0 {
				s.noteLoss(s.withFormat(errNoEnd))
			}
			return nil
		case errors.Is(err, errNoEnd), errors.Is(err, errUnanswered): // what it says next would be no better
			s.noteLoss(err)
			return nil
		case errors.Is(err, errPanic), errors.Is(err, errRecording), isRefused(err):
			return err
		case errors.Is(err, errFormat) && s.State().Connects > 1:
			return err
		}
		attempt, pause := backoff.Next(lasted)
		if attempt > s.config.Reconnect {
			return err
		}
		if !s.pause(attempt, pause, err) {
			return nil
		}
	}
}

// speaksOtherwise says that the service has sent nothing but wrong messages, over two connections or many.
func (s *Session) speaksOtherwise() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	wrong := s.state.WrongMessages
	return !s.spoke && (wrong > 1 && s.state.Connects > 1 || wrong >= manyWrong)
}

// manyWrong is how many messages of one connection tell what a service does not speak.
const manyWrong = 10

// withFormat is err, behind what is more to the point if the service speaks another wire.
func (s *Session) withFormat(err error) error {
	if s.speaksOtherwise() {
		return fmt.Errorf("%w: %w", errFormat, err)
	}
	return err
}

// isRefused says that the service will not change its mind: the key, the address or a parameter is wrong.
func isRefused(err error) bool {
	refused, is := errors.AsType[*dialer.RefusalError](err)
	if !is {
		return false
	}
	switch refused.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return refused.Status >= 300 && refused.Status < 500
}

// pause waits before the service is dialled again. It returns false if the session was told to stop.
func (s *Session) pause(attempt int, pause time.Duration, err error) bool {
	todo, err := s.noteLoss(err)
	s.log.Warn("transcriber lost", s.service(), zap.NamedError("err", err), hint(todo),
		zap.Int("reconnect", attempt), zap.Int("reconnects", s.config.Reconnect), zap.Int64("pause_ms", pause.Milliseconds()), ratelog(s.config.Call))
	if !dialer.Pause(pause, s.stopping) {
		return false
	}
	s.metrics.Reconnects.Inc()
	return true
}

// noteLoss keeps why the service was lost.
func (s *Session) noteLoss(err error) (todo string, shown error) {
	todo, shown = s.hintOf(err), s.target.Redact(err)
	s.update(func(st *State) { st.Err, st.Hint = shown, todo })
	return todo, shown
}

func (s *Session) service() zap.Field {
	return zap.String("service", dialer.WithoutSecrets(s.config.URL))
}

// connectOnce is one connection from its start to its end. The error is nil if all is answered.
func (s *Session) connectOnce(ctx context.Context) (lasted time.Duration, err error) {
	began := time.Now()
	conn, err := s.target.Open(ctx, s.connect, dialer.Owner{
		Stopping: s.stopping, GoneTimeout: stopTimeout, OnlyFrames: func() { s.countWrong(&wrong{kind: wrongFrames}) },
	})
	if err != nil {
		return 0, err
	}
	c := newConnection(s, conn)
	if !s.setConnection(c, time.Since(began)) {
		c.Drop()
		return 0, nil
	}
	connected := time.Now()
	if err = c.serve(); err != nil {
		err = s.withFormat(err)
	}
	s.clearConnection(c)
	return time.Since(connected), err
}

// setConnection makes c the connection. It returns false if the session was told to stop.
func (s *Session) setConnection(c *connection, took time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.connection = c
	s.state.Connected = true
	if s.state.Connects++; s.state.Connects > 1 {
		s.state.Reconnects++
	}
	s.metrics.Connect.Observe(took.Seconds())
	s.log.Info("transcriber connected", s.service(), zap.String("format", s.config.Format),
		zap.Int("connects", s.state.Connects), zap.Int64("took_ms", took.Milliseconds()), ratelog(s.config.Call))
	signal(s.changed)
	return true
}

// clearConnection keeps what the connection has not answered, to be sent again.
func (s *Session) clearConnection(c *connection) {
	c.withdraw()
	again, frames := c.pending.remaining()
	s.source.sendAgain(again)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered += frames
	s.connection = nil
	s.state.Connected = false
}

func (s *Session) isStopped() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

// noteAnswered counts audio that is answered for good.
func (s *Session) noteAnswered(frames int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered += frames
}

// countWrong counts a message that is not as it should be, and logs it.
func (s *Session) countWrong(w *wrong) {
	s.update(func(st *State) { st.WrongMessages++ })
	s.metrics.Wrong.WithLabelValues(string(w.kind)).Inc()
	s.log.Warn("wrong message of a transcriber", zap.String("cause", string(w.kind)), zap.NamedError("err", s.target.Redact(w)),
		hint(wrongHints[w.kind]), ratelog(s.config.Call+" "+string(w.kind)))
}

// guarded makes a panic an error: it ends this transcription and nothing else.
func (s *Session) guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanic, p)
			s.log.Error("transcription panicked", zap.NamedError("err", s.target.Redact(err)), zap.Stack("stack"), hint(hintReport))
		}
	}()
	return f()
}
