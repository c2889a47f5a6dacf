package controller

import (
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"tapdeck/controller/transcript"
)

// placed is a recording of which each moment is at the same position.
type placed struct {
	Recording
	at time.Duration
}

func (p placed) Position(time.Time) time.Duration { return p.at }

// hearing is what a call without a session has transcribed.
func hearing() (*transcribing, *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.InfoLevel)
	c := &call{ctl: &Controller{}, log: zap.New(core), plan: Plan{LogTranscripts: true}, info: Info{UUID: "id"}}
	return &transcribing{c: c, notes: &Transcription{}}, logs
}

// Not more than so many calls wait for their last words, and those that wait are counted.
func TestLastWordsAreBounded(t *testing.T) {
	h, _ := hearing()
	h.c.ctl.lastWords.Store(maxLastWords)
	h.awaitEnd(t.Context()) // without a session, so that it must not wait
	if n := h.c.ctl.lastWords.Load(); n != maxLastWords || !h.crowded {
		t.Errorf("%d wait, crowded %v", n, h.crowded)
	}
	h.c.ctl.lastWords.Store(maxLastWords - 1)
	func() {
		defer func() { _ = recover() }()
		h.awaitEnd(t.Context())
	}()
	if n := h.c.ctl.lastWords.Load(); n != maxLastWords-1 || h.crowded {
		t.Errorf("%d wait after a panic, crowded %v", n, h.crowded)
	}
}

// Words without times that may still change do not count if they were said before the listening time, nor do as
// many at the begin of the text that follows.
func TestWordsBeforeTheListeningTime(t *testing.T) {
	const began = time.Second
	for name, c := range map[string]struct {
		to   time.Duration // of the words that come first
		want string
	}{"before": {began, "it"}, "within": {began + 1, "stop"}} {
		for _, final := range []bool{true, false} {
			h, _ := hearing()
			words := &h.c.words
			h.c.rec = placed{at: began}
			words.Begin()
			h.listen(transcript.Segment{Channel: transcript.ChannelCaller, To: c.to, Text: "please stop"})
			if words.Any() != (name == "within") {
				t.Errorf("%s: any %v", name, words.Any())
			}
			h.listen(transcript.Segment{Channel: transcript.ChannelCaller, To: 2 * began, Text: "please stop it", Final: final})
			if word, _ := words.Find([]string{"stop", "it"}); word != c.want {
				t.Errorf("%s, final %v: %q was said, want %q", name, final, word, c.want)
			}
		}
	}
}

// What is kept of a call's words is bounded. What is beyond that is counted, and its lines are those of a kind
// that the log limits.
func TestWordsOfACallAreBounded(t *testing.T) {
	half := strings.Repeat("x", maxSegmentText/2)
	for name, c := range map[string]struct {
		before int // segments
		texts  []string
		marked []bool // of each, that it has no room
	}{
		"segments":        {maxSegments - 1, []string{"last", "more", "more"}, []bool{false, true, true}},
		"text":            {0, []string{half, half, "more"}, []bool{false, false, true}},
		"text that fits":  {0, []string{half, half + "x", half}, []bool{false, true, false}},
		"text at one go":  {0, []string{half + half + "x"}, []bool{true}},
		"no text is room": {0, []string{half, half, ""}, []bool{false, false, false}},
	} {
		h, logs := hearing()
		h.notes.Segments = make([]transcript.Segment, c.before)
		for _, text := range c.texts {
			h.note(transcript.Segment{Text: text, Final: true})
		}
		var marked []bool
		dropped := 0
		for i, l := range logs.All() {
			limited := slices.ContainsFunc(l.Context, func(f zap.Field) bool { return f.Key == "ratelog" && f.String == "id" })
			if marked = append(marked, limited); c.marked[i] {
				dropped++
			}
		}
		if !slices.Equal(marked, c.marked) || h.notes.SegmentsDropped != dropped || len(h.notes.Segments) != c.before+len(c.texts)-dropped {
			t.Errorf("%s: lines that are limited: %v, want %v; %d segments, %d dropped", name, marked, c.marked, len(h.notes.Segments), h.notes.SegmentsDropped)
		}
	}
	if maxSegments != 10000 || maxSegmentText != 1<<20 {
		t.Errorf("%d segments, %d bytes of text", maxSegments, maxSegmentText)
	}
}
