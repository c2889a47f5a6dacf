package store

import (
	"cmp"
	"slices"
)

// AlarmTranscript is what a record's Alarms say if the service did not hear all of the audio.
const AlarmTranscript = "transcript_incomplete"

// Transcript is what a service has made of what was said in a call. Its times are positions in the
// recording, in ms.
type Transcript struct {
	// Format is the wire: deepgram or vosk.
	Format string `json:"format"`
	// Model and Language are the plan's; empty leaves them to the service.
	Model    string `json:"model"`
	Language string `json:"language"`
	// Connects counts the connections that were made, and Reconnects those of them that came after a
	// loss.
	Connects   int `json:"connects"`
	Reconnects int `json:"reconnects"`
	// Segments are the final ones; a record has them in the order of time, as many as MaxSegments and
	// MaxSegmentText allow.
	Segments []Segment `json:"segments"`
	// SegmentsDropped counts those beyond the bounds.
	SegmentsDropped int `json:"segments_dropped,omitempty"`
	// SegmentsInFile counts those that a Brief record, or a line of the log, leaves out.
	SegmentsInFile int `json:"segments_in_file,omitempty"`
	// WrongMessages counts those of the service that were not as they should be.
	WrongMessages int `json:"wrong_messages"`
	// VTT is the file of the words, relative to the recordings' directory, with slashes; empty if there
	// is none. Save and Recover fill it in.
	VTT string `json:"vtt"`
	// Err is why words are missing, and Hint what to do; empty if none are.
	Err  string `json:"err,omitempty"`
	Hint string `json:"hint,omitempty"`
}

// Segment is what was said on one channel at one go.
type Segment struct {
	// Channel is caller, callee or both.
	Channel string `json:"channel"`
	FromMS  int64  `json:"from_ms"`
	ToMS    int64  `json:"to_ms"`
	Text    string `json:"text"`
	// Confidence is the service's, 0 to 1; 0 if it gave none.
	Confidence float64 `json:"confidence,omitempty"`
}

const (
	// MaxSegments and MaxSegmentText, in bytes of text, bound a record's segments; more are only counted.
	MaxSegments    = 10_000
	MaxSegmentText = 1 << 20

	// NoteSegments is how many segments of a running call are worth keeping: a sidecar has room for half of
	// them at most, and those that were said first are among those that came first.
	NoteSegments = 2 * page / leastSegment

	leastSegment = len(`{"channel":"both","from_ms":0,"to_ms":0,"text":""}`)

	// What a Brief record has at most.
	briefSegments    = 50
	briefSegmentText = 4 << 10
)

// fitting is how many segments, the first ones, are most at most and have at most so many bytes of text, of
// which each has so many more.
func fitting(segments []Segment, most, bytes, more int) int {
	for i := range segments[:min(len(segments), most)] {
		if bytes -= len(segments[i].Text) + more; bytes < 0 {
			return i
		}
	}
	return min(len(segments), most)
}

// inOrder are segments in the order of time; those of the same ms stay in theirs. It may be the list
// itself.
func inOrder(segments []Segment) []Segment {
	byTime := func(a, b Segment) int { return cmp.Compare(a.FromMS, b.FromMS) }
	if !slices.IsSortedFunc(segments, byTime) {
		segments = slices.Clone(segments)
		slices.SortStableFunc(segments, byTime)
	}
	return segments
}

// keep leaves out, and counts as dropped, all segments but the first n.
func (t *Transcript) keep(n int) {
	t.Segments, t.SegmentsDropped = t.Segments[:n], t.SegmentsDropped+len(t.Segments)-n
}

// whole is a transcript of its own, in order, within the bounds and without null; nil for nil.
func (t *Transcript) whole() *Transcript {
	if t == nil {
		return nil
	}
	p := *t
	p.Segments = orEmpty(inOrder(p.Segments))
	p.keep(fitting(p.Segments, MaxSegments, MaxSegmentText, 0))
	return &p
}

// Within is a transcript of its own whose times are in a recording of so many ms: what was said behind its
// end has no length there. nil for nil.
func (t *Transcript) Within(ms int64) *Transcript {
	if t == nil {
		return nil
	}
	p := *t
	p.Segments = slices.Clone(p.Segments)
	for i := range p.Segments {
		s := &p.Segments[i]
		s.FromMS, s.ToMS = min(s.FromMS, ms), min(s.ToMS, ms)
	}
	return &p
}

// end is where the last of the segments ends; 0 if there are none.
func (t *Transcript) end() (ms int64) {
	for i := range t.Segments {
		ms = max(ms, t.Segments[i].ToMS)
	}
	return ms
}

// brief is a transcript for those that are kept in memory; nil for nil.
func (t *Transcript) brief() *Transcript {
	return t.without(func(s []Segment) int { return fitting(s, briefSegments, briefSegmentText, 0) })
}

// logged is a transcript for the log, which has none of the words: who turns off the lines of the
// segments wants no words there. nil for nil.
func (t *Transcript) logged() *Transcript {
	return t.without(func([]Segment) int { return 0 })
}

// without is a transcript of its own that has only the first segments, as many as kept says of all, and
// counts the others as those of the file; nil for nil.
func (t *Transcript) without(kept func([]Segment) int) *Transcript {
	p := t.whole()
	if p == nil {
		return nil
	}
	n := kept(p.Segments)
	p.SegmentsInFile += len(p.Segments) - n
	p.Segments = append(make([]Segment, 0, n), p.Segments[:n]...)
	return p
}

// noted is a transcript of its own with no more segments than may fit into a page, the first ones; nil for
// nil. What a call has said in hours is not gone through for every sidecar.
func (t *Transcript) noted() *Transcript {
	if t == nil {
		return nil
	}
	p := *t
	p.keep(min(len(p.Segments), NoteSegments))
	p.Segments = inOrder(p.Segments)
	p.keep(fitting(p.Segments, len(p.Segments), page, leastSegment))
	return &p
}

// size is about what the segments take in a sidecar, in bytes.
func (t *Transcript) size() (bytes int) {
	if t == nil {
		return 0
	}
	for i := range t.Segments {
		bytes += len(t.Segments[i].Text) + leastSegment
	}
	return bytes
}

// shorten leaves out the last quarter of the segments, and one at least.
func (t *Transcript) shorten() { t.keep(len(t.Segments) * 3 / 4) }
