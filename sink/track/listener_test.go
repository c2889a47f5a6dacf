package track

import (
	"bytes"
	"os"
	"testing"
	"time"

	"tapdeck/wav"
)

// told is a Listener that keeps all that it is given, silence as zeros.
type told struct {
	pcm  []byte
	gaps []string
	t    *testing.T
}

func (l *told) Audio(at int64, pcm []byte) {
	if int64(len(l.pcm)/2) != at {
		l.t.Errorf("audio at %d, behind %d", at, len(l.pcm)/2)
	}
	l.pcm = append(l.pcm, pcm...)
}

func (l *told) Gap(at, frames int64, reason string) {
	l.Audio(at, make([]byte, 2*frames))
	l.gaps = append(l.gaps, reason)
}

// liveTrack is one that somebody listens to, live or not.
func liveTrack(t *testing.T, live bool) (*Track, *told, *os.File) {
	tr, f := newTrack(t, mono8)
	l := &told{t: t}
	tr.Tell(l)
	tr.SetLive(live)
	return tr, l, f
}

// late is how much audio came that who listens does not have.
func (l *told) late(tr *Track, gap time.Duration) time.Duration {
	return mono8.Duration(tr.Received()-int64(len(l.pcm)/2)) + gap
}

// checkFile finishes a track and compares its file to what was told.
func (l *told) checkFile(tr *Track, f *os.File) {
	l.t.Helper()
	if _, err := tr.Finish(nil); err != nil {
		l.t.Fatal(err)
	}
	file, err := os.ReadFile(f.Name())
	if err != nil {
		l.t.Fatal(err)
	}
	if _, pcm, err := wav.Parse(file); err != nil || !bytes.Equal(pcm, l.pcm) {
		l.t.Errorf("the file has %d bytes, %d were told; %v", len(pcm), len(l.pcm), err)
	}
}

// A stream that was late for some seconds and is so no more may have another rate. What it
// brings is held back until that is known, but not from who waits for it: there is room for it.
func TestLiveAudioThatCatchesUp(t *testing.T) {
	for _, live := range []bool{false, true} {
		tr, l, f := liveTrack(t, live)
		began := time.Unix(1000, 0)
		tr.Connect(began)
		at := feed(t, tr, began, tone(500))
		at = feed(t, tr, at.Add(150*time.Millisecond), tone(3000))
		for range 7 {
			if err := tr.Audio(tone(20), at); err != nil {
				t.Fatal(err)
			}
		}
		if held := l.late(tr, 0); held > 0 == live {
			t.Errorf("live %v: %v are held back", live, held)
		}
		at = feed(t, tr, at, tone(3000))
		if held := l.late(tr, 0); held > 0 {
			t.Errorf("live %v: %v are held back for good", live, held)
		}
		if err := tr.Disconnect(at, true); err != nil {
			t.Fatal(err)
		}
		l.checkFile(tr, f)
	}
}

// After a pause, audio that somebody waits for is held back until a second frame comes in its turn,
// or for 100 ms; a later socket's for 20 ms.
func TestLiveAudioAfterGaps(t *testing.T) {
	tr, l, f := liveTrack(t, true)
	began := time.Unix(1000, 0)
	tr.Connect(began)
	at := feed(t, tr, began, tone(1000)).Add(2 * time.Second)
	one := func(after time.Duration) {
		t.Helper()
		at = at.Add(after)
		tr.Empty(at)
		feed(t, tr, at.Add(-20*time.Millisecond), tone(20))
	}
	one(0)
	if held := l.late(tr, 0); held != 20*time.Millisecond || !tr.HeldUntil().Equal(at.Add(holdTime)) {
		t.Errorf("%v are held back until %v", held, tr.HeldUntil().Sub(at))
	}
	one(20 * time.Millisecond)
	if held := l.late(tr, 1980*time.Millisecond); held != 0 || len(l.gaps) != 1 || l.gaps[0] != GapNoFrames {
		t.Errorf("%v are held back, gaps %v", held, l.gaps)
	}
	// In a burst: it was the network that stalled.
	at = at.Add(380 * time.Millisecond)
	for range 20 {
		one(time.Millisecond)
	}
	if held := l.late(tr, 1980*time.Millisecond); held != 0 || len(l.gaps) != 1 {
		t.Errorf("after a burst %v are held back, gaps %v", held, l.gaps)
	}
	if err := tr.Disconnect(at, false); err != nil {
		t.Fatal(err)
	}
	at = at.Add(time.Second)
	tr.Connect(at)
	one(40 * time.Millisecond)
	if !tr.HeldUntil().Equal(at.Add(liveHold)) || len(l.gaps) != 1 {
		t.Errorf("a later socket's first is held back until %v", tr.HeldUntil().Sub(at))
	}
	if err := tr.WriteHeld(at.Add(liveHold)); err != nil || len(l.gaps) != 2 || l.gaps[1] != GapReconnect {
		t.Errorf("error %v, gaps %v", err, l.gaps)
	}
	if err := tr.Disconnect(at.Add(liveHold), false); err != nil {
		t.Fatal(err)
	}
	l.checkFile(tr, f)
}
