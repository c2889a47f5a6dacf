package esl

import (
	"bytes"
	"net"
	"sync"
	"time"
)

const (
	awayTimeout = 2 * time.Second
	maxLeaving  = 256 // connections that are turned away at one time
	awayBuffer  = 2 << 10
)

// away closes a connection that was not admitted. A switch of ours that came when
// there was no room is turned away in order; strangers, and those for whom there
// is not even room to leave, are closed at once.
func (s *Server) away(handlers *sync.WaitGroup, conn net.Conn, reason string) {
	if reason == refuseAddress || s.leaving.Load() >= maxLeaving {
		conn.Close()
		return
	}
	s.leaving.Add(1)
	handlers.Go(func() {
		defer s.leaving.Add(-1)
		defer conn.Close()
		turnAway(conn)
	})
}

// turnAway says connect and waits for the end of its answer. A socket that closes
// before leaves an async call parked, unanswered, with nobody in control, where
// one that closes after sends it on to the dialplan's next action
// (mod_event_socket.c sets the park flag once the listener has ended).
func turnAway(conn net.Conn) {
	if conn.SetDeadline(time.Now().Add(awayTimeout)) != nil {
		return
	}
	if _, err := conn.Write([]byte("connect\n\n")); err != nil {
		return
	}
	var last byte
	buf := make([]byte, awayBuffer)
	for {
		n, err := conn.Read(buf)
		answered := bytes.Contains(buf[:n], []byte("\n\n")) || n > 0 && last == '\n' && buf[0] == '\n'
		if err != nil || answered {
			return
		}
		if n > 0 {
			last = buf[n-1]
		}
	}
}
