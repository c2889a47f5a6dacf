package sink

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// spoken is a stretch of speech between two holds.
type spoken struct {
	at  time.Duration // since the first sample
	pcm []byte
}

// talkOverNetwork speaks for a while over a network that delays each frame by up to 40 ms and
// stalls now and then, in a call that is held now and then. Frames come in order.
func talkOverNetwork(s *socket, rng *rand.Rand, frames int) (said []spoken, holds int) {
	began := time.Now()
	media, clear := time.Duration(0), time.Duration(0) // when the network is free again
	said = []spoken{{}}
	for i := range frames {
		if i > 100 && i < frames-100 {
			switch {
			case rng.IntN(120) == 0 && media > clear-2*frame: // a hold within a stall can't be seen
				media += time.Duration(260+rng.IntN(3000)) * time.Millisecond
				said = append(said, spoken{at: media})
				holds++
			case rng.IntN(120) == 0:
				clear = max(clear, media+time.Duration(100+rng.IntN(800))*time.Millisecond)
			}
		}
		pcm := speech(uint64(i), 160)
		last := &said[len(said)-1]
		last.pcm = append(last.pcm, pcm...)
		media += frame
		clear = max(clear, media+time.Duration(rng.IntN(40))*time.Millisecond)
		if wait := clear - time.Since(began); wait > 0 {
			elapse(wait)
		}
		s.audio(pcm)
	}
	return said, holds
}

// Whatever a network does, what was said before and after each hold is in its place. With
// coalesced reads it is at most a read interval away, and a gap may be in a stretch's beginning.
func TestHoldsOverABadNetwork(t *testing.T) {
	seeds := uint64(60)
	if raced {
		seeds = 10
	}
	for seed := range seeds {
		for _, interval := range []time.Duration{0, 200 * time.Millisecond} {
			t.Run(fmt.Sprint(seed, interval), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { holdsOverABadNetwork(t, seed, interval) })
			})
		}
	}
}

func holdsOverABadNetwork(t *testing.T, seed uint64, interval time.Duration) {
	cfg := testConfig(t)
	cfg.ReadInterval = interval
	b := serve(t, cfg)
	r := b.expect(testCall(testID))
	s := b.connect(r)
	said, holds := talkOverNetwork(s, rand.New(rand.NewPCG(seed, 0)), 1500)
	r.Stopping()
	s.hangUp()
	record := b.finish(r)
	pcm, _ := readWAV(t, b.path(record.WAV))
	for i, sp := range said {
		part, want := sp.pcm, sp.at
		if interval > 0 {
			skip := min(len(part), 320*20) // it may have come between two reads, just before the hold
			part, want = part[skip:], want+mono8.Duration(int64(skip/2))
		}
		at := bytes.Index(pcm, part)
		if d := mono8.Duration(int64(at/2)) - want; len(part) > 0 && (at < 0 || d.Abs() > 4*frame+interval) {
			t.Errorf("stretch %d of %d, %d bytes, is at byte %d, %v from its place", i, len(said), len(sp.pcm), at, d)
		}
	}
	if n := len(record.Gaps); n > holds || n < holds-2 {
		t.Errorf("%d gaps for %d holds: %v", n, holds, record.Gaps)
	}
}
