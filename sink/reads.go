package sink

import (
	"errors"
	"os"
	"time"

	"github.com/coder/websocket"
)

const (
	// houseEvery is the least often that a stream sees to its file and its limits.
	houseEvery = time.Second
	// slack is how late a wake-up may be on a loaded machine.
	slack = 100 * time.Millisecond
	// lastWait and lastReads bound what is still read of a socket that is to end.
	lastWait  = 5 * time.Millisecond
	lastReads = 200 * time.Millisecond
)

// fill is every read of the connection while it streams. It keeps reads apart, and
// between them does what time asks for, so that the stream needs no other goroutine.
func (s *stream) fill(p []byte) (int, error) {
	if s.closing {
		return s.conn.Conn.Read(p)
	}
	if s.drained {
		s.batchDone()
		s.keepApart()
	}
	for {
		if err := s.tick(); err != nil {
			return 0, err
		}
		before := time.Now()
		n, err := s.conn.Conn.Read(p)
		s.now = time.Now()
		s.noteWait(before)
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

// batchDone is called when all that came has been taken.
func (s *stream) batchDone() {
	s.take.timeline.closeBatch(s.now)
	s.rec.measured(s)
	s.flushInTime()
}

// noteWait notes what a read that had to wait tells: until the bytes came, or only
// until the read began where the kernel keeps few bytes to itself, there were none.
func (s *stream) noteWait(began time.Time) {
	switch {
	case s.now.Sub(began) < waitedFor:
	case s.lowWater > 0:
		s.take.timeline.emptyAt = began
	default:
		s.take.timeline.emptyAt = s.now
	}
}

// keepApart waits so that reads are at least ReadInterval apart.
func (s *stream) keepApart() {
	interval := s.rec.cfg.ReadInterval
	first := s.take.timeline.first
	if interval == 0 || !s.conn.drains() || first.IsZero() || s.now.Sub(first) < exactFor {
		return
	}
	if s.hurry.Load() || s.asked.Load() != nil {
		s.wakeForAll()
		return
	}
	s.wakeForMuch(interval)
	s.pause.Reset(time.Until(s.now.Add(interval)))
	select {
	case <-s.pause.C:
	case <-s.wake:
		s.wakeForAll()
	}
	s.now = time.Now()
}

// wakeForMuch tells the kernel not to wake the process for every frame while nobody
// reads; what is less than that is seen by the reads' deadlines.
func (s *stream) wakeForMuch(interval time.Duration) {
	if s.lowWater == 0 {
		f := s.rec.call.Format
		s.lowWater = f.FrameBytes() * int(f.Frames(2*interval))
		s.conn.setLowWater(s.lowWater)
	}
}

func (s *stream) wakeForAll() {
	if s.lowWater > 0 {
		s.lowWater = 0
		s.conn.setLowWater(1)
	}
}

// tick does what is due and sets the connection's deadline to when the next thing
// will be. Its error is errEnding when the socket is to end.
func (s *stream) tick() error {
	s.everySecond()
	next := s.checkTimes()
	if s.own != nil {
		return s.lastRead()
	}
	if s.asked.Load() == nil && !next.Equal(s.deadline) {
		_ = s.conn.SetReadDeadline(next)
		s.deadline = next
	}
	// Whoever asks sets the deadline afterwards, so that either this sees the wish
	// or the read that follows is cut short.
	if s.asked.Load() != nil {
		return s.lastRead()
	}
	return nil
}

// lastRead lets through what has arrived on a socket that is to end.
func (s *stream) lastRead() error {
	if s.askedAt.IsZero() {
		s.askedAt, s.drained = s.now, false
	}
	abandoned := s.own != nil && !s.own.drain
	if abandoned || s.drained || s.now.Sub(s.askedAt) >= lastReads {
		return errEnding
	}
	return s.conn.SetReadDeadline(s.now.Add(lastWait))
}

// everySecond keeps the file playable and counts what is no audio.
func (s *stream) everySecond() {
	if s.raw-s.secondRaw > 2*(s.audio-s.secondPCM)+maxNoiseBytes {
		s.stop(flooded())
	}
	if s.now.Sub(s.second) >= houseEvery {
		s.rec.sink.metrics.audio.Add(float64(s.audio - s.secondPCM))
		s.second, s.secondRaw, s.secondPCM, s.noise = s.now, s.raw, s.audio, 0
	}
	s.flushInTime()
	if s.take.settled(s.now) {
		s.disk(s.take.settle())
	}
}

// flushInTime brings the file up to what was taken, if its next chance might be too late
// for the file to stay within houseEvery of the socket: right after a read it lacks
// nothing, and one is late by the interval and by what the machine's load adds to it.
func (s *stream) flushInTime() {
	if s.now.Sub(s.flushed) >= houseEvery-2*max(s.rec.cfg.ReadInterval, slack) {
		s.flushed = s.now
		s.disk(s.take.flush())
	}
}

// checkTimes holds the socket to its limits and returns when to look again.
func (s *stream) checkTimes() time.Time {
	cfg := s.rec.cfg
	next := s.flushed.Add(houseEvery)
	idle := s.lastFrame.Add(cfg.IdleTimeout)
	if !s.now.Before(idle) {
		s.stop(ending{reason: EndIdle, text: "idle", status: statusGoingAway})
	}
	full := s.take.fullAt(s.connected, cfg.MaxDuration)
	if !s.now.Before(full) {
		s.stop(ending{EndMaxDuration, "recording is full", websocket.StatusPolicyViolation, true})
		s.rec.full()
	}
	next = earliest(next, idle, full, s.take.settleAt())
	if s.lowWater > 0 {
		next = earliest(next, s.now.Add(cfg.ReadInterval))
	}
	if s.audio == 0 {
		next = earliest(next, s.checkNoAudio())
	}
	return next
}

// checkNoAudio raises the alarm of a socket that no audio came on.
func (s *stream) checkNoAudio() time.Time {
	at := s.connected.Add(noAudioAfter)
	if s.now.Before(at) {
		return at
	}
	s.rec.alarm(AlarmNoAudio)
	return time.Time{}
}

// earliest returns the first of some moments, of which a zero one is never.
func earliest(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}
