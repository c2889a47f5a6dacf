package track

// Listener is given what a Track adds to its file, at the moment at which it adds it and in the
// goroutine that the Track is for. It must not block.
type Listener interface {
	// Audio is given whole frames of PCM, valid until it returns, and the frame of the recording at
	// which they begin. What a stalled disk has no room for is given, too.
	Audio(at int64, pcm []byte)
	// Gap is told of so many frames of silence from a frame on, and the Gap constant of their
	// reason.
	Gap(at, frames int64, reason string)
}

// Tell has all that is added from now on given to l.
func (t *Track) Tell(l Listener) { t.listener = l }

// SetLive says whether somebody waits for the audio now. Then doubt about its place ends sooner:
// see hold.
func (t *Track) SetLive(live bool) { t.live = live }

// tellAudio gives audio that begins at a frame to who listens.
func (t *Track) tellAudio(at int64, pcm []byte) {
	if len(pcm) == 0 {
		return
	}
	t.talk.measure(pcm, at, t.format, &t.floor)
	if t.listener != nil {
		t.listener.Audio(at, pcm)
	}
}

// tellGap tells who listens of silence.
func (t *Track) tellGap(frames int64, reason string) {
	if frames <= 0 {
		return
	}
	t.talk.pause()
	if t.listener != nil {
		t.listener.Gap(t.written, frames, reason)
	}
}
