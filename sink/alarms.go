package sink

import (
	"errors"
	"math"
	"slices"
	"time"

	"go.uber.org/zap"

	"tapdeck/sink/store"
	"tapdeck/sink/track"
)

// What Alarms name.
const (
	AlarmNoAudio  = "no_audio"     // a socket brought no audio for 2 s
	AlarmSilence  = "only_silence" // nothing but digital silence came
	AlarmShort    = "short_audio"  // less than 90 % of the audio that the time would give
	AlarmLong     = "long_audio"   // more than 110 % of the audio that the time can give
	AlarmSlowDisk = "slow_disk"    // the disk took a second or more for what had come
	AlarmNoSocket = "no_socket"    // the call's: the switch accepted the start, but no socket came
	// AlarmTranscript is the call's: the service did not hear all of the audio.
	AlarmTranscript = store.AlarmTranscript
)

const (
	noAudioAfter = 2 * time.Second
	silenceAfter = 5 * time.Second
	slowDiskTime = time.Second
	silenceAtEnd = time.Second // audio from which on silence is worth an alarm at the end
)

var alarmHints = map[string]string{
	AlarmNoAudio:  "the stream is open but brings no audio: is the socket line `async full`, and is there media on the call? With stream.buffer above 20ms callers whose packets (ptime) are not of 20 ms may bring nothing. A stereo or mixed stream has frames only while the switch sends audio, too",
	AlarmSilence:  "every sample is silence: the caller sends no RTP (NAT, firewall, one-way audio), or is muted",
	AlarmShort:    "audio was lost on its way: see the network to the switch, its load, and gaps in the record; with stream.buffer above 20ms, or a sample_rate that is not the call's own, callers whose packets (ptime) are not of 20 ms bring a part; a stereo or mixed stream has frames only while the switch sends audio, too",
	AlarmLong:     "more audio comes than time passes, so that it will sound slow, or as noise: the switch streams at another rate, or in stereo, than the plan's stream says, or the call's codec changed; is another stream still running on the call?",
	AlarmSlowDisk: "the audio waits in memory, up to 4 MiB of a recording, and is written once the disk responds: look at the load of sink.directory's disk; a folder on a network is as slow as its server",
	AlarmNoSocket: "", // the call logs it, and has it in its hint

	AlarmTranscript: "the service did not confirm all of the audio: see transcript.err and transcript.hint",
}

// Hints for AlarmShort if its cause is known.
const (
	hintEarly = "the recording ended before the call: see its err"
	hintDown  = "the stream was down for most of what is missing: see this call's lines about its stream, and the gaps of the record"
	hintDead  = "no more audio came on a socket that the switch did not close: the way between FreeSWITCH and the sink went dead without a word (network, firewall, NAT), or FreeSWITCH was stuck; sink.idle_timeout says how long that may last before the stream is started again"
	hintHeld  = "held or paused: no frames came on a live socket for the time of the record's gaps with reason no_frames, which are silence in the recording; nothing to do if the call was put on hold"
	hintSlow  = "the audio came evenly, but far too little of it: the caller's packet time (ptime) is 30, 40 or 60 ms and the plan's stream.buffer is above 20ms, or its sample_rate not the call's own; or the call's codec changed. Set buffer to 20ms and sample_rate to 8000, or let the switch ask for 20 ms"
)

// hint says what to do about an alarm.
func (r *Recording) hint(alarm string) string {
	if alarm != AlarmShort {
		return alarmHints[alarm]
	}
	st := r.State()
	switch {
	case st.Err != nil:
		return hintEarly
	case r.track.Held():
		return hintHeld
	case st.LastEnd.cutOff() && r.wentDead():
		return hintDead
	case r.track.Down() || st.LastEnd.cutOff():
		return hintDown
	case r.track.Slow():
		return hintSlow
	}
	return alarmHints[alarm]
}

// hintOfCall says what to do about the alarms of a call that has ended, if nothing else was said of them.
func hintOfCall(alarms []string) string {
	for _, kind := range alarms {
		if hint := alarmHints[kind]; hint != "" {
			return hint
		}
	}
	return ""
}

// wentDead says that the latest socket was there until the call's end.
func (r *Recording) wentDead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.ended.IsZero() && !r.gone.Before(r.ended)
}

// observe updates level, alarms and Speech once all that arrived has been read.
func (r *Recording) observe() {
	t := r.track
	r.received.Store(t.Received())
	if dbfs, ok := t.RecentLevel(); ok {
		r.level.Store(math.Float64bits(dbfs))
	}
	if t.OnlySilence(silenceAfter) {
		r.alarm(AlarmSilence)
	}
	if t.TooMuch() {
		r.alarm(AlarmLong)
	}
	r.askRestart()
	if w := r.watching; w != nil {
		r.answer(w, w.heard(t))
	}
	r.observeTalk()
	r.listen()
}

// observeTalk updates Talk.
func (r *Recording) observeTalk() {
	said, changed := r.track.Talk()
	if !changed {
		return
	}
	r.mu.Lock()
	r.state.Talk = said // which nobody else needs to write down
	r.mu.Unlock()
	r.signal()
}

// answer says once what was heard of a wish.
func (r *Recording) answer(w *SpeechWatch, heard Speech) {
	if heard == SpeechNothing {
		return
	}
	r.update(func(st *State) {
		if r.watch.CompareAndSwap(w, nil) { // else there is a newer wish
			st.Speech = heard
		}
	})
}

// heard returns what a track has heard of what is asked for.
func (w *SpeechWatch) heard(t *track.Track) Speech {
	switch {
	case w.Silence > 0 && t.QuietFor(w.Silence):
		return SpeechSilence
	case w.NoInput > 0 && t.NothingFor(w.NoInput):
		return SpeechNoInput
	}
	return SpeechNothing
}

// listen restarts the track's speech detection if WatchSpeech was called since.
func (r *Recording) listen() {
	w := r.watch.Load()
	if w != nil && w != r.watching {
		r.track.Listen(w.Level)
	}
	r.watching = w
}

// observeEnd raises the alarms that can only be known at the end.
func (r *Recording) observeEnd(sound track.Sound) {
	if r.track.Slowest(time.Now()) >= slowDiskTime {
		r.alarm(AlarmSlowDisk)
	}
	if r.track.OnlySilence(silenceAtEnd) {
		r.alarm(AlarmSilence)
	}
	nothing := sound.Bytes == 0 && sound.MissingMS >= noAudioAfter.Milliseconds() // has its own alarm
	if r.track.TooLittle() && !nothing && !errors.Is(r.State().Err, ErrMaxDuration) {
		r.alarm(AlarmShort)
	}
	for _, g := range sound.Gaps {
		if g.Reason == track.GapReconnect {
			r.metrics.gaps.Inc()
		}
	}
}

// askRestart asks the call to start its stream anew, or no longer.
func (r *Recording) askRestart() {
	if wrong := r.track.WrongRate(); wrong != r.state.WrongRate { // which nobody else changes
		r.update(func(st *State) { st.WrongRate = wrong })
	}
}

// alarm raises an alarm, once in a recording.
func (r *Recording) alarm(kind string) {
	if slices.Contains(r.state.Alarms, kind) { // which nobody else adds to
		return
	}
	r.update(func(st *State) { st.Alarms = append(st.Alarms, kind) })
	r.metrics.alarms.WithLabelValues(kind).Inc()
	where := zap.Skip()
	if kind == AlarmSlowDisk {
		where = zap.String("directory", r.store.Path(""))
	}
	r.log.Warn("stream alarm", zap.String("cause", kind), where, zap.String("hint", r.hint(kind)))
}
