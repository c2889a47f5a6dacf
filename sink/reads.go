package sink

import (
	"errors"
	"os"
	"time"
)

const (
	// lastWait and lastReads bound what is still read of a socket that is to end.
	lastWait  = 5 * time.Millisecond
	lastReads = 200 * time.Millisecond
)

// readConn is every read of the connection while it streams. It keeps reads apart, and
// between them does what time asks for, so that the stream needs no other goroutine.
func (s *stream) readConn(p []byte) (int, error) {
	if s.closing {
		return s.conn.Conn.Read(p)
	}
	s.rec.wakeReaders()
	if s.drained {
		s.track.EndBatch(s.now)
		s.rec.observe()
		s.flushInTime()
		s.keepApart()
	}
	for {
		if err := s.prepareRead(); err != nil {
			return 0, err
		}
		before := time.Now()
		n, waited, err := s.conn.reader.read(p)
		s.now = time.Now()
		if waited {
			s.noteWait(before)
		}
		if n > 0 {
			s.raw += int64(n)
			s.drained = n < len(p)
			return n, nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			s.broken = true
			return 0, err
		}
		s.deadline = time.Time{}
		s.drained = true
	}
}

// noteWait records the last moment at which the socket was known to be empty: the end of a
// read that had to wait, or, with SO_RCVLOWAT set, its start.
func (s *stream) noteWait(began time.Time) {
	if s.lowWater > 0 {
		s.track.Empty(began)
		return
	}
	s.track.Empty(s.now)
}

// keepApart waits so that reads are at least ReadInterval apart, unless the exact time of an
// arrival matters.
func (s *stream) keepApart() {
	interval := s.interval()
	if interval == 0 {
		return
	}
	if s.lowWater == 0 { // what comes meanwhile wakes nobody; less than this is seen by the reads' deadlines
		s.lowWater = s.bytesOf(2 * interval)
		s.conn.setLowWater(s.lowWater)
	}
	s.pause.Reset(time.Until(s.now.Add(interval)))
	select {
	case <-s.pause.C:
	case <-s.wake:
	}
	s.now = time.Now()
}

// interval is how far reads are apart now.
func (s *stream) interval() time.Duration {
	if s.hurry.Load() || !s.track.Steady(s.now) {
		return 0
	}
	return s.rec.interval()
}

func (s *stream) bytesOf(d time.Duration) int {
	return s.rec.format.FrameBytes() * int(s.rec.format.Frames(d))
}

// wakeAtOnce ends the coalescing of reads if frames have stopped, or somebody is in a hurry, or
// wants another latency.
func (s *stream) wakeAtOnce() {
	if s.lowWater > 0 && s.lowWater != s.bytesOf(2*s.interval()) {
		s.lowWater = 0
		s.conn.setLowWater(1)
	}
}

// prepareRead does what is due and sets the connection's deadline to when the next thing
// will be. Its error is errClosing when the socket is to end.
func (s *stream) prepareRead() error {
	s.everySecond()
	s.rec.wakeReaders()
	s.wakeAtOnce()
	next := s.checkTimes()
	if s.own == "" && s.asked.Load() == nil && !next.Equal(s.deadline) {
		_ = s.conn.SetReadDeadline(next)
		s.deadline = next
	}
	// Whoever asks sets the deadline afterwards, so that either this sees the wish
	// or the read that follows is cut short.
	if s.own != "" || s.asked.Load() != nil {
		return s.lastRead()
	}
	return nil
}

// lastRead lets through what has arrived on a socket that is to end.
func (s *stream) lastRead() error {
	if s.askedAt.IsZero() {
		s.askedAt, s.drained = s.now, false
	}
	abandoned := s.own != "" && !closeReasons[s.own].drain
	if abandoned || s.drained || s.now.Sub(s.askedAt) >= lastReads {
		return errClosing
	}
	return s.conn.SetReadDeadline(s.now.Add(lastWait))
}
