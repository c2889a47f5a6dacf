package controller

import (
	"context"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/dialer"
	"tapdeck/controller/transcript"
)

const (
	// maxSegments and maxSegmentText, in bytes, bound what is kept of a call's words: hours of them.
	maxSegments    = 10000
	maxSegmentText = 1 << 20
	// shutdownFinalTimeout bounds the wait for the last words once tapdeck is told to stop.
	shutdownFinalTimeout = 3 * time.Second
	// maxLastWords bounds the calls that wait for their last words at a time.
	maxLastWords = 1000
	// transcriptLatency is how late a service may have the audio: as late as the sink reads it anyway.
	transcriptLatency = 200 * time.Millisecond
	// alarmTranscript is the alarm of a call whose audio the service has not answered to its end.
	alarmTranscript = "transcript_incomplete"
)

// transcribing is a call's transcription while it goes on. The session has goroutines of its own, which reach
// the call by Changed only; all else is the call's goroutine's. Its methods do nothing of nil.
type transcribing struct {
	c       *call
	session *transcript.Session
	notes   *Transcription
	text    int  // bytes that are kept
	crowded bool // too many calls waited for their last words
}

// startTranscription begins to transcribe the recording, if the plan says so. What fails of that is no
// reason to end the call.
func (c *call) startTranscription() {
	service := c.plan.Transcribe
	if service.URL == "" || c.rec == nil || c.outcome.Transcript != nil {
		return
	}
	notes := &Transcription{Format: service.Format, Model: service.Model, Language: service.Language}
	c.outcome.Transcript = notes
	key, err := service.Key()
	if err != nil {
		notes.Err, notes.Hint, c.neverHeard = err.Error(), hintKey, true
		c.log.Warn("transcription failed", zap.NamedError("err", err), zap.String("hint", hintKey))
		return
	}
	channels := c.plan.Stream.Transcribed(service.Multichannel())
	ear := c.rec.Tap(TapOptions{Caller: len(channels) == 1, Latency: transcriptLatency, Buffer: service.Buffer})
	session := transcript.Start(transcript.Config{
		Service: service, Key: key, Rate: c.plan.Stream.SampleRate, Channels: channels, Call: c.info.UUID, Position: c.rec.Position,
	}, ear, c.log, c.ctl.metrics.transcript)
	c.transcribing = &transcribing{c: c, session: session, notes: notes}
}

const hintKey = "transcribe.key_file or key_env must hold the service's key, and tapdeck must be allowed to read it"

// Transcribed are the channels of the stream that a service is given.
func (s StreamPlan) Transcribed(multichannel bool) []string {
	switch {
	case s.Mix == "mixed":
		return []string{transcript.ChannelBoth}
	case s.Mix == "stereo" && multichannel:
		return []string{transcript.ChannelCaller, transcript.ChannelCallee}
	}
	return []string{transcript.ChannelCaller}
}

// changed delivers a value if there is something new; nil if nothing is transcribed.
func (t *transcribing) changed() <-chan struct{} {
	if t == nil {
		return nil
	}
	return t.session.Changed()
}

// update notes what the service has said.
func (t *transcribing) update() {
	for _, segment := range t.session.News() {
		t.note(segment)
	}
	state := t.session.State()
	t.notes.Connects, t.notes.Reconnects, t.notes.WrongMessages, t.notes.Missing = state.Connects, state.Reconnects, state.WrongMessages, state.Missing
	if state.GivenUp && t.notes.Err == "" {
		t.failed(state)
	}
	t.c.showTranscript()
}

func (t *transcribing) note(segment transcript.Segment) {
	c, kind := t.c, EventTranscriptInterim
	t.listen(segment)
	if segment.Final {
		kind = EventTranscriptFinal
		limit := zap.Skip()
		if !t.keep(segment) {
			limit = ratelog(c.info.UUID)
		}
		if c.plan.LogTranscripts {
			c.log.Info("transcript", zap.String("channel", segment.Channel), zap.Int64("from_ms", segment.From.Milliseconds()),
				zap.Int64("to_ms", segment.To.Milliseconds()), zap.String("text", segment.Text), limit)
		}
	}
	c.emit(kind, segment)
}

