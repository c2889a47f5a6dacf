package transcript

import (
	"strings"
	"time"
)

// Segment is what was said on one channel at one go.
type Segment struct {
	// Channel is ChannelCaller, ChannelCallee or ChannelBoth.
	Channel string
	// From and To are positions in the recording.
	From, To time.Duration
	// Text is one line of plain text. It is empty, and not final, if the words before it, which were not
	// final, turned out to be none.
	Text string
	// Confidence is the service's, 0 to 1; 0 if it gives none.
	Confidence float64
	// Words are those of Text, if the service tells where each was spoken.
	Words []Word
	// Final says that the words stay as they are. The next segment of the channel replaces one that is
	// not final.
	Final bool
}

// Word is one word of a segment, with its positions in the recording.
type Word struct {
	Text     string
	From, To time.Duration
}

// After is what was said after a position: the segment without the words of which half was said by then.
// Without Words it is the whole segment, or nothing if all of it ended there or before.
func (s Segment) After(position time.Duration) Segment {
	switch {
	case s.From >= position:
		return s
	case s.To <= position:
		s.From, s.To, s.Text, s.Words = position, position, "", nil
		return s
	case len(s.Words) == 0:
		return s
	}
	var texts []string
	var words []Word
	for _, w := range s.Words {
		if (w.From+w.To)/2 > position {
			texts, words = append(texts, w.Text), append(words, w)
		}
	}
	s.Text, s.Words = strings.Join(texts, " "), words
	if len(words) > 0 {
		s.From = words[0].From
	}
	return s
}

// The channels of a recording, by who is heard on them.
const (
	ChannelCaller = "caller" // of mono and, on the left, of stereo
	ChannelCallee = "callee" // on the right of stereo: all that the caller hears
	ChannelBoth   = "both"   // of mixed
)
