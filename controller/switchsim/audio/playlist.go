package audio

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"sync"
)

// Played is one thing that was played or said.
type Played struct {
	// Source is the tone_stream or file.
	Source string
	// From and To are media frames of 20 ms since media began; To is -1 while
	// it is being played.
	From, To int64
	// Skip is how many frames of the sound were heard before From.
	Skip int64
	// Sound is how it sounds.
	Sound Sound

	end    int64 // the frame with which it ends unless it is broken off
	before int64 // the frame by which all that began earlier had ended
}

// Ends is the frame in which it is not heard any more, or will not be unless it is broken off.
func (p *Played) Ends() int64 {
	if p.To >= 0 {
		return p.To
	}
	return p.end
}

// Frame writes media frame k of it into dst, 16-bit samples at a rate in Hz.
func (p *Played) Frame(dst []byte, k int64, rate int) {
	n := int64(rate / 50)
	first := (k - p.From + p.Skip) * n
	for i := range n {
		binary.LittleEndian.PutUint16(dst[2*i:], uint16(p.Sound.sample(first+i, rate)))
	}
}

// Playlist is what one side of a call plays or says, in the order in which it began. Its
// methods are safe for concurrent use, and those that only ask may be called of nil. What was
// heard in a frame that somebody has read never changes, if everybody begins sounds after it.
type Playlist struct {
	mu    sync.Mutex
	list  []Played
	open  int   // sounds that have not ended
	ended int64 // the latest end of those that have
}

// Begin notes that a sound begins in frame from, with its frame skip, and returns its number. It
// ends by itself with its length, to be told by End all the same.
func (l *Playlist) Begin(source string, from, skip int64, sound Sound) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := Played{Source: source, From: from, To: -1, Skip: skip, Sound: sound, end: math.MaxInt64, before: l.ended}
	if n := len(l.list); n > 0 {
		p.From = max(from, l.list[n-1].From)
	}
	if l.open > 0 {
		p.before = math.MaxInt64
	}
	if sound.Length >= 0 {
		p.end = p.From + max(FramesOf(sound.Length)-skip, 0)
	}
	l.list, l.open = append(l.list, p), l.open+1
	return len(l.list) - 1
}

// End notes that a sound is not heard from frame to on, and returns what is known of it.
func (l *Playlist) End(i int, to int64) Played {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &l.list[i]
	p.To = max(to, p.From)
	l.open, l.ended = l.open-1, max(l.ended, p.To)
	return *p
}

// At returns what is heard in frame k: the latest begun, as nested playbacks are (F19).
func (l *Playlist) At(k int64) (p Played, ok bool) {
	if l == nil {
		return p, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	i, _ := slices.BinarySearchFunc(l.list, k, func(p Played, k int64) int { return cmp.Or(cmp.Compare(p.From, k), -1) })
	for i--; i >= 0; i-- {
		if p := &l.list[i]; k < p.Ends() {
			return *p, true
		} else if p.before <= k {
			break
		}
	}
	return p, false
}

// Playing says whether the latest sound has not ended.
func (l *Playlist) Playing() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.list)
	return n > 0 && l.list[n-1].To < 0
}

// All returns a copy of the list.
func (l *Playlist) All() []Played {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list)
}
