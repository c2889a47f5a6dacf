package app

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/pcm"
	"tapdeck/sink"
	"tapdeck/sink/store"
)

// recorder is the sink as the controller knows one.
type recorder struct {
	sink *sink.Sink
	// lost counts the recordings and records that could not be kept.
	lost *atomic.Int64
	// instance is the daemon's name.
	instance string
}

// Expect implements controller.Recorder.
func (r recorder) Expect(info controller.Info, stream controller.StreamPlan) (controller.Recording, error) {
	call := r.callRecord(info, stream)
	rec, err := r.sink.Expect(call)
	switch {
	case errors.Is(err, sink.ErrTooManyStreams):
		return nil, &controller.RefusalError{Err: err, Hint: "sink.max_streams sets the limit"}
	case errors.Is(err, sink.ErrDiskLow):
		return nil, &controller.RefusalError{Err: err, Hint: "free some of the disk of sink.directory, or lower sink.min_free"}
	case errors.Is(err, sink.ErrDiskHangs):
		return nil, &controller.RefusalError{Err: err, Hint: "look at the disk of sink.directory, or the server that it is on; calls are accepted again as soon as it answers"}
	case errors.Is(err, sink.ErrClosed):
		return nil, &controller.RefusalError{Err: err}
	case err != nil:
		return nil, err
	}
	return &recording{rec, call, sync.OnceFunc(func() { r.lost.Add(1) })}, nil
}

// Save implements controller.Recorder. The record comes beside an error, too: the log
// may be all that keeps it.
func (r recorder) Save(info controller.Info, outcome controller.Outcome) (controller.Record, error) {
	record, err := r.sink.SaveRecord(withOutcome(r.callRecord(info, controller.StreamPlan{}), outcome, nil))
	if err != nil {
		r.lost.Add(1)
	}
	return kept(record, err)
}

// recording is one call's recording in the sink as the controller knows one.
type recording struct {
	*sink.Recording
	call store.Record // the call's side, without its outcome
	miss func()       // counts the recording or record as lost, once
}

// State implements controller.Recording.
func (r *recording) State() controller.StreamState {
	s := r.Recording.State()
	state := controller.StreamState{
		Connections: s.Connections, Live: s.Live, Audio: s.Audio, FirstAudioAt: s.FirstAudioAt,
		LevelDBFS: s.LevelDBFS, Speech: flow.Speech(s.Speech), Talk: controller.Talk(s.Talk), WrongRate: s.WrongRate, LastEnd: controller.StreamEnd(s.LastEnd), Err: s.Err,
	}
	if errors.Is(s.Err, sink.ErrMaxDuration) {
		state.Full, state.Err = true, nil
	}
	return state
}

// WatchSpeech implements controller.Recording.
func (r *recording) WatchSpeech(w flow.SpeechWatch) {
	r.Recording.WatchSpeech(sink.SpeechWatch(w))
}

// Tap implements controller.Recording.
func (r *recording) Tap(o controller.TapOptions) pcm.Ear {
	return ear{r.Recording.Tap(sink.TapOptions{Left: o.Caller, Latency: o.Latency, Buffer: o.Buffer})}
}

// Send implements controller.Recording.
func (r *recording) Send(text []byte) error {
	err := r.Recording.Send(text)
	if errors.Is(err, sink.ErrNoStream) {
		return controller.ErrNoStream
	}
	return err
}

// ear is a tap of the sink as the controller knows one.
type ear struct{ *sink.Tap }

// Read implements pcm.Ear.
func (e ear) Read(p []byte) (pcm.Sound, error) {
	read, err := e.Tap.Read(p)
	return pcm.Sound{At: read.At, Bytes: read.Bytes, Gap: read.Gap, Dropped: read.Dropped}, err
}

// Note implements controller.Recording. Of the words it notes those for which a sidecar can have room, so
// that a note costs the same whatever was said before.
func (r *recording) Note(sofar controller.Outcome) {
	sofar.Transcript = shortened(sofar.Transcript, store.NoteSegments)
	r.Recording.Note(withOutcome(r.call, sofar, r.Position))
}

// Finish implements controller.Recording. A recording that the disk cut short counts as
// lost, even if the rest of it is published.
func (r *recording) Finish(ctx context.Context) error {
	err := r.Recording.Finish(ctx)
	if err != nil || r.State().Err != nil {
		r.miss()
	}
	return err
}

// Save implements controller.Recording.
func (r *recording) Save(outcome controller.Outcome) (controller.Record, error) {
	record, err := r.Recording.Save(withOutcome(r.call, outcome, r.Position))
	if err != nil {
		r.miss()
	}
	return kept(record, err)
}

// kept is no record if the sink made none, else what the log and the list of ended calls
// have of it: a thousand of them are in memory.
func kept(record store.Record, err error) (controller.Record, error) {
	if record.Call == "" {
		return nil, err
	}
	return record.Brief(), err
}

