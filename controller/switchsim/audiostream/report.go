package audiostream

import (
	"time"

	"tapdeck/controller/switchsim/audio"
)

// Report is what happened in one WebSocket of uuid_audio_stream.
type Report struct {
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
	// Unset are the variables that nobody had set although the module leaves them
	// uninitialised (F38).
	Unset []string
	// End is why the stream ended: "stop", "hangup", "server close CODE",
	// "server eof", "server reset", "timeout", "refused", "upgrade failed",
	// "unresolved", "fault fin", "fault rst",
	// "fault never connected", "torn down"; "" while it runs.
	End string
	// CloseTook is the time from the Close frame to the end of TCP.
	CloseTook time.Duration
	// Unsent are bytes of frames that the server's TCP did not accept before the
	// end: the last of PCM never left. After a reset more may be lost.
	Unsent int
	// Second is the answer to the fault SecondSocket.
	Second string
	// Texts are the text frames sent, metadata included.
	Texts []string

	mix   audio.Mix
	first int64 // the media frame in which start came
}

// Part is a stretch of 20 ms media frames.
type Part struct {
	// From is the first media frame, counted from the moment media began.
	From, Count int64
	// Silent frames were zeros, by fault.
	Silent bool
	// Rate is that of the frames in Hz: the stream's, but after a change of the call's codec.
	Rate int
}

// PCM returns the very bytes of audio that were sent, little-endian 16-bit,
// the parts one after the other.
func (r *Report) PCM() []byte {
	pcm := make([]byte, 0, int(r.Samples)*2*r.Channels)
	for _, p := range r.Parts {
		mix := r.mix
		mix.Rate = p.Rate
		size := mix.FrameBytes()
		for k := range p.Count {
			at := len(pcm)
			pcm = pcm[:at+size]
			if !p.Silent {
				mix.Frame(pcm[at:], p.From+k)
			}
		}
	}
	return pcm
}

// Report returns what has happened so far.
func (s *Stream) Report() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.report
	r.Parts = append([]Part(nil), s.report.Parts...)
	if s.next > s.begin {
		r.Parts = append(r.Parts, s.stretch())
	}
	r.Texts = append([]string(nil), r.Texts...)
	r.mix = s.mix
	for i, p := range r.Parts {
		if i == 0 {
			r.Offset = p.From * int64(r.Rate/50)
		}
		r.Samples += p.Count * int64(p.Rate/50)
	}
	return r
}

// stretch is the present stretch of frames.
func (s *Stream) stretch() Part {
	return Part{From: s.begin, Count: s.next - s.begin, Silent: s.faults.audio.Silent, Rate: s.rate}
}

// endPart closes the present stretch. It needs s.mu.
func (s *Stream) endPart() {
	if s.next > s.begin {
		s.report.Parts = append(s.report.Parts, s.stretch())
	}
	s.begin = s.next
}

// endedBy notes why the stream ends, unless that is known. It needs s.mu.
func (s *Stream) endedBy(end string) {
	if s.report.End == "" {
		s.report.End = end
	}
}
