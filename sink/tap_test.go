package sink

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/sink/track"
)

// collector is a tap's reader that keeps up, and keeps what it reads: silence as zeros.
type collector struct {
	tap  *Tap
	done chan struct{}

	pcm   []byte
	begin time.Duration // of the first
	gaps  []TapRead
	when  []time.Time // of each piece of audio
	err   error       // of a position that does not follow
}

func collect(tap *Tap) *collector {
	c := &collector{tap: tap, done: make(chan struct{})}
	go c.read()
	return c
}

func (c *collector) read() {
	defer close(c.done)
	buf := make([]byte, 500)
	for range c.tap.Ready() {
		for {
			read, err := c.tap.Read(buf)
			if err == io.EOF {
				return
			}
			if read == (TapRead{}) {
				break
			}
			c.add(read, buf)
		}
	}
}

func (c *collector) add(read TapRead, buf []byte) {
	f := c.tap.format
	if c.pcm == nil {
		c.begin = read.At
	}
	if at := c.begin + f.Duration(int64(len(c.pcm)/f.FrameBytes())); at != read.At {
		c.err = errors.Join(c.err, errors.New("a piece at "+read.At.String()+" instead of "+at.String()))
	}
	if read.Gap > 0 {
		c.gaps = append(c.gaps, read)
		c.pcm = append(c.pcm, make([]byte, f.FrameBytes()*int(f.Frames(read.Gap)))...)
		return
	}
	c.pcm, c.when = append(c.pcm, buf[:read.Bytes]...), append(c.when, time.Now())
}

func (c *collector) wait() { <-c.done }

// check waits for the end and compares what was read to a stretch of the WAV's data.
func (c *collector) check(t testing.TB, wav []byte) {
	t.Helper()
	c.wait()
	if c.err != nil {
		t.Error(c.err)
	}
	f := c.tap.format
	if c.pcm == nil {
		c.begin = f.Duration(int64(len(wav) / f.FrameBytes()))
	}
	from := f.FrameBytes() * int(f.Frames(c.begin))
	if from > len(wav) || !bytes.Equal(wav[from:], c.pcm) {
		t.Errorf("%d bytes from %d on were read, which are not the WAV's %d", len(c.pcm), from, len(wav))
	}
}

// Every frame is read at the moment at which it came: a tap wakes the stream, however far apart
// its reads are, and only its own.
func TestTapHearsEveryFrameAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		h := collect(r.Tap(TapOptions{}))
		pcm := speech(1, 8000*3)
		began := time.Now()
		s := b.connect(r)
		s.play(pcm)
		s.hangUp()
		b.finish(r)
		h.check(t, pcm)
		for i, at := range h.when {
			if want := began.Add(time.Duration(i+1) * frame); !at.Equal(want) {
				t.Fatalf("frame %d was given %v late", i, at.Sub(want))
			}
		}
	})
}

// A tap that is opened while reads are a second apart has the next frame at once, and the reads
// are a second apart again when it is closed.
func TestTapOpensAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t)
		cfg.ReadInterval = time.Second
		b := serve(t, cfg)
		r := b.expect(testCall(testID))
		s := b.connect(r)
		s.play(speech(1, 8000*3+160*7))
		slow := r.Tap(TapOptions{Latency: 100 * time.Millisecond, Buffer: 10 * time.Second})
		h := collect(r.Tap(TapOptions{}))
		opened := time.Now()
		s.play(speech(2, 8000))
		synctest.Wait()
		h.tap.Close()
		h.wait()
		if n := len(h.when); n < 50 || h.when[n-1].Sub(opened) != time.Second {
			t.Errorf("%d pieces of 1 s", n)
		}
		for i, at := range h.when[1:] {
			if d := at.Sub(h.when[i]); d > frame {
				t.Fatalf("piece %d came %v after the one before", i+1, d)
			}
		}
		wakes := wakeups(s, slow, 5*time.Second)
		if wakes < 40 || wakes > 55 {
			t.Errorf("%d wake-ups in 5 s with a latency of 100 ms", wakes)
		}
		slow.Close()
		s.play(speech(3, 160*6))
		before := r.State().Audio
		s.play(speech(3, 160*20))
		if after := r.State().Audio; after != before {
			t.Errorf("reads are not apart any more: %v came at once", after-before)
		}
		s.hangUp()
		b.finish(r)
	})
}

