package sink

import (
	"fmt"
	"math"
	"slices"
	"time"

	"go.uber.org/zap"
)

// What Alarms name.
const (
	// AlarmNoAudio: a socket brought no audio for 2 s.
	AlarmNoAudio = "no_audio"
	// AlarmSilence: nothing but digital silence came.
	AlarmSilence = "only_silence"
	// AlarmShort: less than 90 % of the audio that the time would give.
	AlarmShort = "short_audio"
	// AlarmLong: more than 110 % of the audio that the time can give.
	AlarmLong = "long_audio"
	// AlarmNoSocket is the call's: the switch took the start, but no socket came.
	AlarmNoSocket = "no_socket"
)

const (
	noAudioAfter = 2 * time.Second
	silenceAfter = 5 * time.Second
	briefly      = time.Second // audio from which on silence is worth an alarm at the end
	shortShare   = 0.9
	shortAfter   = time.Second
	longShare    = 1.1
	longAfter    = 2 * time.Second
)

func alarmHint(kind string) string {
	switch kind {
	case AlarmNoAudio:
		return "the stream is open but brings no audio: is the socket line `async full`, and is there media on the call? A stereo or mixed stream has frames only while the switch sends audio, too"
	case AlarmSilence:
		return "every sample is silence: the caller sends no RTP (NAT, firewall, one-way audio), or is muted"
	case AlarmLong:
		return "more audio comes than time passes, so that it will sound slow, or as noise: the switch streams at another rate, or in stereo, than the plan's stream says; is another stream still running on the call?"
	}
	return "audio was lost on its way: see the network to the switch, its load, and gaps in the record; a stereo or mixed stream has frames only while the switch sends audio, too"
}

// connected notes a new socket.
func (r *Recording) connected(s *stream) {
	r.sink.live.Add(1)
	r.sink.metrics.live.Inc()
	r.sink.metrics.accepted.Inc()
	r.update(func(st *State) {
		st.Connections++
		st.Live = true
		if st.ConnectedAt.IsZero() {
			st.ConnectedAt = s.connected
		}
	})
	r.log.Debug("stream connected", zap.String("peer", s.conn.RemoteAddr().String()))
}

// firstAudio notes a socket's first audio.
func (r *Recording) firstAudio(s *stream) {
	r.sink.metrics.firstAudio.Observe(s.now.Sub(s.connected).Seconds())
	r.update(func(st *State) {
		if st.FirstAudioAt.IsZero() {
			st.FirstAudioAt = s.now
		}
	})
}

// measured is called when all that came has been taken.
func (r *Recording) measured(s *stream) {
	t := s.take
	r.received.Store(t.timeline.received)
	if dbfs, ok := t.meter.takeRecent(); ok {
		r.level.Store(math.Float64bits(dbfs))
	}
	r.checkSilence(t)
	if t.timeline.tooMuch() {
		r.alarm(AlarmLong)
	}
	if w := t.watching; w != nil && t.meter.quietFor(w.quiet) {
		t.meter.listenAnew()
		r.quiet(w)
	}
	r.listen(t)
}

// listen lets the meter listen for what is wished now.
func (r *Recording) listen(t *take) {
	if w := r.watch.Load(); w != t.watching {
		t.watching = w
		t.meter.listenAnew()
	}
}

// quiet tells that the caller is quiet, unless another wish has come since.
func (r *Recording) quiet(w *watch) {
	r.update(func(st *State) { st.Quiet = r.watch.Load() == w })
}

func (r *Recording) checkSilence(t *take) {
	if t.silenceChecked || r.call.Format.Duration(t.timeline.received) < silenceAfter {
		return
	}
	t.silenceChecked = true
	if e := t.meter.sum(); e.digitalSilence() {
		r.alarm(AlarmSilence)
	}
}

// alarm raises an alarm, once in a recording.
func (r *Recording) alarm(kind string) {
	known := false
	r.update(func(st *State) {
		if known = slices.Contains(st.Alarms, kind); !known {
			st.Alarms = append(st.Alarms, kind)
		}
	})
	if known {
		return
	}
	r.sink.metrics.alarms.WithLabelValues(kind).Inc()
	r.log.Warn("stream alarm", zap.String("cause", kind), zap.String("hint", alarmHint(kind)))
}

// fail notes that the file can't be written. No further socket is taken.
func (r *Recording) fail(err error) {
	r.update(func(st *State) { st.Err = fmt.Errorf("write recording: %w", err) })
	r.log.Error("disk error", zap.NamedError("err", err), zap.String("hint", hintDisk))
}

func (r *Recording) full() {
	r.update(func(st *State) {
		if st.Err == nil {
			st.Err = fmt.Errorf("%w: %v", ErrMaxDuration, r.cfg.MaxDuration)
		}
	})
}

// detach ends a socket on the recording's side.
func (r *Recording) detach(s *stream, e ending) {
	if s.take != nil {
		s.guard(s.endTake)
	}
	r.level.Store(math.Float64bits(floorDBFS))
	if c := r.call.Consumer; c != nil {
		s.guard(c.End)
	}
	r.sink.live.Add(-1)
	r.sink.metrics.live.Dec()
	r.sink.metrics.ended.WithLabelValues(e.reason).Inc()
	r.logEnd(s, e)
	r.update(func(st *State) {
		r.live = nil
		st.Live, st.LastEnd = false, e.reason
	})
	close(s.done)
}

// endTake writes what is left of the socket's audio.
func (s *stream) endTake() {
	if err := s.take.disconnect(s.now); err != nil && s.own == nil {
		s.rec.fail(err)
	}
	s.rec.measured(s)
	s.rec.sink.metrics.audio.Add(float64(s.audio - s.secondPCM))
}

func (r *Recording) logEnd(s *stream, e ending) {
	fields := []zap.Field{
		zap.String("cause", e.reason),
		zap.Int64("dur_ms", s.now.Sub(s.connected).Milliseconds()),
	}
	if e.ordinary() || (e.reason == EndDropped && r.stopping.Load()) {
		r.log.Debug("stream ended", fields...)
		return
	}
	r.log.Warn("stream ended abnormally", append(fields, zap.String("hint", e.hint()))...)
}