// callRecord is the call's side of a record, as it is known when the stream starts.
func (r recorder) callRecord(info controller.Info, stream controller.StreamPlan) store.Record {
	return store.Record{
		Call: info.UUID, Caller: info.Caller, Destination: info.Destination, Plan: info.Plan, Variables: info.Variables, Started: info.Started,
		SampleRate: stream.SampleRate, Channels: stream.Channels(), Mix: stream.Mix,
		Version: Version(), Instance: r.instance,
	}
}

// withOutcome completes the call's side of a record. position is where in its recording a moment is,
// nil if it has none.
func withOutcome(r store.Record, o controller.Outcome, position func(time.Time) time.Duration) store.Record {
	r.Result, r.HangupCause, r.HungUpBy, r.ListenEndedBy = string(o.Result), o.HangupCause, o.HungUpBy, o.ListenEndedBy
	r.Ended, r.Restarts, r.Err, r.Hint, r.Alarms = o.Ended, o.Restarts, o.Err, o.Hint, o.Alarms
	r.Timeline = timeline(r.Started, o.Timeline)
	r.Digits, r.DigitsDropped, r.Prompts = digits(r.Started, o.Digits), o.DigitsDropped, prompts(r.Started, o.Prompts)
	if o.Agent != nil && position != nil {
		r.Agent = conversation(o.Agent, position)
	}
	if o.Transcript != nil {
		r.Transcript, r.TranscriptMissingMS = transcribed(o.Transcript), new(o.Transcript.Missing.Milliseconds())
	}
	if o.Variables != nil {
		r.Variables = o.Variables
	}
	return r
}

// shortened is a transcription with the first segments, as many as most, which counts the others as
// dropped; nil for nil.
func shortened(t *controller.Transcription, most int) *controller.Transcription {
	if t == nil || len(t.Segments) <= most {
		return t
	}
	p := *t
	p.Segments, p.SegmentsDropped = t.Segments[:most], t.SegmentsDropped+len(t.Segments)-most
	return &p
}

// transcribed is what was said, whose times are positions in the recording.
func transcribed(t *controller.Transcription) *store.Transcript {
	list := make([]store.Segment, len(t.Segments))
	for i, s := range t.Segments {
		list[i] = store.Segment{Channel: s.Channel, FromMS: s.From.Milliseconds(), ToMS: s.To.Milliseconds(), Text: s.Text, Confidence: s.Confidence}
	}
	return &store.Transcript{
		Format: t.Format, Model: t.Model, Language: t.Language, Connects: t.Connects, Reconnects: t.Reconnects,
		Segments: list, SegmentsDropped: t.SegmentsDropped, WrongMessages: t.WrongMessages, Err: t.Err, Hint: t.Hint,
	}
}

// conversation is one with a bot, at its positions in the recording.
func conversation(c *controller.Conversation, position func(time.Time) time.Duration) *store.Agent {
	a := &store.Agent{
		Format: c.Format, Connects: c.Connects, Reconnects: c.Reconnects, BargeIns: c.BargeIns, EndedBy: c.EndedBy,
		DroppedMS: c.Dropped.Milliseconds(), RefusedMS: c.Refused.Milliseconds(), LostMS: c.Lost.Milliseconds(), UtterancesDropped: c.UtterancesDropped, WrongMessages: c.WrongMessages,
		Utterances: make([]store.Utterance, len(c.Utterances)), ResponseMS: make([]int64, len(c.Responses)),
	}
	at := func(moment time.Time) *int64 {
		if moment.IsZero() {
			return nil
		}
		ms := position(moment).Milliseconds()
		return &ms
	}
	a.ConnectedMS, a.FirstAudioMS = at(c.ConnectedAt), at(c.FirstAudioAt)
	for i, u := range c.Utterances {
		a.Utterances[i] = store.Utterance{FromMS: position(u.From).Milliseconds(), ToMS: position(u.To).Milliseconds(), Cleared: u.Cleared}
	}
	for i, took := range c.Responses {
		a.ResponseMS[i] = took.Milliseconds()
	}
	return a
}

// digits are what a caller pressed, in ms since the call started.
func digits(started time.Time, pressed []flow.Digit) []store.Digit {
	list := make([]store.Digit, len(pressed))
	for i, d := range pressed {
		list[i] = store.Digit{AtMS: d.At.Sub(started).Milliseconds(), Digit: d.Digit, Step: d.Step}
	}
	return list
}

// prompts are what a caller was played, in ms since the call started.
func prompts(started time.Time, played []flow.Prompt) []store.Prompt {
	list := make([]store.Prompt, len(played))
	for i, p := range played {
		list[i] = store.Prompt{File: p.File, Step: p.Step, AtMS: p.Began.Sub(started).Milliseconds(), HeardMS: p.Heard.Milliseconds(), EndedBy: p.EndedBy}
	}
	return list
}

// timeline is the moments of a call, in ms since it started.
func timeline(started time.Time, t controller.Timeline) store.Timeline {
	list := make(store.Timeline, 0, len(t))
	for _, m := range t {
		list.Add(m.Name, m.At.Sub(started).Milliseconds())
	}
	return list
}