// wakeups plays and counts how often a tap becomes ready.
func wakeups(s *socket, tap *Tap, d time.Duration) (n int) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.play(speech(4, int(mono8.Frames(d))))
	}()
	for {
		select {
		case <-tap.Ready():
			n++
		case <-done:
			return n
		}
	}
}

// The whole life of a call: taps opened before the first socket, in the stream, in a pause, between
// two sockets and after the end give what the WAV has from there on.
func TestTapsAtEveryMoment(t *testing.T) {
	allPaces(t, func(t *testing.T, cfg Config, channels int) {
		b, r, s := heldCall(t, cfg, channels)
		taps := []*collector{collect(r.Tap(TapOptions{}))}
		open := func() { taps = append(taps, collect(r.Tap(TapOptions{}))) }
		say(s, channels, 1, 2*time.Second)
		open()
		say(s, channels, 2, time.Second)
		elapse(time.Second)
		open()
		elapse(time.Second)
		say(s, channels, 3, time.Second)
		s.drop()
		awaitGone(t, r, 1)
		elapse(700 * time.Millisecond)
		open()
		s = b.connect(r)
		say(s, channels, 4, time.Second)
		r.Stopping()
		s.hangUp()
		record := b.finish(r)
		open()
		wav, _ := readWAV(t, b.path(record.WAV))
		for i, c := range taps {
			c.check(t, wav)
			if want := []int{2, 2, 2, 1, 0}[i]; len(c.gaps) != want {
				t.Errorf("tap %d: gaps %+v, want %d", i, c.gaps, want)
			}
		}
		for i, g := range taps[0].gaps {
			if want := record.Gaps[i]; g.At.Round(time.Millisecond).Milliseconds() != want.AtMS || g.Reason != want.Reason {
				t.Errorf("gap %+v, want %+v", g, want)
			}
		}
	})
}

// What a live tap pays for the place of audio whose place is in doubt: a frame, at the beginning of
// a later socket and after a hold of the call.
func TestTapIsLiveAfterGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		h := collect(r.Tap(TapOptions{}))
		s := b.connect(r)
		s.play(speech(1, 8000*2))
		elapse(3 * time.Second) // held
		back := time.Now()
		s.play(speech(2, 8000))
		s.drop()
		awaitGone(t, r, 1)
		elapse(time.Second)
		s = b.connect(r)
		again := time.Now()
		s.play(speech(3, 8000))
		s.hangUp()
		b.finish(r)
		h.wait()
		for _, began := range []time.Time{back, again} {
			for i, at := range h.when {
				if at.After(began) && at.Sub(began) <= 2*frame {
					break
				}
				if at.After(began) {
					t.Errorf("piece %d is the first after a gap, %v late", i, at.Sub(began)-frame)
					break
				}
			}
		}
	})
}

// A reader that does not read loses the oldest audio, which is counted and told; nobody else does.
func TestTapDropsTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		lazy, other := r.Tap(TapOptions{Buffer: time.Second}), collect(r.Tap(TapOptions{}))
		never := r.Tap(TapOptions{})
		defer never.Close()
		s := b.connect(r)
		pcm := speech(1, 8000*5)
		s.play(pcm)
		s.hangUp()
		b.finish(r)
		other.check(t, pcm)
		buf := make([]byte, 1<<20)
		first, err := lazy.Read(buf)
		want := TapRead{Gap: 4 * time.Second, Dropped: 4 * time.Second, Reason: TapDropped}
		if diff := cmp.Diff(want, first); diff != "" || err != nil {
			t.Errorf("first read (-want +got):\n%s%v", diff, err)
		}
		second, _ := lazy.Read(buf)
		for n := second.Bytes; n < 16000; { // the ring may end in between
			more, _ := lazy.Read(buf[n:])
			n += more.Bytes
			if more.Bytes == 0 {
				t.Fatalf("%d bytes are left", n)
			}
		}
		if second.At != 4*time.Second || !bytes.Equal(buf[:16000], pcm[4*16000:]) {
			t.Errorf("then %+v, with other audio", second)
		}
		if _, err := lazy.Read(buf); err != io.EOF {
			t.Errorf("error %v at the end", err)
		}
		if lazy.Dropped() != 4*time.Second || never.Dropped() != 3*time.Second {
			t.Errorf("dropped %v, %v", lazy.Dropped(), never.Dropped())
		}
	})
}

