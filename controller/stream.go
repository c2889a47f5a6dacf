package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
)

// streamPhase is how far a call's stream has come.
type streamPhase int

const (
	streamIdle       streamPhase = iota
	streamStarting               // start was sent, its job is not answered
	streamConnecting             // +OK came, the socket has not
	streamUp                     // the socket is open
	streamBackoff                // it dropped; a pause before it is brought back
	streamResetting              // stop was sent so that start is possible again
	streamFailed                 // for good
	streamFull                   // the recording reached its greatest length
	streamStopped                // the plan says so, or is over
)

// stream brings a call's audio stream up and keeps it up. It is moved by the
// call's goroutine: by the switch's answers and events, by the sink's changes,
// and by its own timer.
//
// "+OK" is not "connected": the switch answers it before it connects, even for a
// dead port (F35). So a stream is up once the socket is at the sink.
type stream struct {
	c         *call
	phase     streamPhase
	timer     *time.Timer // runs out when the phase has lasted its time
	job       string      // the API command whose answer is awaited
	first     time.Time   // when the first start was given; zero if none was
	begun     time.Time   // when the latest one was
	rate      int         // of the channel then, in Hz; 0 if that is not known
	deadline  time.Time   // of the first connection
	sockets   int         // connections at the sink that are accounted for
	restarts  int
	before    int    // restarts of the streams that earlier steps have started
	cause     error  // why it is being brought back
	causeHint string // what to do about cause; "" if the sink knows better
	failure   *callEnd

	firstAudioObserved bool

	wasUp           bool
	moduleConnected bool // mod_audio_stream says that it has connected, to whatever server
	forgotten       bool // a socket that is still open is one that the switch forgot (F37)
	hopeless        bool // there is no use in bringing it back
	cleared         bool // stop was given because the first start was refused
	reopened        bool // the module has opened another socket by itself since start
}

const (
	maxRestartPause = 16 * time.Second // to which RestartPause grows
	alarmNoSocket   = "no_socket"      // the switch said +OK, but no socket came
)

func (s *stream) setPhaseFor(p streamPhase, limit time.Duration) {
	s.phase = p
	s.timer.Reset(limit)
}

func (s *stream) setPhase(p streamPhase) {
	s.phase = p
	s.timer.Stop()
}

// variables are the channel variables that mod_audio_stream reads at start, all of them
// always: it leaves STREAM_MESSAGE_DEFLATE and STREAM_HEART_BEAT uninitialised without
// them (F38), and old versions bring a stream back by themselves unless told not to (F53).
func (p StreamPlan) variables() []string {
	return []string{
		fmt.Sprintf("STREAM_BUFFER_SIZE=%d", p.Buffer.Milliseconds()), fmt.Sprintf("STREAM_HEART_BEAT=%d", heartBeatSeconds),
		"STREAM_MESSAGE_DEFLATE=true", "STREAM_SUPPRESS_LOG=true", "STREAM_NO_RECONNECT=true",
	}
}

// heartBeatSeconds is how often the module pings, so that a socket without audio is not idle.
const heartBeatSeconds = 10

// begin starts the stream by a step of the plan: for the first time, or after a stop.
func (s *stream) begin(ctx context.Context) {
	if s.phase == streamStopped {
		s.c.rec.Starting()
	}
	if state := s.c.rec.State(); state.Full { // by the silence since the stop
		s.full(state)
		return
	}
	now := time.Now()
	s.deadline = now.Add(s.c.plan.Stream.ConnectTimeout)
	if s.first.IsZero() {
		s.first = now
		s.start(ctx)
		return
	}
	s.wasUp, s.cleared, s.hopeless, s.forgotten, s.before = false, false, false, false, s.restarts
	s.restart(ctx)
}

func (s *stream) start(ctx context.Context) {
	s.begun, s.moduleConnected, s.reopened = time.Now(), false, false
	if s.rate = s.c.rate; errors.Is(s.cause, errWrongRate) { // which may be known from before the change
		s.rate = 0
	}
	limit := s.c.plan.Stream.ConnectTimeout
	if !s.wasUp {
		limit = max(0, time.Until(s.deadline))
	}
	s.setPhaseFor(streamStarting, limit)
	s.send(ctx, fmt.Sprintf("uuid_audio_stream %s start %s %s %d", s.c.channel, s.c.rec.URL(), s.c.plan.Stream.Mix, s.c.plan.Stream.SampleRate))
}

// send gives the switch an API command whose answer moves the stream on. If
// the connection has ended, the call's wait will see it.
func (s *stream) send(ctx context.Context, command string) {
	job, err := s.c.bgapi(ctx, command)
	s.job = job
	if err != nil && s.c.conn.Err() == nil {
		s.fail(errors.Unwrap(err), "the sink's URL can't be sent to the switch: is sink.advertise too long?")
	}
}

