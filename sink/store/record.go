package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"go.uber.org/zap/zapcore"

	"tapdeck/sink/track"
)

// Record is what is kept of one call, as JSON beside its WAV. What the call's side says is
// above Sound and, but for stream_connected and first_audio, in Timeline; Restarts, Alarms and
// Err are of both sides.
type Record struct {
	// Call is the ID of the call's channel, most often a UUID; see CheckID.
	Call        string `json:"call"`
	Caller      string `json:"caller"`
	Destination string `json:"destination"`
	Plan        string `json:"plan"`
	// Result is one word of the closed list of how calls end.
	Result        string `json:"result"`
	HangupCause   string `json:"hangup_cause"`
	HungUpBy      string `json:"hung_up_by"`
	ListenEndedBy string `json:"listen_ended_by"`
	// Started is the zero of Timeline, and its UTC day is the folder.
	Started    time.Time `json:"started"`
	Ended      time.Time `json:"ended,omitzero"`
	Timeline   Timeline  `json:"timeline"`
	SampleRate int       `json:"sample_rate"`
	Channels   int       `json:"channels"`
	// Mix is "mono", "mixed" or "stereo"; the caller is the left channel of "stereo".
	Mix string `json:"mix"`
	track.Sound
	// WAV is relative to the recordings' directory, with slashes; empty if there is none.
	WAV string `json:"wav"`
	// AudioSHA256 is of the WAV's PCM bytes, in hex.
	AudioSHA256 string `json:"audio_sha256"`
	// Metadata are the text frames that came with the audio, 16 KiB at most, and
	// MetadataDropped counts those beyond the bounds.
	Metadata        []string `json:"metadata"`
	MetadataDropped int      `json:"metadata_dropped,omitempty"`
	// MetadataInFile counts the text frames that a Brief record leaves out.
	MetadataInFile int      `json:"metadata_in_file,omitempty"`
	Restarts       int      `json:"restarts"`
	Alarms         []string `json:"alarms"`
	Err            string   `json:"err,omitempty"`
	// Hint says what to do about Err.
	Hint      string `json:"hint,omitempty"`
	Recovered bool   `json:"recovered"`
}

// Brief is a record for the log and for those that are kept in memory: without the text
// frames, which the record's file has.
func (r Record) Brief() Record {
	r.MetadataInFile, r.Metadata = len(r.Metadata), nil
	return r
}

// MarshalJSON gives every record the same shape: a list that is empty is [], not null, and
// times are UTC.
func (r Record) MarshalJSON() ([]byte, error) { return json.Marshal(r.plain()) }

type plainRecord Record // without MarshalJSON

func (r *Record) plain() *plainRecord {
	p := plainRecord(*r)
	p.Started, p.Ended = p.Started.UTC(), p.Ended.UTC()
	for _, list := range []*[]string{&p.Alarms, &p.Metadata} {
		if *list == nil {
			*list = []string{}
		}
	}
	if p.Gaps == nil {
		p.Gaps = []track.Gap{}
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
	_, err = dec.Token()
	for err == nil && dec.More() {
		var value json.RawMessage
		name, _ := dec.Token() // it decodes what it has just encoded
		if err = dec.Decode(&value); err == nil {
			err = enc.AddReflected(name.(string), value)
		}
	}
	return err
}

func encodeRecord(record *Record) ([]byte, error) {
	b, err := json.MarshalIndent(record.plain(), "", "  ")
	return append(b, '\n'), err
}