// listen has the caller's words count for a listening time in which they were said.
func (t *transcribing) listen(segment transcript.Segment) {
	c := t.c
	if segment.Channel == transcript.ChannelCallee {
		return
	}
	since := c.words.Since()
	if since.IsZero() {
		c.words.Hear(segment.Text, segment.Final)
		return
	}
	began := c.rec.Position(since)
	if !segment.Final && len(segment.Words) == 0 && segment.To <= began {
		c.words.HearEarlier(segment.Text)
		return
	}
	timed := len(segment.Words) > 0
	if segment = segment.After(began); timed {
		c.words.HearAll(segment.Text, segment.Final)
	} else {
		c.words.Hear(segment.Text, segment.Final)
	}
}

// keep keeps a final segment for the record, and says whether there was room.
func (t *transcribing) keep(segment transcript.Segment) bool {
	if len(t.notes.Segments) >= maxSegments || t.text+len(segment.Text) > maxSegmentText {
		t.notes.SegmentsDropped++
		return false
	}
	t.text += len(segment.Text)
	t.notes.Segments = append(t.notes.Segments, segment)
	return true
}

// failed says that the service is given up.
func (t *transcribing) failed(state transcript.State) {
	t.notes.Err, t.notes.Hint = state.Err.Error(), state.Hint
	t.c.log.Warn("transcription failed", zap.String("service", dialer.WithoutSecrets(t.c.plan.Transcribe.URL)), zap.NamedError("err", state.Err), hintField(state.Hint))
}

// endTranscription waits for the last words. The call is over for all others: its recording has ended, and
// neither the switch nor the next call waits for what a service may say. A drain does, as for a call that runs.
func (c *call) endTranscription(serving context.Context) {
	if c.outcome.Transcript == nil {
		return
	}
	if c.transcribing != nil {
		c.outcome.Ended = time.Now()
		c.beginStep("last_words")
		c.ctl.letGo(c)
		c.conn.Close()
		c.transcribing.awaitEnd(serving)
		c.transcribing.stop()
	}
	c.noteIncomplete()
}

// awaitEnd waits for the session's end, within a bound, unless too many calls do.
func (t *transcribing) awaitEnd(serving context.Context) {
	defer t.c.ctl.lastWords.Add(-1)
	if t.crowded = t.c.ctl.lastWords.Add(1) > maxLastWords; t.crowded {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(serving), t.c.plan.Transcribe.FinalTimeout)
	defer cancel()
	defer context.AfterFunc(serving, func() { time.AfterFunc(shutdownFinalTimeout, cancel) })()
	for {
		select {
		case <-t.session.Changed():
			t.update()
		case <-t.session.Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

// stop ends the session, wherever it is.
func (t *transcribing) stop() {
	if t == nil {
		return
	}
	t.session.Stop()
	t.update()
	t.c.transcribing = nil
	switch state := t.session.State(); {
	case t.notes.Err != "" || state.Missing == 0:
	case t.crowded:
		t.notes.Err, t.notes.Hint = errCrowded, hintCrowded
	case state.Err != nil:
		t.notes.Err, t.notes.Hint = state.Err.Error(), state.Hint
	}
}

// Why a call does not wait for its last words, and what to do.
const (
	errCrowded  = "1000 calls wait for their last words already, and this one did not"
	hintCrowded = "the service is much too slow: look at its machine, let it hear fewer calls, or lower transcribe.final_timeout; `tapdeck transcribe` makes up for what is missing"
)

// noteIncomplete says that the service has not answered all of the audio.
func (c *call) noteIncomplete() {
	notes := c.outcome.Transcript
	if notes == nil {
		return
	}
	if c.neverHeard {
		notes.Missing = c.rec.State().Audio.Round(time.Millisecond)
		c.ctl.metrics.transcript.NotBegun(notes.Missing)
	}
	if notes.Missing == 0 {
		return
	}
	if notes.Err == "" {
		notes.Err, notes.Hint = "the service has not answered all of the audio", transcript.HintLate
	}
	c.outcome.Alarms = append(c.outcome.Alarms, alarmTranscript)
	c.log.Warn("transcript incomplete", zap.Int64("missing_ms", notes.Missing.Milliseconds()), zap.String("err", notes.Err), hintField(notes.Hint))
}

// emit tells whoever wants to know of something that has happened.
func (c *call) emit(kind EventKind, data any) {
	if c.ctl.cfg.Observer != nil {
		c.ctl.cfg.Observer.Observe(Event{Kind: kind, Call: c.info.UUID, At: time.Now(), Data: data})
	}
}
