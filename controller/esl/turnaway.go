package esl

import (
	"net"
	"sync"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/esl/internal/frame"
)

const (
	turnAwayTimeout = 2 * time.Second
	maxTurnedAway   = 256 // at one time
)

// refuse closes a connection that was not admitted. A switch of ours that came when
// there was no room is turned away in order; strangers, and those beyond maxTurnedAway,
// are closed at once.
func (s *Server) refuse(handlers *sync.WaitGroup, conn net.Conn, reason string) {
	s.metrics.refused.WithLabelValues(reason).Inc()
	s.log.Warn("event socket connections refused", zap.Stringer("peer", conn.RemoteAddr()), zap.String("cause", reason), hint(refusalHints[reason]), ratelog(reason))
	if reason == refuseAddress || s.turnedAway.Load() >= maxTurnedAway {
		conn.Close()
		return
	}
	s.turnedAway.Add(1)
	handlers.Go(func() {
		defer s.turnedAway.Add(-1)
		defer conn.Close()
		turnAway(conn)
	})
}

// turnAway sends connect and waits for its answer. Closed before that, the socket
// strands an async call: parked, unanswered, with nobody in control (F8).
func turnAway(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(turnAwayTimeout))
	if _, err := conn.Write([]byte("connect\n\n")); err != nil {
		return
	}
	frame.NewReader(conn, turnAwayTimeout, func(int) {}).Next()
}