// answered handles the answer of an API command.
func (s *stream) answered(ctx context.Context, job, body string) {
	s.c.log.Debug("api answered", zap.String("job", job), zap.String("answer", body))
	if job != s.job || job == "" {
		return
	}
	s.job = ""
	ok := strings.HasPrefix(body, "+OK")
	switch s.phase {
	case streamStarting, streamBackoff: // in a pause: the module reported something before
		if !ok {
			s.refused(ctx, body)
			return
		}
		if s.phase == streamStarting {
			s.phase = streamConnecting
			s.syncWithSink()
		}
	case streamResetting: // +OK, or -ERR if the module has let go by itself (F43, F40)
		if ok && s.cleared && s.tried() == 0 && !s.wasUp {
			s.c.log.Warn("somebody else's stream stopped", zap.String("hint", "this call came with an audio stream on it: look for uuid_audio_stream in the dialplan, its api_on_answer and scripts, and remove it"))
		}
		s.restart(ctx)
	}
}

// refused handles a start that the switch has refused. A channel has one audio stream: if
// that is an older hook's, the first start is refused until a stop (F36).
func (s *stream) refused(ctx context.Context, answer string) {
	if !s.wasUp && !s.cleared && strings.Contains(answer, "Operation Failed") {
		s.cleared = true
		s.setPhaseFor(streamResetting, s.c.ctl.cfg.CommandTimeout)
		s.send(ctx, "uuid_audio_stream "+s.c.channel+" stop")
		return
	}
	s.hopeless = !s.wasUp // a switch that refuses the first start will refuse the next
	s.scheduleRestart(fmt.Errorf("start the stream: the switch answered %.200q", answer), s.c.ctl.refusalHint(answer))
}

// reported handles an event of mod_audio_stream. What is said of a stream that the module has
// opened again by itself may be said late, of the socket before (F53): its good socket stays,
// and the sink sees its end.
func (s *stream) reported(subclass, body string) {
	if s.phase != streamStarting && s.phase != streamConnecting && (s.phase != streamUp || s.reopened) {
		return
	}
	switch subclass {
	case "mod_audio_stream::connect":
		s.moduleConnected = true
	case "mod_audio_stream::error", "mod_audio_stream::disconnect":
		message := moduleMessage(body)
		s.scheduleRestart(errors.New(message), s.moduleHint(message))
	}
}

// moduleHint says what to do about what the module reports. A module built without TLS
// speaks plain text to a wss:// URL (F52), which the sink cannot tell from any other
// stranger's, so that only its own log line has the proof.
func (s *stream) moduleHint(message string) string {
	hint := switchHint(message)
	signs := []string{"Timeout", "upgrade failed", "abnormal EOF", "reset by peer"}
	noTLS := func(sign string) bool { return strings.Contains(message, sign) }
	if strings.HasPrefix(s.c.rec.URL(), "wss://") && s.c.rec.State().Connections == 0 && slices.ContainsFunc(signs, noTLS) {
		return hintNoTLS + "; if not: " + hint
	}
	return hint
}

// moduleMessage is the text within the JSON body of a mod_audio_stream event.
func moduleMessage(body string) string {
	var report struct {
		Message struct {
			Error, Reason string
			Code          int
		}
	}
	if json.Unmarshal([]byte(body), &report) != nil {
		return fmt.Sprintf("mod_audio_stream: %.200s", body)
	}
	return fmt.Sprintf("mod_audio_stream: %s (code %d)", report.Message.Error+report.Message.Reason, report.Message.Code)
}

// syncWithSink compares the phase with the state of the sink.
func (s *stream) syncWithSink() {
	state := s.c.rec.State()
	s.observeFirstAudio()
	switch {
	case s.phase == streamFailed || s.phase == streamStopped || s.phase == streamFull:
		return
	case state.Full:
		s.full(state)
		return
	case state.Err != nil:
		s.fail(state.Err, endHints[EndDisk])
		return
	}
	switch s.phase {
	case streamConnecting, streamBackoff: // in a pause: the module has opened it again by itself (F53)
		s.acceptSocket(state)
	case streamUp:
		if state.Connections > s.sockets { // within a moment: the drop itself was not seen
			s.sockets, s.reopened = state.Connections, true
			s.up(state)
		}
	}
	switch {
	case s.phase != streamUp || s.c.hungUp:
	case !state.Live:
		s.scheduleRestart(fmt.Errorf("the stream's socket closed: %s", state.LastEnd), state.LastEnd.hint())
	case state.WrongRate && s.tried() < s.c.plan.Stream.Restarts: // else it is better than none
		s.mendRate()
	}
}

