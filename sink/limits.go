package sink

import (
	"cmp"
	"fmt"
	"time"
)

const (
	// housekeepingInterval is the longest time between two checks of a stream's file and limits.
	housekeepingInterval = time.Second
	// wakeupJitter is how late a wake-up may be on a loaded machine.
	wakeupJitter = 100 * time.Millisecond
	// Text and control frames beyond this many a second are a flood, and so are
	// bytes that are no audio beyond this many, and beyond the audio that came.
	maxNoise      = 100
	maxNoiseBytes = 128 << 10
)

// everySecond keeps the file playable and counts what is no audio.
func (s *stream) everySecond() {
	if s.raw-s.secondRaw > 2*(s.audio-s.secondPCM)+maxNoiseBytes {
		s.stop(EndFlood)
	}
	if s.now.Sub(s.second) >= housekeepingInterval {
		s.rec.metrics.audio.Add(float64(s.audio - s.secondPCM))
		s.second, s.secondRaw, s.secondPCM, s.noise = s.now, s.raw, s.audio, 0
	}
	s.flushInTime()
	s.fail(s.track.WriteHeld(s.now))
	s.track.EndTalk(s.now.Add(-s.rec.interval()))
	s.rec.observeTalk()
	if at := s.syncAt(); !at.IsZero() && !s.now.Before(at) {
		s.sync()
	}
}

// syncAt is when the file is to be synced next; zero is never, as at the end only.
func (s *stream) syncAt() time.Time {
	if s.rec.cfg.SyncInterval == 0 {
		return time.Time{}
	}
	return s.synced.Add(s.rec.cfg.SyncInterval)
}

func (s *stream) sync() {
	s.synced = s.now
	s.fail(s.track.Sync())
}

// flushInTime flushes after a read if the next read may come too late to keep the file within
// housekeepingInterval of the socket: reads are ReadInterval apart, plus what the machine's
// load adds.
func (s *stream) flushInTime() {
	if s.now.Sub(s.flushed) >= housekeepingInterval-2*max(s.rec.cfg.ReadInterval, wakeupJitter) {
		s.flushed = s.now
		s.rec.updateSidecar()
		s.fail(s.track.Flush())
	}
}

// countNoise counts a text or control frame.
func (s *stream) countNoise() {
	s.lastFrame = s.now
	if s.noise++; s.noise > maxNoise {
		s.stop(EndFlood)
	}
}

// checkTimes holds the socket to its limits and returns when to look again.
func (s *stream) checkTimes() time.Time {
	cfg := s.rec.cfg
	next := s.flushed.Add(housekeepingInterval)
	idle := s.lastFrame.Add(cfg.IdleTimeout)
	if !s.now.Before(idle) {
		s.stop(EndIdle)
	}
	full := s.track.FullAt(s.connected)
	if !s.now.Before(full) {
		s.stop(EndMaxDuration)
		s.rec.update(func(st *State) {
			st.Err = cmp.Or(st.Err, fmt.Errorf("%w: %v", ErrMaxDuration, cfg.MaxDuration))
		})
	}
	next = earliest(next, idle, full, s.track.HeldUntil(), s.syncAt())
	if at := s.track.TalkUntil(); !at.IsZero() {
		next = earliest(next, at.Add(s.rec.interval()))
	}
	if s.track.Slowest(s.now) >= slowDiskTime {
		s.rec.alarm(AlarmSlowDisk)
	}
	if s.lowWater > 0 {
		next = earliest(next, s.now.Add(s.rec.interval()))
	}
	if s.audio == 0 {
		if at := s.connected.Add(noAudioAfter); s.now.Before(at) {
			next = earliest(next, at)
		} else {
			s.rec.alarm(AlarmNoAudio)
		}
	}
	return next
}

// stop notes why the stream wants to end; the next read sees it.
func (s *stream) stop(why End) { s.own = cmp.Or(s.own, why) }

// earliest returns the first of some moments, of which a zero one is never.
func earliest(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}
