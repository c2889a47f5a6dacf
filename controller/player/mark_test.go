package player_test

import (
	"testing"
	"time"

	"tapdeck/controller/player"
)

func TestMarksComeInOrder(t *testing.T) {
	b := newBed(t, player.Config{})
	b.mark("a")
	b.wantMarks("a")
	b.say(40*ms, 0)
	b.mark("b")
	b.mark("c")
	b.say(960*ms, 320)
	b.mark("d")
	b.wantMarks("a")
	b.wantState(player.State{Playing: true, Queued: time.Second, Marks: 3})
	b.played(0, 40*ms)
	b.wantMarks("a b c")
	b.played(1, 960*ms)
	b.wantMarks("a b c d")
	b.mark("e")
	b.wantMarks("a b c d e")
}

// A chunk ends at a mark, so that it comes back when its own audio was heard.
func TestChunkEndsAtAMark(t *testing.T) {
	b := newBed(t, player.Config{})
	b.say(40*ms, 0)
	b.Player.Play(numbered(300*ms, 320), 8000)
	b.mark("a")
	b.Player.Play(numbered(50*ms, 2720), 8000)
	b.mark("b")
	b.Player.Play(numbered(600*ms, 3120), 8000)
	b.advance(0)
	b.wantLengths(40*ms, 300*ms)
	b.played(0, 40*ms)
	b.wantLengths(300*ms, 60*ms) // whole frames
	b.played(1, 300*ms)
	b.wantMarks("a")
	b.played(2, 60*ms)
	b.wantMarks("a b")
}

// A bot that marks each 20 ms does not have chunks of 20 ms.
func TestManyMarks(t *testing.T) {
	b := newBed(t, player.Config{})
	b.say(40*ms, 0)
	for range 100 {
		b.Player.Play(numbered(20*ms, 0), 8000)
		b.mark("m")
	}
	b.advance(0)
	b.wantLengths(40*ms, 200*ms)
	b.played(0, 40*ms)
	b.played(1, 200*ms)
	if len(b.marks) != 10 {
		t.Errorf("%d marks, want 10", len(b.marks))
	}
}

func TestMarksAreBounded(t *testing.T) {
	b := newBed(t, player.Config{})
	b.say(20*ms, 0)
	for range 10_000 {
		b.mark("m")
	}
	b.wantMarks("")
	b.mark("m")
	b.wantMarks("m!")
	if n := b.State().Marks; n != 10_000 {
		t.Errorf("%d marks wait", n)
	}
	b.played(0, 20*ms)
	if len(b.marks) != 10_001 {
		t.Errorf("%d marks came", len(b.marks))
	}
}

// What a mark does may come back to the player.
func TestMarkMayMark(t *testing.T) {
	b := newBed(t, player.Config{})
	b.say(20*ms, 0)
	b.Mark(func(bool) {
		b.mark("b")
		b.Clear()
		b.marks = append(b.marks, "a")
	})
	b.played(0, 20*ms)
	b.wantMarks("a b")
}

// A mark that panics costs its call, and leaves the player whole for the call's end.
func TestMarkThatPanics(t *testing.T) {
	b := newBed(t, player.Config{})
	b.say(20*ms, 0)
	b.Mark(func(bool) { panic("boom") })
	b.say(20*ms, 0)
	b.mark("a")
	func() {
		defer func() { _ = recover() }()
		b.played(0, 20*ms)
	}()
	b.Close()
	b.wantMarks("a!")
}
