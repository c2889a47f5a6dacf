package track

import (
	"encoding/binary"
	"math"
	"testing"
	"time"
)

// talked is one change of Talk: what was known, and when in the line.
type talked struct {
	Talk
	known time.Duration
}

var talkBegan = time.Unix(1000, 0)

// talks plays a line into a track's call and returns each change of Talk.
func (l line) talks(t *testing.T, tr *Track) (all []talked) {
	t.Helper()
	tr.Connect(talkBegan)
	var at time.Duration
	for _, part := range l {
		for end := at + part.lasts; at < end; at += window {
			var pcm []byte
			for i := range 160 {
				v := part.signal(at.Seconds() + float64(i)/8000)
				pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(math.Round(fullScale*v))))
			}
			feed(t, tr, talkBegan.Add(at), pcm)
			if said, changed := tr.Talk(); changed {
				all = append(all, talked{said, at + window})
			}
		}
	}
	return all
}

// position is where in the line a moment is.
func position(at time.Time) time.Duration { return at.Sub(talkBegan) }

// Speech is known 60 to 80 ms after it began and 240 to 260 ms after it ended, on loud and quiet
// lines, with the moments at which it did.
func TestTalk(t *testing.T) {
	const begin, end = 5010 * time.Millisecond, 7010 * time.Millisecond
	for name, l := range map[string]line{
		"loud":             during(begin, zeros, end-begin, plainTone(-12)),
		"quiet":            during(begin, noise(-65), end-begin, plainTone(-46)),
		"noisy":            during(begin, noise(-38), end-begin, mix(noise(-38), plainTone(-20))),
		"syllables":        during(begin, noise(-60), end-begin, bursts(-20)),
		"one packet lost":  during(begin, noise(-60), end-begin, lossy(plainTone(-20), 25, 0)),
		"without RTP":      during(begin, lowest, end-begin, plainTone(-30)),
		"a loud telephone": during(begin, noise(-50), end-begin, plainTone(-3)),
	} {
		t.Run(name, func(t *testing.T) {
			l := l[:]
			tr, _ := newTrack(t, mono8)
			tr.WatchTalk(true)
			all := l.talks(t, tr)
			if len(all) != 2 || !all[0].Speaking || all[1].Speaking {
				t.Fatalf("changes %+v", all)
			}
			from, to := position(all[0].Since), position(all[1].Until)
			if d := from - begin; d < -window || d > 2*window {
				t.Errorf("it began at %v, not at %v", from, begin)
			}
			if d := all[0].known - begin; d > 100*time.Millisecond {
				t.Errorf("that was known after %v", d)
			}
			if d := to - end; d < -100*time.Millisecond || d > window { // the last syllable may end before
				t.Errorf("it ended at %v, not at %v", to, end)
			}
			if d := all[1].known - to; d < talkHangover || d > talkHangover+2*window {
				t.Errorf("that was known after %v", d)
			}
			if !all[0].Until.IsZero() || !all[1].Since.Equal(all[0].Since) {
				t.Errorf("changes %+v", all)
			}
		})
	}
}

// Clicks, and what lasts for less than 40 ms, are no speech, and make none longer.
func TestTalkIgnoresClicks(t *testing.T) {
	click := func(every, lasts time.Duration) signal {
		loud := plainTone(-6)
		return func(at float64) float64 {
			if math.Mod(at, every.Seconds()) < lasts.Seconds() {
				return loud(at)
			}
			return 0
		}
	}
	for name, s := range map[string]signal{
		"one a second":    click(time.Second, 30*time.Millisecond),
		"ten a second":    click(100*time.Millisecond, 5*time.Millisecond),
		"of a frame":      click(200*time.Millisecond, 20*time.Millisecond),
		"of half a frame": click(90*time.Millisecond, 10*time.Millisecond),
	} {
		t.Run(name, func(t *testing.T) {
			tr, _ := newTrack(t, mono8)
			tr.WatchTalk(true)
			if all := (line{{5 * time.Second, s}}).talks(t, tr); len(all) > 0 {
				t.Errorf("changes %+v", all)
			}
		})
	}
	tr, _ := newTrack(t, mono8)
	tr.WatchTalk(true)
	all := line{{time.Second, zeros}, {time.Second, plainTone(-20)}, {2 * time.Second, click(200*time.Millisecond, 10*time.Millisecond)}}.talks(t, tr)
	if len(all) != 2 || position(all[1].Until) > 2*time.Second+window {
		t.Errorf("clicks behind speech: %+v", all)
	}
}

// What nobody wants to know is not measured, and WatchSpeech's Listen has nothing to do with it.
func TestTalkOnlyWhileWanted(t *testing.T) {
	tr, _ := newTrack(t, mono8)
	speech := line{{time.Second, zeros}, {time.Second, plainTone(-20)}, {time.Second, zeros}}
	if all := speech.talks(t, tr); len(all) > 0 {
		t.Errorf("changes %+v", all)
	}
	tr, _ = newTrack(t, mono8)
	tr.WatchTalk(true)
	tr.Listen(-5)
	all := line{{time.Second, zeros}, {time.Second, plainTone(-20)}}.talks(t, tr)
	if len(all) != 1 || tr.QuietFor(0) {
		t.Errorf("changes %+v", all)
	}
	tr.WatchTalk(false)
	if said, changed := tr.Talk(); !changed || said.Speaking || position(said.Until) != 2*time.Second {
		t.Errorf("afterwards %+v", said)
	}
}

// After a hold of the call the moments are those of the recording; speech ends if frames stop, or the
// socket does.
func TestTalkAcrossGaps(t *testing.T) {
	tr, _ := newTrack(t, mono8)
	tr.WatchTalk(true)
	tr.SetLive(true)
	all := line{{time.Second, zeros}, {time.Second, plainTone(-20)}}.talks(t, tr)
	if len(all) != 1 || !tr.TalkUntil().Equal(talkBegan.Add(2*time.Second+pauseAfter+window)) {
		t.Fatalf("changes %+v, until %v", all, tr.TalkUntil())
	}
	at := talkBegan.Add(2 * time.Second)
	tr.EndTalk(at.Add(pauseAfter))
	if said, _ := tr.Talk(); !said.Speaking {
		t.Error("speech ended while a frame may still come")
	}
	tr.EndTalk(at.Add(pauseAfter + window))
	if said, changed := tr.Talk(); !changed || said.Speaking || !said.Until.Equal(at) || !tr.TalkUntil().IsZero() {
		t.Errorf("without frames: %+v", said)
	}
	at = at.Add(3 * time.Second)
	tr.Empty(at)
	feed(t, tr, at, tone(200))
	said, changed := tr.Talk()
	if !changed || !said.Speaking || position(said.Since) != 5*time.Second {
		t.Errorf("after a hold: %+v", said)
	}
	if err := tr.Disconnect(at.Add(200*time.Millisecond), true); err != nil {
		t.Fatal(err)
	}
	if said, _ := tr.Talk(); said.Speaking || position(said.Until) != 5200*time.Millisecond {
		t.Errorf("after the socket: %+v", said)
	}
}
