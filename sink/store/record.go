package store

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap/zapcore"

	"tapdeck/sink/track"
)

// Schema is the shape of a record. It rises only if a field changes its meaning or goes; fields
// that are new leave it as it is.
const Schema = 1

// MaxDigits bounds a record's digits; more are only counted.
const MaxDigits = 1000

// Digit is a DTMF digit of the caller, AtMS after the call started, as in Timeline.
type Digit struct {
	AtMS  int64  `json:"at_ms"`
	Digit string `json:"digit"`
	// Step is the one that ran, by its name in the timeline: listen_2.
	Step string `json:"step"`
}

// Prompt is a file that was played to the caller, or should have been.
type Prompt struct {
	File string `json:"file"`
	Step string `json:"step"`
	// AtMS is when it began, counted as in Timeline, and HeardMS how much of it the caller heard.
	AtMS    int64 `json:"at_ms"`
	HeardMS int64 `json:"heard_ms"`
	// EndedBy is end, digit, hangup, transfer, not_found or error; empty in a recovered record if it
	// still played.
	EndedBy string `json:"ended_by"`
}

// Record is what is kept of one call, as JSON beside its WAV. What the call's side says is
// above Sound and, but for stream_connected and first_audio, in Timeline, and Version and Instance;
// Restarts, Alarms and Err are of both sides.
type Record struct {
	// Call is the ID of the call's channel, most often a UUID; see CheckID.
	Call        string `json:"call"`
	Caller      string `json:"caller"`
	Destination string `json:"destination"`
	Plan        string `json:"plan"`
	// Variables are those channel variables that the configuration names and the call had.
	Variables map[string]string `json:"variables"`
	// VariablesInFile counts those that a Brief record leaves out.
	VariablesInFile int `json:"variables_in_file,omitempty"`
	// Result is one word of the closed list of how calls end.
	Result        string `json:"result"`
	HangupCause   string `json:"hangup_cause"`
	HungUpBy      string `json:"hung_up_by"`
	ListenEndedBy string `json:"listen_ended_by"`
	// Started is the zero of Timeline, and its UTC day is the folder.
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended,omitzero"`
	Timeline Timeline  `json:"timeline"`
	// Digits are in the order of time, MaxDigits at most, and DigitsDropped counts those beyond.
	Digits        []Digit `json:"digits"`
	DigitsDropped int     `json:"digits_dropped,omitempty"`
	// DigitsInFile counts those that a Brief record leaves out.
	DigitsInFile int      `json:"digits_in_file,omitempty"`
	Prompts      []Prompt `json:"prompts"`
	// PromptsInFile counts those that a Brief record leaves out.
	PromptsInFile int `json:"prompts_in_file,omitempty"`
	// Agent is the conversation with a bot, nil if there was none.
	Agent *Agent `json:"agent,omitempty"`
	// Transcript is what was said, nil if nothing was to be transcribed, and TranscriptMissingMS how much
	// of the recording's audio the service did not say that it has heard: there exactly if Transcript is. If
	// tapdeck ended before the call, all that follows the last segment is missing.
	Transcript          *Transcript `json:"transcript,omitempty"`
	TranscriptMissingMS *int64      `json:"transcript_missing_ms,omitempty"`
	SampleRate          int         `json:"sample_rate"`
	Channels            int         `json:"channels"`
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
	// Schema is the constant, whatever it was before the record was encoded.
	Schema int `json:"schema"`
	// Version is the program's and Instance the daemon's name; both are empty if a crash left
	// nothing but the audio.
	Version  string `json:"version"`
	Instance string `json:"instance"`
}

// What a Brief record has at most: a thousand of them are in memory.
const (
	briefDigits    = 50
	briefPrompts   = 50
	briefVariables = 4 << 10 // bytes of names and values
)

// Brief is a record for the log and for those that are kept in memory: without the text
// frames, and without the digits, words and variables beyond a bound. The record's file has them all.
func (r Record) Brief() Record {
	r.MetadataInFile, r.Metadata = len(r.Metadata), nil
	if more := len(r.Digits) - briefDigits; more > 0 {
		r.DigitsInFile, r.Digits = more, slices.Clone(r.Digits[:briefDigits])
	}
	if more := len(r.Prompts) - briefPrompts; more > 0 {
		r.PromptsInFile, r.Prompts = more, slices.Clone(r.Prompts[:briefPrompts])
	}
	r.Agent, r.Transcript = r.Agent.brief(), r.Transcript.brief()
	r.Variables, r.VariablesInFile = withoutLong(r.Variables, briefVariables)
	return r
}

// withoutLong leaves out the longest variables until the others have at most so many bytes.
func withoutLong(variables map[string]string, most int) (kept map[string]string, left int) {
	size := func(name string) int { return len(name) + len(variables[name]) }
	total := 0
	for name := range variables {
		total += size(name)
	}
	if total <= most {
		return variables, 0
	}
	names := slices.SortedFunc(maps.Keys(variables), func(a, b string) int {
		return cmp.Or(cmp.Compare(size(b), size(a)), cmp.Compare(a, b))
	})
	kept = maps.Clone(variables)
	for ; total > most; left++ {
		total -= size(names[left])
		delete(kept, names[left])
	}
	return kept, left
}

// MarshalJSON gives every record the same shape: a list that is empty is [], not null, and
// times are UTC.
func (r Record) MarshalJSON() ([]byte, error) { return json.Marshal(r.plain()) }

type plainRecord Record // without MarshalJSON

func (r *Record) plain() *plainRecord {
	p := plainRecord(*r)
	p.Started, p.Ended = p.Started.UTC(), p.Ended.UTC()
	p.Alarms, p.Metadata, p.Gaps = orEmpty(p.Alarms), orEmpty(p.Metadata), orEmpty(p.Gaps)
	p.Prompts, p.Digits = orEmpty(p.Prompts), orEmpty(p.Digits)
	if more := len(p.Digits) - MaxDigits; more > 0 {
		p.Digits, p.DigitsDropped = p.Digits[:MaxDigits], p.DigitsDropped+more
	}
	p.Agent, p.Transcript = p.Agent.whole(), p.Transcript.whole()
	switch {
	case p.Transcript == nil:
		p.TranscriptMissingMS = nil
	case p.TranscriptMissingMS == nil:
		p.TranscriptMissingMS = new(int64)
	}
	if p.Variables == nil {
		p.Variables = map[string]string{}
	}
	p.Schema = Schema
	return &p
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// MarshalLogObject gives a log line the record's fields by their JSON names, but nothing that was said.
func (r Record) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	r.Transcript = r.Transcript.logged()
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
