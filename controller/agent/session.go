package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"tapdeck/controller/dialer"
	"tapdeck/controller/pcm"

	"go.uber.org/zap"
)

// stopTimeout bounds what is still done when the session is told to stop.
const stopTimeout = time.Second

// Session is one call's conversation with a bot. Its methods are safe for concurrent use, and none
// but Stop waits.
type Session struct {
	config  Config
	target  dialer.Target
	ear     pcm.Ear
	mouth   Mouth
	dialer  dialer.Connect // nil, but in tests
	log     *zap.Logger
	metrics *Metrics
	shared  shared
	events  events
	notices *notices

	decided  atomic.Bool        // the bot has asked for the end: it need not come back
	cancel   context.CancelFunc // of dialling
	stopping chan struct{}      // closed by Stop
	done     chan struct{}      // closed when all goroutines have ended

	mu         sync.Mutex // protects the following
	stopped    bool
	reason     string
	connection *connection // nil if there is none
}

// Start dials the bot in a goroutine of the session's own, which gives the ear back at its end.
// The end of ctx is a Stop; Stop must be called in any case. m may be nil.
func Start(ctx context.Context, c Config, ear pcm.Ear, mouth Mouth, log *zap.Logger, m *Metrics) *Session {
	return start(ctx, c, ear, mouth, log, m, nil)
}

func start(ctx context.Context, c Config, ear pcm.Ear, mouth Mouth, log *zap.Logger, m *Metrics, d dialer.Connect) *Session {
	if m == nil {
		m = NewMetrics(nil)
	}
	s := &Session{
		config: c, target: c.target(), ear: ear, mouth: mouth, dialer: d, log: log, metrics: m,
		events: events{c: make(chan Event, maxEvents)}, notices: newNotices(),
		stopping: make(chan struct{}), done: make(chan struct{}),
	}
	ctx, s.cancel = context.WithCancel(ctx)
	m.Sessions.Inc()
	go s.run(ctx)
	return s
}

// Events are what the call should know. The channel is never closed; Ended or Failed is the last event of
// a session that was not stopped and whose bot has not asked for HangUp or Transfer. An event that finds no room is dropped: a request of the bot is a wrong message then.
func (s *Session) Events() <-chan Event { return s.events.c }

// State is what has happened so far.
func (s *Session) State() State { return s.shared.load() }

// Digit tells the bot that the caller has pressed a key. A bot that is not there is told later.
func (s *Session) Digit(digit string, at time.Duration) {
	s.notices.add(notice{kind: noticeDigit, text: digit, at: at})
}

// Speech tells the bot that the caller begins to speak or has stopped (pcm).
func (s *Session) Speech(speaking bool, at time.Duration) {
	s.tell(notice{kind: noticeSpeech, on: speaking, at: at})
}

// BargeIn tells the bot that the mouth was cleared because the caller spoke (pcm): whoever has cleared
// it calls this afterwards. A bot of the twilio wire sees it by its marks, which come back.
func (s *Session) BargeIn(at time.Duration) {
	s.shared.update(func(st *State) { st.BargeIns++ })
	s.tell(notice{kind: noticeCleared, text: "barge_in", at: at})
}

// tell is for a bot that is there now; it would mean nothing to one that comes later.
func (s *Session) tell(n notice) {
	s.mu.Lock()
	n.of = s.connection
	s.mu.Unlock()
	if n.of != nil {
		s.notices.add(n)
	}
}

// Stop says stop to the bot, closes the connection, and waits until all has ended, a second at most. The
// reason is told to bots of the pcm wire. Calls after the first one only wait.
func (s *Session) Stop(reason string) {
	s.stop(reason)
	timeout := time.NewTimer(stopTimeout + stopTimeout/10)
	defer timeout.Stop()
	select {
	case <-s.done:
	case <-timeout.C: // a goroutine is held up by the mouth or the ear
	}
}

func (s *Session) stop(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	s.stopped, s.reason = true, reason
	close(s.stopping)
	s.cancel()
	if s.connection != nil {
		s.connection.Expire(stopTimeout)
	}
}

// run is the session's goroutine.
func (s *Session) run(ctx context.Context) {
	defer close(s.done)
	defer s.metrics.Sessions.Dec()
	defer s.ear.Close()
	defer s.cancel()
	end := func() { s.stop(context.Cause(ctx).Error()) }
	defer context.AfterFunc(ctx, end)()
	if err := s.guarded(func() error { s.converse(ctx); return nil }); err != nil {
		s.emit(Event{Kind: Failed, Err: s.target.Redact(err), Text: hintReport})
	}
}

