package sink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"go.uber.org/zap/zapcore"

	"tapdeck/wav"
)

// Call is what the sink is told of a call when its stream is about to start.
type Call struct {
	// ID is the call's UUID, canonical and in lower case.
	ID string
	// Caller, Destination and Plan are kept in the record.
	Caller, Destination, Plan string
	// Started is when the call began: the zero of its timeline, and its UTC day is
	// the recording's folder. Zero means now.
	Started time.Time
	// Format of the stream: 1 or 2 channels.
	Format wav.Format
	// Mix is "mono", "mixed" or "stereo", kept in the record. The caller's voice is
	// the left channel of a stereo stream.
	Mix string
	// Consumer, if not nil, is given the audio as it comes.
	Consumer Consumer
}

// Consumer takes a call's audio live. Its methods are called in the stream's own
// goroutine and must not block: what they cost is added to the delay of the
// recording. With a ReadInterval of 0 every frame is given as soon as it is there.
type Consumer interface {
	// Audio is given whole frames of PCM in the call's format, valid until it
	// returns. The silence between two sockets is not given.
	Audio(pcm []byte)
	// End says that a socket has ended; after another one, Audio may follow.
	End()
}

// Outcome is what the call's side tells for the record.
type Outcome struct {
	// Result is one word of the closed list of a call's endings.
	Result string
	// HangupCause, HungUpBy and ListenEndedBy are kept as they are.
	HangupCause, HungUpBy, ListenEndedBy string
	// Ended is when the call was over.
	Ended time.Time
	// Timeline of the call; StreamConnected and FirstAudio are filled in by the sink.
	Timeline Timeline
	// Restarts counts how often the stream was started anew.
	Restarts int
	// Err is what went wrong, in words; empty if nothing did.
	Err string
	// Alarms are the call's own, such as no_socket. Save counts them.
	Alarms []string
}

// Timeline holds the moments of a call in ms since its start; nil is never.
type Timeline struct {
	Connect         *int64 `json:"connect,omitempty"`
	Answer          *int64 `json:"answer,omitempty"`
	Tone            *int64 `json:"tone,omitempty"`
	StreamStart     *int64 `json:"stream_start,omitempty"`
	StreamConnected *int64 `json:"stream_connected,omitempty"`
	FirstAudio      *int64 `json:"first_audio,omitempty"`
	Prompt          *int64 `json:"prompt,omitempty"`
	Listen          *int64 `json:"listen,omitempty"`
	Stop            *int64 `json:"stop,omitempty"`
	Hangup          *int64 `json:"hangup,omitempty"`
}

// Record is what is kept of one call, as JSON beside its WAV.
type Record struct {
	Call          string    `json:"call"`
	Caller        string    `json:"caller"`
	Destination   string    `json:"destination"`
	Plan          string    `json:"plan"`
	Result        string    `json:"result"`
	HangupCause   string    `json:"hangup_cause"`
	HungUpBy      string    `json:"hung_up_by"`
	ListenEndedBy string    `json:"listen_ended_by"`
	Started       time.Time `json:"started"`
	Ended         time.Time `json:"ended,omitzero"`
	Timeline      Timeline  `json:"timeline"`
	SampleRate    int       `json:"sample_rate"`
	Channels      int       `json:"channels"`
	Mix           string    `json:"mix"`
	Sound
	Restarts  int      `json:"restarts"`
	Alarms    []string `json:"alarms"`
	Err       string   `json:"err,omitempty"`
	Recovered bool     `json:"recovered"`
}

// Sound is what a record tells of the audio.
type Sound struct {
	// AudioMS is the length of the WAV, the silence of its gaps included.
	AudioMS int64 `json:"audio_ms"`
	// MissingMS is how much less audio came than the time from the first sample (or,
	// where none came, the first socket) to the end of the last socket would give; below a frame and 60 ms it is 0.
	MissingMS int64 `json:"missing_ms"`
	// LargestPauseMS is the longest time without audio on a live socket. Where reads
	// are coalesced, one shorter than the read interval is told from the audio that lacks.
	LargestPauseMS int64 `json:"largest_pause_ms"`
	Gaps           []Gap `json:"gaps"`
	// Connections counts the sockets.
	Connections int `json:"connections"`
	// Bytes of PCM received.
	Bytes int64 `json:"bytes"`
	// RMSDBFS and PeakDBFS are of the audio received, silence of gaps left out; -100
	// is no signal at all.
	RMSDBFS  float64 `json:"rms_dbfs"`
	PeakDBFS float64 `json:"peak_dbfs"`
	// DigitalSilence says that no sample of the caller was anything but 0 or -1.
	DigitalSilence bool `json:"digital_silence"`
	// WAV is relative to the recordings' directory, empty if there is none.
	WAV string `json:"wav"`
	// AudioSHA256 is of the WAV's PCM bytes, in hex.
	AudioSHA256 string `json:"audio_sha256"`
	// Metadata are the text frames that came with the audio, and MetadataDropped
	// counts those beyond the bound.
	Metadata        []string `json:"metadata"`
	MetadataDropped int      `json:"metadata_dropped,omitempty"`
}

// MarshalJSON gives every record the same shape: a list that is empty is [], not null.
func (r Record) MarshalJSON() ([]byte, error) { return json.Marshal(r.plain()) }

type plainRecord Record // without MarshalJSON

func (r *Record) plain() *plainRecord {
	p := plainRecord(*r)
	for _, list := range []*[]string{&p.Alarms, &p.Metadata} {
		if *list == nil {
			*list = []string{}
		}
	}
	if p.Gaps == nil {
		p.Gaps = []Gap{}
	}
	return &p
}

// MarshalLogObject gives a log line the record's fields by their JSON names.
func (r Record) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	raw, err := json.Marshal(r.plain())
	if err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	for dec.More() {
		var value json.RawMessage
		name, err := dec.Token()
		if err == nil {
			err = dec.Decode(&value)
		}
		if err == nil {
			err = enc.AddReflected(name.(string), value)
		}
		if err != nil {
			return fmt.Errorf("encode record: %w", err)
		}
	}
	return nil
}

func newRecord(call Call) Record {
	return Record{
		Call: call.ID, Caller: call.Caller, Destination: call.Destination, Plan: call.Plan,
		Started:    call.Started.UTC(),
		SampleRate: call.Format.SampleRate, Channels: call.Format.Channels, Mix: call.Mix,
	}
}

func (r *Record) setOutcome(o Outcome) {
	connected, first := r.Timeline.StreamConnected, r.Timeline.FirstAudio
	r.Result, r.HangupCause, r.HungUpBy = o.Result, o.HangupCause, o.HungUpBy
	r.ListenEndedBy, r.Ended = o.ListenEndedBy, o.Ended.UTC()
	r.Timeline = o.Timeline
	r.Timeline.StreamConnected, r.Timeline.FirstAudio = connected, first
	r.Restarts = o.Restarts
	if o.Err != "" {
		r.Err = o.Err
	}
	r.Alarms = append(r.Alarms, o.Alarms...)
}

// sinceMS returns a moment in ms since start, nil for the zero time.
func sinceMS(start, at time.Time) *int64 {
	if at.IsZero() {
		return nil
	}
	ms := at.Sub(start).Milliseconds()
	return &ms
}
