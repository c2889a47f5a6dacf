package track

import (
	"math"
	"math/bits"
	"time"
)

const (
	window = 20 * time.Millisecond
	// Three loud windows within ten are speech.
	speechMask    = 1<<10 - 1
	speechWindows = 3

	// The noise floor is the level that a tenth of the windows of the last 4 s are at or below, and
	// more than two. Pauses between words are more than a tenth of any speech, so that it does not
	// rise to the caller's own level; noise that begins is known as such after 3.6 s, noise that
	// ends after 0.4 s.
	floorWindows = 200
	floorShare   = 10
	floorLeast   = 2
	// floorMargin is by how many dB a loud window is above the floor. Steady noise, in windows of
	// 20 ms, stays within 3 dB; speech has most of its windows more than 10 dB above its pauses.
	floorMargin = 9
	// The level that the floor gives is between these, in dBFS: what is below the first is a
	// line's own noise, and what is above the second is speech, even if it never pauses.
	lowestLevel  = -60
	highestLevel = -28
	// Digital silence counts only if it lasts longer than lostWindows, since it may be a lost
	// packet; before the first packet of a call, longer than firstWindows.
	lostWindows  = 3
	firstWindows = 25
)

// noiseFloor keeps the levels of the caller's latest windows, in whole dB below full scale.
type noiseFloor struct {
	levels [floorWindows]uint8
	next   int
	known  int // how many of levels there are
	counts [1 - FloorDBFS]uint8
	silent int // windows of digital silence in a row
}

func (f *noiseFloor) add(c channel) {
	if !c.digitalSilence() {
		f.silent = 0
	} else if f.silent++; f.silent <= lostWindows {
		return
	}
	if f.known == floorWindows {
		f.counts[f.levels[f.next]]--
	} else {
		f.known++
	}
	level := uint8(math.Round(-c.rmsDBFS()))
	f.levels[f.next] = level
	f.counts[level]++
	f.next = (f.next + 1) % floorWindows
}

// level returns the dBFS above which a window is loud, for what is known of the floor by now.
func (f *noiseFloor) level() float64 {
	below, share := 0, max(f.known/floorShare, floorLeast)
	for i := len(f.counts) - 1; i >= 0; i-- {
		if below += int(f.counts[i]); below > share {
			return min(max(floorMargin-float64(i), lowestLevel), highestLevel)
		}
	}
	return highestLevel // hardly anything came yet
}

// voice detects whether the caller speaks, one window at a time.
type voice struct {
	floor   noiseFloor
	auto    bool
	loud    float64 // mean square above which a window is loud
	history uint16  // one bit per window, 1 is loud
	spoken  bool
	quiet   int // windows since the caller's last speech, or Listen
}

func newVoice() voice { return voice{floor: noiseFloor{silent: lostWindows - firstWindows}} }

func (v *voice) add(c channel) {
	v.floor.add(c)
	if v.auto {
		v.loud = meanSquare(v.floor.level())
	}
	v.history <<= 1
	v.quiet++
	if float64(c.squares) <= v.loud*float64(c.samples) {
		return
	}
	v.history |= 1
	if bits.OnesCount16(v.history&speechMask) >= speechWindows {
		v.spoken, v.quiet = true, 0
	}
}

func meanSquare(dbfs float64) float64 { return math.Pow(10, dbfs/10) * fullScale * fullScale }

// Listen makes QuietFor and NothingFor begin anew. A window of 20 ms is loud above level, in
// dBFS, or, if that is 0, 9 dB above the noise floor of the call.
func (v *voice) Listen(level float64) {
	v.auto, v.loud = level == 0, meanSquare(level)
	v.history, v.spoken, v.quiet = 0, false, 0
}

// QuietFor says whether the caller has spoken since Listen and has then been quiet for d of
// audio.
func (v *voice) QuietFor(d time.Duration) bool {
	return v.spoken && time.Duration(v.quiet)*window >= d
}

// NothingFor says whether the caller has said nothing since Listen, for d of audio.
func (v *voice) NothingFor(d time.Duration) bool {
	return !v.spoken && time.Duration(v.quiet)*window >= d
}
