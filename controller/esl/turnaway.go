package esl

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/esl/internal/frame"
)

const (
	turnAwayTimeout = 2 * time.Second // for the answer to connect
	maxTurnedAway   = 256             // at one time
)

// refuse turns away a connection that was not admitted: if it is a call's, the dialplan goes on
// with the next action, also if its switch is a stranger.
func (s *Server) refuse(handlers *sync.WaitGroup, conn net.Conn, reason string) {
	s.metrics.refused.WithLabelValues(reason).Inc()
	s.log.Warn("event socket connections refused", zap.Stringer("peer", conn.RemoteAddr()), zap.String("cause", reason), hint(s.refusalHint(reason)), ratelog(reason))
	if s.turnedAway.Load() >= maxTurnedAway {
		turnAwayAtOnce(conn)
		return
	}
	s.turnedAway.Add(1)
	handlers.Go(func() {
		defer s.turnedAway.Add(-1)
		guarded(s.log, conn, func() { turnAway(conn) })
	})
}

// turnAway says connect, waits for the answer, and lets the call go.
func turnAway(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(turnAwayTimeout))
	if _, err := io.WriteString(conn, cmdConnect); err != nil {
		return
	}
	f, err := frame.NewReader(conn, turnAwayTimeout, func(int) {}).Next()
	switch {
	case err == nil && bytes.Contains(f.Data, []byte("\nSocket-Mode: static")), err != nil && !unanswered(err):
		return
	case err == nil && bytes.Contains(f.Data, []byte("\nvariable_socket_resume: ")):
		leave(conn, leaveResumed, false)
		return
	}
	leave(conn, leaveClean, err != nil)
}

// unanswered says that a peer has said nothing: it may be a switch that is slow.
func unanswered(err error) bool {
	bad := new(FrameError)
	return !errors.As(err, &bad)
}

// turnAwayAtOnce is all that can be done beyond maxTurnedAway. An async call goes on (F93); one
// without async, which tapdeck refuses in any case, is stranded (F94).
func turnAwayAtOnce(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(acceptPause))
	io.WriteString(conn, cmdConnect+string(leaveClean))
}