// sawRate notices that the channel has another rate than at start, to which the module does not adapt (F50). Of a
// stream that is resampled from a narrow codec to a wide one nothing else tells (F107), and the sink needs seconds for
// the others.
func (s *stream) sawRate(rate int) {
	switch {
	case rate == 0 || s.phase != streamUp:
	case s.rate == 0:
		s.rate = rate
	case rate != s.rate && s.tried() < s.c.plan.Stream.Restarts:
		s.mendRate()
	}
}

func (s *stream) mendRate() {
	s.cause, s.causeHint = errWrongRate, hintRate
	s.setPhaseFor(streamBackoff, 0)
}

// errWrongRate is why a stream that is up is started again: after a codec change the module
// goes on with the rate that it found at start (F50).
var errWrongRate = errors.New("the stream's audio has another rate than the plan's")

// acceptSocket says whether there is a new socket at the sink: the stream is up then. In a
// pause it may be one that a refused start has left, or will have: that is none (F37).
func (s *stream) acceptSocket(state StreamState) bool {
	left := s.phase == streamBackoff && (s.job != "" || s.hopeless || !state.Live)
	if state.Connections <= s.sockets || left {
		return false
	}
	s.reopened = s.phase == streamBackoff || state.Connections > s.sockets+1
	s.sockets = state.Connections
	s.up(state)
	return true
}

func (s *stream) up(state StreamState) {
	s.setPhase(streamUp)
	took := time.Since(s.begun)
	if !s.reopened { // else nobody knows when the module began
		s.c.ctl.metrics.connect.Observe(took.Seconds())
	}
	msg := "stream connected"
	if s.wasUp {
		msg = "stream connected again"
	}
	s.wasUp = true
	s.c.voice.connected()
	s.c.log.Info(msg, zap.Int64("dur_ms", took.Milliseconds()), zap.Int("sample_rate", s.c.plan.Stream.SampleRate),
		zap.String("mix", s.c.plan.Stream.Mix), zap.Int("connections", state.Connections))
}

// observeFirstAudio measures the time to the first audio, once.
func (s *stream) observeFirstAudio() {
	at := s.c.rec.State().FirstAudioAt
	if s.firstAudioObserved || s.first.IsZero() || at.IsZero() {
		return
	}
	s.firstAudioObserved = true
	s.c.ctl.metrics.firstAudio.Observe(max(0, at.Sub(s.first).Seconds()))
}

// full ends the stream of a recording that has reached its greatest length.
func (s *stream) full(state StreamState) {
	s.c.log.Warn("recording is full", zap.Int64("audio_ms", state.Audio.Milliseconds()), zap.String("hint", "sink.max_duration bounds a recording"))
	s.setPhase(streamFull)
}

func (s *stream) fail(err error, hint string) {
	if s.phase == streamFailed {
		return
	}
	s.setPhase(streamFailed)
	if s.failure == nil { // what came first is the call's reason
		s.failure = &callEnd{result: StreamFailed, err: err, hint: hint}
	}
	s.c.log.Warn("stream failed", zap.NamedError("err", err), hintField(hint), zap.String("on_stream_failure", string(s.c.plan.OnStreamFailure)))
}

// stop ends the stream and waits for its end at the sink; there is no
// disconnect event after a stop.
func (s *stream) stop(ctx context.Context) {
	stopped, failed := s.phase == streamStopped, s.phase == streamFailed
	s.setPhase(streamStopped)
	s.forgotten = s.forgotten || failed
	if stopped || s.first.IsZero() || s.c.hungUp || s.c.over {
		return
	}
	s.c.beginStep("stop")
	s.c.reached("stop")
	s.c.rec.Stopping()
	if !failed { // what is on its way would be overtaken by the stop (F15), and go on behind it
		s.c.waitAfterPlan(ctx, s.c.ctl.cfg.CommandTimeout, func() bool { return s.job == "" || s.c.hungUp })
	}
	var err error
	if s.job, err = s.c.bgapi(ctx, "uuid_audio_stream "+s.c.channel+" stop"); err != nil || failed {
		return
	}
	done := func() bool { return s.c.hungUp || !s.c.rec.State().Live }
	if !s.c.waitAfterPlan(ctx, s.c.plan.Stream.StopTimeout, done) && !s.c.over {
		s.forgotten = true
		s.c.log.Warn("stream not ended by stop", zap.String("step", "stop"), zap.String("hint", "the sink closes it now; FreeSWITCH's log says why it did not"))
	}
}
