package sink

import (
	"slices"
	"time"

	"tapdeck/sink/store"
)

// streamMoments are what the sink adds to a call's timeline.
func (r *Recording) streamMoments(st State) (moments store.Timeline) {
	add := func(name string, at time.Time) {
		if !at.IsZero() {
			moments.Add(name, at.Sub(r.call.Started).Milliseconds())
		}
	}
	add("stream_connected", st.ConnectedAt)
	add("first_audio", st.FirstAudioAt)
	return moments
}

// withStream returns a copy of a call's timeline with the moments of its stream, behind the
// stream's start: the next step of the call often begins in the ms in which the stream connected.
func withStream(call, moments store.Timeline) store.Timeline {
	at := len(call)
	if i := slices.IndexFunc(call, func(m store.Moment) bool { return m.Name == "stream_start" || m.Name == "stream" }); i >= 0 {
		at = i + 1
	}
	return slices.Concat(call[:at], moments, call[at:])
}