// converse connects with the bot, again and again if it is lost, until it ends the conversation, it is
// lost for good, or the session is told to stop.
func (s *Session) converse(ctx context.Context) {
	var backoff dialer.Backoff
	for {
		lasted, err := s.connect(ctx)
		if ctx.Err() != nil || s.isStopped() || s.decided.Load() {
			return
		}
		if err == nil {
			s.emit(Event{Kind: Ended})
			return
		}
		attempt, pause := backoff.Next(lasted)
		todo := s.hintOf(err)
		err = s.target.Redact(err)
		if attempt > s.config.Reconnect || errors.Is(err, errPanic) {
			s.emit(Event{Kind: Failed, Err: err, Text: todo})
			return
		}
		if !s.pause(attempt, pause, err, todo) {
			return
		}
	}
}

// pause waits before the bot is dialled again. It returns false if the session was told to stop.
func (s *Session) pause(attempt int, pause time.Duration, err error, todo string) bool {
	s.log.Warn("agent lost", zap.String("bot", dialer.WithoutSecrets(s.config.URL)), zap.NamedError("err", err), hint(todo),
		zap.Int("reconnect", attempt), zap.Int("reconnects", s.config.Reconnect), zap.Int64("pause_ms", pause.Milliseconds()), ratelog(s.config.Call.ID))
	s.emit(Event{Kind: Lost, Err: err, Text: todo})
	if !dialer.Pause(pause, s.stopping) {
		return false
	}
	s.metrics.Reconnects.Inc()
	return true
}

// connect is one connection from its begin to its end. The error is nil if the bot has closed it.
func (s *Session) connect(ctx context.Context) (lasted time.Duration, err error) {
	began := time.Now()
	conn, err := s.target.Open(ctx, s.dialer, dialer.Owner{
		Stopping: s.stopping, GoneTimeout: goneTimeout, OnlyFrames: func() { s.wrong(&wrong{kind: wrongFrames}) },
	})
	if err != nil {
		return 0, err
	}
	c := newConnection(s, conn)
	if !s.use(c, time.Since(began)) {
		c.Drop()
		return 0, nil
	}
	defer s.unuse()
	connected := time.Now()
	err = c.serve()
	return time.Since(connected), err
}

// use makes c the connection that is told what happens. It returns false if the session was told to stop.
func (s *Session) use(c *connection, took time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.connection = c
	now := time.Now()
	var connects int
	s.shared.update(func(st *State) {
		st.Connects++
		if connects = st.Connects; connects > 1 { // a bot that closes as one does is not dialled again
			st.Reconnects++
		}
		st.Connected = true
		if st.FirstConnected.IsZero() {
			st.FirstConnected = now
		}
	})
	s.metrics.Connect.Observe(took.Seconds())
	fields := []zap.Field{
		zap.String("bot", dialer.WithoutSecrets(s.config.URL)), zap.String("format", string(s.config.Format)),
		zap.Int("connects", connects), zap.Int64("took_ms", took.Milliseconds()), ratelog(s.config.Call.ID),
	}
	if sid := c.streamSID(); sid != "" {
		fields = append(fields, zap.String("stream_sid", sid))
	}
	s.log.Info("agent connected", fields...)
	s.emit(Event{Kind: Connected})
	return true
}

func (s *Session) unuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connection = nil
	s.shared.update(func(st *State) { st.Connected = false })
}

func (s *Session) isStopped() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

func (s *Session) stopReason() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

// emit gives the call an event, and returns false if there is no room for it.
func (s *Session) emit(e Event) bool {
	e.At = time.Now()
	return s.events.add(e)
}

// dropped counts audio that the bot was too slow for.
func (s *Session) dropped(d time.Duration) {
	s.shared.update(func(st *State) { st.Dropped += d })
	s.metrics.dropped.Add(d.Seconds())
}

// wrong counts a message that is not as it should be, and says so.
func (s *Session) wrong(w *wrong) {
	s.shared.update(func(st *State) {
		if st.Wrong == nil {
			st.Wrong = map[string]int{}
		}
		st.Wrong[string(w.kind)]++
	})
	s.metrics.Wrong.WithLabelValues(string(w.kind)).Inc()
	err := s.target.Redact(w)
	s.log.Warn("wrong message of an agent", zap.String("cause", string(w.kind)), zap.NamedError("err", err), hint(wrongHints[w.kind]), ratelog(s.config.Call.ID+" "+string(w.kind)))
	s.emit(Event{Kind: BadMessage, Err: err})
}

// guarded makes a panic an error: it ends this conversation and nothing else.
func (s *Session) guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanic, p)
			s.log.Error("agent panicked", zap.NamedError("err", s.target.Redact(err)), zap.Stack("stack"), hint(hintReport))
		}
	}()
	return f()
}
