package track

import (
	"math/bits"
	"time"

	"tapdeck/wav"
)

const (
	// Speech begins with talkWindows loud windows among four, 60 to 80 ms: a click is shorter. It
	// goes on with two among three, and is over after talkHangover without that: pauses
	// between syllables are shorter.
	talkMask     = 1<<4 - 1
	talkWindows  = 3
	goOnMask     = 1<<3 - 1
	goOnWindows  = 2
	talkHangover = 240 * time.Millisecond
)

// Talk says whether the caller speaks. Its moments are those of the recording's time: of what was
// said, not of when that was known.
type Talk struct {
	// Speaking says that he does.
	Speaking bool
	// Since is the begin of the latest speech, zero if there was none.
	Since time.Time
	// Until is the end of the latest speech that is over, zero if none is.
	Until time.Time
	// Lag is by how much the recording's time was behind the clock at the latest change: audio that is
	// late or missing, in pauses too short to be silence in the recording.
	Lag time.Duration
}

// talk detects when the caller begins and ceases to speak, in what is added to the file. Unlike
// voice it costs what it does only while somebody wants to know.
type talk struct {
	on       bool
	current  channel // of the window
	missing  int     // frames until that is whole, 0 before its first
	history  uint8   // one bit per window, 1 is loud
	quiet    int     // windows since the latest speech
	speaking bool
	changed  bool  // since Talk was asked
	begun    bool  // there was speech
	over     bool  // there was the end of one
	since    int64 // frame at which the latest speech began
	until    int64 // and at which the latest that is over ended
	last     int64 // frame behind the latest window of speech
	lag      time.Duration
}

// WatchTalk says whether Talk is wanted from now on.
func (t *Track) WatchTalk(on bool) {
	if on != t.talk.on {
		t.talk.pause()
		t.talk.on = on
	}
}

// Talk returns what is known now, of all that is not held back, and whether the caller has begun
// or ceased to speak since the last call.
func (t *Track) Talk() (said Talk, changed bool) {
	k := &t.talk
	said.Speaking = k.speaking
	if k.begun {
		said.Since = t.origin.Add(t.format.Duration(k.since))
	}
	if k.over {
		said.Until = t.origin.Add(t.format.Duration(k.until))
	}
	if k.changed {
		k.lag = max(t.arrived.Sub(t.origin)-t.format.Duration(t.written+t.held()), 0)
	}
	said.Lag = k.lag
	changed, k.changed = k.changed, false
	return said, changed
}

// TalkUntil is when speech is over if no frames come any more; zero if there is none.
func (t *Track) TalkUntil() time.Time {
	if !t.talk.speaking {
		return time.Time{}
	}
	return t.arrived.Add(pauseAfter + t.frame)
}

// EndTalk ends speech of which no frames have come for so long.
func (t *Track) EndTalk(now time.Time) {
	if at := t.TalkUntil(); !at.IsZero() && !now.Before(at) {
		t.talk.pause()
	}
}

// measure judges audio that begins at a frame of the recording.
func (k *talk) measure(pcm []byte, at int64, f wav.Format, floor *noiseFloor) {
	if !k.on {
		return
	}
	whole, size := int(f.Frames(window)), f.FrameBytes()
	for len(pcm) > 0 {
		if k.missing == 0 {
			k.current, k.missing = channel{}, whole
		}
		n := min(len(pcm)/size, k.missing)
		k.current.add(sumChannel(pcm[:n*size], f.Channels))
		pcm, at, k.missing = pcm[n*size:], at+int64(n), k.missing-n
		if k.missing == 0 {
			k.judge(at, int64(whole), floor.level())
		}
	}
}

// judge judges a window that ends at a frame, and is loud above a level in dBFS.
func (k *talk) judge(end, whole int64, level float64) {
	loud := float64(k.current.squares) > meanSquare(level)*float64(k.current.samples)
	k.history <<= 1
	if loud {
		k.history |= 1
	}
	switch {
	case !k.speaking && loud && bits.OnesCount8(k.history&talkMask) >= talkWindows:
		k.speaking, k.changed, k.begun, k.quiet, k.last = true, true, true, 0, end
		k.since = max(end-whole*int64(bits.Len8(k.history&talkMask)), 0)
	case k.speaking && loud && bits.OnesCount8(k.history&goOnMask) >= goOnWindows:
		k.quiet, k.last = 0, end
	case k.speaking:
		if k.quiet++; time.Duration(k.quiet)*window >= talkHangover {
			k.pause()
		}
	}
}

// pause ends speech, and what may be the beginning of one.
func (k *talk) pause() {
	if k.speaking {
		k.speaking, k.changed, k.over, k.until = false, true, true, k.last
	}
	k.history, k.quiet, k.missing = 0, 0, 0
}