// A tap with a large buffer keeps more stretches of audio and silence apart than one with the usual buffer, which
// merges the oldest.
func TestTapKeepsSpansApart(t *testing.T) {
	const pairs = 50 // of 20 ms of audio and 20 ms of silence
	for _, c := range []struct {
		buffer time.Duration
		whole  bool
	}{{0, false}, {2 * time.Second, false}, {30 * time.Second, true}} {
		tap := (&Recording{format: mono8}).Tap(TapOptions{Buffer: c.buffer})
		for i := range int64(pairs) {
			tap.audio(320*i, speech(1, 160))
			tap.gap(320*i+160, 160, track.GapNoFrames)
		}
		tap.end()
		gaps, buf := map[string]int{}, make([]byte, 320)
		for read, err := tap.Read(buf); err == nil; read, err = tap.Read(buf) {
			gaps[read.Reason]++
		}
		if whole := gaps[""] == pairs && gaps[track.GapNoFrames] == pairs && gaps[TapDropped] == 0; whole != c.whole || (tap.Dropped() == 0) != c.whole {
			t.Errorf("buffer %v: reads by their reason %v, %v of audio dropped", c.buffer, gaps, tap.Dropped())
		}
	}
}

// Of a stereo stream the left channel is read alone, on the same clock.
func TestTapOfTheLeftChannel(t *testing.T) {
	allPaces(t, func(t *testing.T, cfg Config, channels int) {
		b, r, s := heldCall(t, cfg, channels)
		h := collect(r.Tap(TapOptions{Left: true}))
		say(s, channels, 1, 2*time.Second)
		elapse(time.Second)
		say(s, channels, 2, time.Second)
		s.hangUp()
		wav, _ := readWAV(t, b.path(b.finish(r).WAV))
		var left []byte
		for ; len(wav) > 0; wav = wav[2*channels:] {
			left = append(left, wav[:2]...)
		}
		h.check(t, left)
	})
}

// After Close there is nothing, and a recording that has no audio ends as well.
func TestTapEnds(t *testing.T) {
	b := serve(t, testConfig(t))
	r := b.expect(testCall(testID))
	closed, open := r.Tap(TapOptions{}), r.Tap(TapOptions{})
	s := b.connect(r)
	s.audio(speech(1, 160))
	await(t, r, "audio", func(st State) bool { return st.Audio > 0 })
	<-closed.Ready()
	if _, err := closed.Read(nil); err != io.ErrShortBuffer {
		t.Errorf("error %v without room", err)
	}
	closed.Close()
	closed.Close()
	<-closed.Ready()
	if _, err := closed.Read(make([]byte, 320)); err != io.EOF {
		t.Errorf("error %v after Close", err)
	}
	s.hangUp()
	b.finish(r)
	for range open.Ready() {
		read, err := open.Read(make([]byte, 320))
		if err == io.EOF {
			break
		}
		if read.Bytes != 320 {
			t.Errorf("read %+v", read)
		}
		open.signal()
	}
	none := b.expect(testCall(newID()))
	waits := none.Tap(TapOptions{})
	if none.Position(time.Now()) != 0 {
		t.Error("a recording without audio has a position")
	}
	if err := none.Finish(context.Background()); err != nil {
		t.Error(err)
	}
	<-waits.Ready()
	if _, err := waits.Read(nil); err != io.EOF {
		t.Errorf("error %v", err)
	}
	if none.Position(time.Now()) != 0 {
		t.Error("a recording without audio has a position")
	}
}

// A moment's position is that of the audio, also in a later socket and after the end.
func TestPosition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		began := time.Now()
		s := b.connect(r)
		s.play(speech(1, 8000))
		s.drop()
		awaitGone(t, r, 1)
		elapse(time.Second)
		s = b.connect(r)
		s.play(speech(1, 8000))
		s.hangUp()
		b.finish(r)
		for _, d := range []time.Duration{0, time.Second, 2500 * time.Millisecond, time.Hour} {
			if got := r.Position(began.Add(d)); got != d {
				t.Errorf("position %v of %v", got, d)
			}
		}
		if got := r.Position(began.Add(-time.Second)); got != 0 {
			t.Errorf("position %v before the beginning", got)
		}
	})
}

var _ track.Listener = added{}
