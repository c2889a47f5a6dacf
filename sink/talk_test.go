package sink

import (
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/sink/track"
)

// State says whether the caller speaks while a tap is open, and Changed that it has changed: at
// once, however far apart the recorder's reads are, and also if frames stop.
func TestTalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		s := b.connect(r)
		s.play(silence(1, 3*time.Second))
		s.play(speech(1, 8000))
		synctest.Wait()
		if talk := r.State().Talk; talk != (track.Talk{}) {
			t.Errorf("without a tap: %+v", talk)
		}
		tap := r.Tap(TapOptions{})
		s.play(silence(1, time.Second))
		began := time.Now()
		talkOf := func(speaking bool) track.Talk {
			t.Helper()
			for drain(r.Changed()); r.State().Talk.Speaking != speaking; <-r.Changed() {
			}
			return r.State().Talk
		}
		go s.play(speech(1, 8000))
		talk := talkOf(true)
		if took := time.Since(began); took < 60*time.Millisecond || took > 100*time.Millisecond || !talk.Since.Equal(began) {
			t.Errorf("known after %v: %+v", took, talk)
		}
		elapse(2 * time.Second)
		talk = talkOf(false)
		if !talk.Until.Equal(began.Add(time.Second)) || r.Position(talk.Until) != 6*time.Second {
			t.Errorf("after the end of all frames: %+v at %v", talk, r.Position(talk.Until))
		}
		s.play(speech(1, 8000)) // the tap is closed while he speaks
		tap.Close()
		s.play(speech(1, 8000))
		if talk := r.State().Talk; talk.Speaking {
			t.Errorf("after the tap: %+v", talk)
		}
		s.hangUp()
		b.finish(r)
	})
}

func drain(changed <-chan struct{}) {
	select {
	case <-changed:
	default:
	}
}

// A recording whose readers are slow is read in larger pieces: speech does not end between them.
func TestSpeechInLargePieces(t *testing.T) {
	for range 10 { // how the pieces fall differs
		synctest.Test(t, testSpeechInLargePieces)
	}
}

func testSpeechInLargePieces(t *testing.T) {
	cfg := testConfig(t)
	cfg.ReadInterval = time.Second
	b := serve(t, cfg)
	r := b.expect(testCall(testID))
	defer r.Tap(TapOptions{Latency: time.Second, Buffer: time.Minute}).Close()
	s := b.connect(r)
	s.play(silence(1, 3*time.Second))
	heard, over, changes := make(chan struct{}), make(chan struct{}), 0
	go func() {
		defer close(over)
		for was := false; ; {
			select {
			case <-r.Changed():
			case <-heard:
				return
			}
			if now := r.State().Talk.Speaking; now != was {
				was, changes = now, changes+1
			}
		}
	}()
	s.play(speech(1, 8000*5))
	synctest.Wait()
	close(heard)
	<-over
	if changes != 1 {
		t.Errorf("%d changes in five seconds of speech", changes)
	}
	s.hangUp()
	b.finish(r)
}
