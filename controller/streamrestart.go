package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"
)

// scheduleRestart pauses before the stream is brought back or given up. It does so even
// if there are no restarts left: a caller's hangup closes the stream's socket, too, and
// may be reported only after that. Past its connect_timeout a stream that has never been
// up has no time for a pause. The causeHint is "" if the cause does not say what to do.
func (s *stream) scheduleRestart(cause error, causeHint string) {
	s.cause, s.causeHint = cause, causeHint
	pause := min(s.c.ctl.cfg.RestartPause<<min(s.tried(), 10), maxRestartPause)
	if !s.wasUp && time.Now().Add(pause).After(s.deadline) {
		s.fail(cause, s.hint())
		return
	}
	s.setPhaseFor(streamBackoff, pause)
}

// phaseExpired is called if the phase has lasted its time.
func (s *stream) phaseExpired(ctx context.Context) {
	switch s.phase {
	case streamStarting, streamConnecting:
		if state := s.c.rec.State(); state.Live && s.acceptSocket(state) {
			s.c.log.Warn("the switch did not answer start, but the stream connected", zap.String("hint", "FreeSWITCH is slow to answer API commands: is its machine overloaded?"))
			return
		}
		if !slices.Contains(s.c.outcome.Alarms, alarmNoSocket) { // the recorder counts the alarms of its calls
			s.c.outcome.Alarms = append(s.c.outcome.Alarms, alarmNoSocket)
			s.c.log.Warn("stream alarm", zap.String("cause", alarmNoSocket), zap.String("hint", hintNoSocket))
		}
		missing, causeHint := "no socket at the sink", hintNoSocket
		if s.moduleConnected {
			missing, causeHint = "the switch connected to another server than the sink, and there was no socket", hintOtherServer
		}
		s.scheduleRestart(fmt.Errorf("%s within %v of start", missing, s.c.plan.Stream.ConnectTimeout), causeHint)
	case streamBackoff:
		if !s.acceptSocket(s.c.rec.State()) {
			s.retry(ctx)
		}
	case streamResetting:
		s.restart(ctx)
	}
}

// tried is how many times the stream of this step was brought back.
func (s *stream) tried() int { return s.restarts - s.before }

// retry begins to bring the stream back, or gives it up after the plan's
// restarts. The switch refuses a start before a stop if it was the server that
// closed the socket (F43).
func (s *stream) retry(ctx context.Context) {
	if s.hopeless || s.tried() >= s.c.plan.Stream.Restarts {
		s.fail(s.cause, s.hint())
		return
	}
	msg := "stream dropped, starting it again"
	switch {
	case !s.wasUp:
		msg = "stream not connected, starting it again"
	case errors.Is(s.cause, errWrongRate):
		msg = "stream has a wrong rate, starting it again"
	}
	s.restarts++
	s.c.ctl.metrics.restarts.Inc()
	s.c.log.Warn(msg, zap.NamedError("err", s.cause), zap.Int("restart", s.tried()), zap.Int("restarts", s.c.plan.Stream.Restarts), hintField(s.hint()))
	s.setPhaseFor(streamResetting, s.c.ctl.cfg.CommandTimeout)
	s.send(ctx, "uuid_audio_stream "+s.c.channel+" stop")
}

// hint says what to do about the cause. If the cause does not say it, the sink knows why
// the socket ended.
func (s *stream) hint() string {
	if s.causeHint != "" {
		return s.causeHint
	}
	if state := s.c.rec.State(); state.Connections > 0 {
		return state.LastEnd.hint()
	}
	return "FreeSWITCH's log says more of mod_audio_stream in this call"
}

// restart starts the stream again once the switch has let go of the old one. A
// socket that the sink still holds for live (a network that went away) is closed.
func (s *stream) restart(ctx context.Context) {
	if s.c.rec.State().Live {
		limited, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		if err := s.c.rec.Disconnect(limited); err != nil {
			s.c.log.Warn("old socket still open", zap.NamedError("err", err), zap.String("hint", "the switch's end of it went away without a word; it is closed with the recording at the latest"))
		}
	}
	s.sockets = s.c.rec.State().Connections
	s.start(ctx)
}
