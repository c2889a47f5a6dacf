package transcript

import "time"

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
	// Final says that the words stay as they are. The next segment of the channel stands in the place
	// of one that is not final.
	Final bool
}

// The channels of a recording, by who is heard on them.
const (
	ChannelCaller = "caller" // of mono and, on the left, of stereo
	ChannelCallee = "callee" // on the right of stereo: all that the caller hears
	ChannelBoth   = "both"   // of mixed
)
