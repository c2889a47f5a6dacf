package player_test

import (
	"testing"
	"time"

	"tapdeck/controller/player"
)

func TestClear(t *testing.T) {
	b := newBed(t, player.Config{})
	b.say(3*time.Second, 0)
	b.now = b.now.Add(40 * ms)
	began := b.now.Add(-40 * ms)
	b.played(0, 40*ms)
	b.mark("a")
	b.mark("b")
	b.Clear()
	b.wantMarks("a! b!")
	b.wantState(player.State{Cleared: 1})
	if b.breaks != 0 {
		t.Error("the switch is told in the goroutine of Clear")
	}
	b.advance(0)
	if b.breaks != 1 || len(b.files()) != 0 {
		t.Errorf("%d breaks, files %v", b.breaks, b.files())
	}
	b.say(40*ms, 0)
	b.wantPlays(4)
	b.now = b.now.Add(20 * ms)
	b.played(1, 20*ms) // of the old generation
	b.wantPlays(4)
	b.now = b.now.Add(40 * ms)
	b.played(3, 40*ms)
	if b.done(2, "FILE PLAYED", time.Second) {
		t.Error("what the break has dropped is ours")
	}
	b.advance(200 * ms)
	end := began.Add(60 * ms)
	b.wantUtterances(
		player.Utterance{Began: began, Ended: end, Heard: 60 * ms, Cleared: true},
		player.Utterance{Began: end, Ended: end.Add(40 * ms), Heard: 40 * ms})
	if b.breaks != 1 {
		t.Errorf("%d breaks", b.breaks)
	}
}

// A clear with nothing to break is none.
func TestClearStorm(t *testing.T) {
	b := newBed(t, player.Config{})
	for range 1000 {
		b.Clear()
		b.advance(0)
	}
	b.Player.Play(numbered(time.Second, 0), 8000)
	b.Clear()
	b.advance(0)
	b.wantPlays(0)
	if b.breaks != 0 {
		t.Errorf("%d breaks", b.breaks)
	}
	b.wantState(player.State{})
	b.say(time.Second, 0)
	for range 1000 {
		b.Clear()
		b.advance(0)
	}
	if b.breaks != 1 {
		t.Errorf("%d breaks", b.breaks)
	}
}

// Nothing was said of what was broken off: so it is broken off again, once.
func TestSecondBreak(t *testing.T) {
	b := newBed(t, player.Config{})
	b.say(40*ms, 0)
	b.Clear()
	b.advance(0)
	b.advance(99 * ms)
	if b.breaks != 1 {
		t.Fatalf("%d breaks", b.breaks)
	}
	b.advance(ms)
	if b.breaks != 2 {
		t.Fatalf("%d breaks", b.breaks)
	}
	b.advance(time.Second)
	if b.breaks != 2 || b.done(0, "FILE PLAYED", 40*ms) {
		t.Errorf("%d breaks, or it is still known", b.breaks)
	}
}

// What was broken off counts as heard also if a busy switch says so late (F164).
func TestLateEndOfWhatWasBrokenOff(t *testing.T) {
	for _, more := range []bool{false, true} {
		b := newBed(t, player.Config{})
		b.say(time.Second, 0)
		b.advance(20 * ms)
		b.Clear()
		b.advance(0)
		if more {
			b.say(40*ms, 0)
		}
		for range 90 {
			b.advance(10 * ms)
		}
		if !b.done(0, "FILE PLAYED", 20*ms) {
			t.Error("it is not known any more")
		}
		b.advance(time.Second)
		if u := b.Utterances(); len(u) == 0 || u[0].Heard != 20*ms || !u[0].Cleared {
			t.Errorf("more %v: utterances %+v", more, u)
		}
	}
}

// What is said after the break would be broken off by a second one.
func TestNoSecondBreakOfNewAudio(t *testing.T) {
	b := newBed(t, player.Config{})
	b.say(40*ms, 0)
	b.Clear()
	b.advance(0)
	b.say(40*ms, 0)
	b.advance(100 * ms)
	if b.breaks != 1 {
		t.Errorf("%d breaks", b.breaks)
	}
}

// A clear that comes while the switch is given a chunk is for this chunk, too.
func TestClearDuringACommand(t *testing.T) {
	b := newBed(t, player.Config{})
	b.during = b.Clear
	b.say(time.Second, 0)
	b.wantPlays(1)
	if b.breaks != 1 || len(b.files()) != 0 {
		t.Errorf("%d breaks, files %v", b.breaks, b.files())
	}
	b.wantState(player.State{})
}

func TestClearWhileItIsSent(t *testing.T) {
	b := newBed(t, player.Config{Method: player.MethodStream})
	b.during = b.Clear
	b.say(time.Second, 0)
	b.name(0)
	b.wantPlays(0)
	b.wantState(player.State{})
	if b.breaks != 0 {
		t.Errorf("%d breaks", b.breaks)
	}
}

// The rest of a long Play is dropped with its begin.
func TestClearDuringPlay(t *testing.T) {
	b := newBed(t, player.Config{})
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		<-b.Wake()
		b.Clear()
	}()
	b.Player.Play(make([]byte, 10<<20), 8000)
	<-stop
	b.advance(0)
	if q := b.State().Queued; q > 120*time.Second {
		t.Errorf("%v wait", q)
	}
}
