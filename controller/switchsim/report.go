package switchsim

import (
	"time"
)

// Report is what happened in one call.
type Report struct {
	// UUID of the channel.
	UUID string
	// Began is when the dialplan reached the socket action.
	Began time.Time
	// Controller is the host:port that answered; "" when none did.
	Controller string
	// Connected is when the controller's TCP connection was there.
	Connected time.Time
	// FirstCommand is when the controller's first command had come.
	FirstCommand time.Time
	// Answered tells whether the call was answered; AnsweredAt when.
	Answered   bool
	AnsweredAt time.Time
	// HangupCause is FreeSWITCH's word; HungUpBy is "caller", "controller",
	// "application", "dialplan" or "switch".
	HangupCause, HungUpBy string
	HungUp                time.Time
	// Streams are the audio streams, in the order of their starts.
	Streams []StreamReport
	// Commands are the lines of the controller's commands; a sendmsg is shown
	// as "execute APPLICATION DATA" or "hangup CAUSE". CommandedAt is when each had come.
	Commands    []string
	CommandedAt []time.Time
	// Executed are the applications that ran.
	Executed []Executed
	// Played is what the switch played.
	Played []Played
	// EventsSent and BytesSent are what the controller was sent.
	EventsSent, BytesSent int64
	// NextAction says that the controller let go (or was never there) and the
	// dialplan went on.
	NextAction bool
	// SocketClosed is when the event socket was over.
	SocketClosed time.Time
	// Lingered says that the socket lingered after the hangup.
	Lingered bool
	// Faults are the faults that took place, in order.
	Faults []string
}

// Executed is one application that ran.
type Executed struct {
	Application, Data, UUID string
	// Response is the Application-Response; "" while it runs.
	Response     string
	Began, Ended time.Time
}

// StreamReport is what happened in one WebSocket of uuid_audio_stream.
type StreamReport struct {
	// URL as start was given it; Mix is "mono", "mixed" or "stereo".
	URL, Mix string
	// Rate in Hz, Channels 1 or 2, Buffer the audio in one message.
	Rate, Channels int
	Buffer         time.Duration
	// Started is when the API answered, Connected when the 101 had come (zero:
	// never), Ended when TCP was over.
	Started, Connected, Ended time.Time
	// Offset is the first sample sent, counted at Rate from the moment media
	// began (the answer); Samples is how many of each channel were sent.
	// Unless Parts has more than one element they followed each other.
	Offset, Samples int64
	// Parts are the stretches of audio that were sent.
	Parts []Part
	// Unset are the variables that the module leaves uninitialised and that
	// nobody had set: on a real switch their effect is random.
	Unset []string
	// End is why the stream ended: "stop", "hangup", "server close CODE",
	// "server eof", "server reset", "timeout", "refused", "upgrade failed",
	// "unresolved", "fault fin", "fault rst", "torn down"; "" while it runs.
	End string
	// CloseTook is the time from the Close frame to the end of TCP.
	CloseTook time.Duration
	// Unsent are bytes of frames that the server's TCP did not take before the
	// end: the last of PCM never left. After a reset more may be lost.
	Unsent int
	// Second is the answer to Faults.SecondSocket.
	Second string
	// Texts are the text frames sent, metadata included.
	Texts []string

	voice  *Voice
	played []Played
}

// Part is a stretch of 20 ms media frames.
type Part struct {
	// From is the first media frame, counted from the moment media began.
	From, Count int64
	// Silent frames were zeros, by fault.
	Silent bool
}

// PCM returns the very bytes of audio that were sent, little-endian 16-bit,
// the parts one after the other.
func (r *StreamReport) PCM() []byte {
	a := audio{voice: r.voice, played: r.played, mix: r.Mix, rate: r.Rate}
	size := a.frameBytes()
	pcm := make([]byte, 0, int(r.Samples)*2*r.Channels)
	for _, p := range r.Parts {
		for k := range p.Count {
			at := len(pcm)
			pcm = pcm[:at+size]
			if !p.Silent {
				a.frame(pcm[at:], p.From+k)
			}
		}
	}
	return pcm
}
