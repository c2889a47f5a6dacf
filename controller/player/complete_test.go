package player_test

import (
	"testing"
	"time"

	"tapdeck/controller/player"
)

func TestUtterances(t *testing.T) {
	b := newBed(t, player.Config{})
	if _, speaks := b.Speaking(); speaks {
		t.Error("it speaks before it was given something")
	}
	b.say(60*ms, 0)
	given := b.now
	if since, speaks := b.Speaking(); !speaks || since != given {
		t.Errorf("it speaks %v since %v", speaks, since)
	}
	b.now = b.now.Add(55 * ms)
	began := b.now.Add(-40 * ms)
	b.played(0, 40*ms)
	if since, speaks := b.Speaking(); !speaks || since != began {
		t.Errorf("it speaks %v since %v, want %v", speaks, since, began)
	}
	b.now = b.now.Add(20 * ms)
	b.played(1, 20*ms)
	if _, speaks := b.Speaking(); speaks {
		t.Error("it speaks when all was heard")
	}
	b.say(40*ms, 0) // a late chunk
	b.now = b.now.Add(60 * ms)
	b.played(2, 40*ms)
	first := player.Utterance{Began: began, Ended: b.now, Heard: 100 * ms}
	b.advance(199 * ms)
	b.wantUtterances()
	b.advance(ms)
	b.wantUtterances(first)
	b.wantUtterances()
	b.say(40*ms, 0)
	b.now = b.now.Add(60 * ms)
	b.played(3, 40*ms)
	b.Close()
	b.wantUtterances(player.Utterance{Began: b.now.Add(-40 * ms), Ended: b.now, Heard: 40 * ms})
}

func TestFile(t *testing.T) {
	b := newBed(t, player.Config{})
	var got []player.Played
	note := func(p player.Played) { got = append(got, p) }
	b.say(5*ms, 0)
	b.File("prompt.wav", note) // nothing can be joined to the 5 ms any more
	b.say(40*ms, 0)
	b.wantPlays(2)
	if b.plays[1] != "prompt.wav" {
		t.Errorf("%s is played", b.plays[1])
	}
	b.played(0, 20*ms)
	b.wantPlays(3)
	if !b.Completed(player.Completion{ID: "1", Played: player.Played{Response: "FILE PLAYED", Digit: "5", Heard: time.Second}, At: b.now}) {
		t.Error("it is not ours")
	}
	b.File("missing.wav", note)
	b.advance(0)
	b.played(2, 40*ms)
	b.done(3, "FILE NOT FOUND", 0)
	b.File("broken.wav", note)
	b.File("queued.wav", note)
	b.File("waits.wav", note)
	b.advance(0)
	b.Clear()
	b.advance(0)
	b.played(4, 300*ms)
	b.advance(100 * ms)
	b.advance(time.Second)
	want := []player.Played{{"FILE PLAYED", "5", time.Second}, {Response: "FILE NOT FOUND"}, {}, {"FILE PLAYED", "", 300 * ms}, {}}
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if s := b.State(); s.Lost != 0 || s.Cleared != 0 {
		t.Errorf("%+v", s)
	}
}

// The switch could not play a chunk: it is lost, its marks come, and the rest is played.
func TestFileNotFound(t *testing.T) {
	b := newBed(t, player.Config{})
	b.say(40*ms, 0)
	b.mark("a")
	b.say(time.Second, 0)
	b.done(0, "FILE NOT FOUND", time.Hour)
	b.wantMarks("a")
	b.wantLog("chunk not found by the switch")
	b.wantState(player.State{Playing: true, Queued: time.Second, Lost: 40 * ms})
	b.Close()
	b.wantUtterances()
}

// A transfer, or a hangup, ends all that was given with an error: a flush.
func TestPlaybackError(t *testing.T) {
	b := newBed(t, player.Config{})
	b.say(5*time.Second, 0)
	b.mark("a")
	b.now = b.now.Add(30 * ms)
	b.done(0, "PLAYBACK ERROR", 20*ms)
	b.wantMarks("a!")
	b.wantPlays(2)
	if !b.done(1, "PLAYBACK ERROR", 0) {
		t.Error("the second one is not ours")
	}
	b.advance(time.Second)
	b.wantState(player.State{})
	if b.breaks != 0 || len(b.files()) != 0 {
		t.Errorf("%d breaks, files %v", b.breaks, b.files())
	}
	began := b.now.Add(-time.Second - 20*ms)
	b.wantUtterances(player.Utterance{Began: began, Ended: began.Add(20 * ms), Heard: 20 * ms, Cleared: true})
	b.say(40*ms, 0)
	b.wantPlays(3)
}

func TestCompletions(t *testing.T) {
	b := newBed(t, player.Config{})
	if b.done(7, "FILE PLAYED", 0) {
		t.Error("a foreign playback is ours")
	}
	b.say(1040*ms, 0)
	b.mark("a")
	b.played(1, time.Second) // so the first one is over as well
	b.wantMarks("a")
	for n := range 2 {
		if b.done(n, "FILE PLAYED", time.Second) {
			t.Errorf("the second end of playback %d is ours", n)
		}
	}
	b.wantState(player.State{})
}

// Something else has broken off all that the switch had: no event will come.
func TestPlaybackThatDoesNotEnd(t *testing.T) {
	b := newBed(t, player.Config{})
	b.say(1040*ms, 0)
	b.mark("a")
	b.advance(5030 * ms)
	b.wantMarks("")
	b.advance(1010 * ms)
	b.advance(0)
	b.wantMarks("a")
	b.wantLog("playback did not end")
	b.wantState(player.State{Lost: 1040 * ms})
	if f := b.files(); len(f) != 0 {
		t.Errorf("files %v", f)
	}
}

// The end of a conversation ends what was heard in it, if nothing of it is left to play: what follows at once is another utterance.
func TestEndUtterance(t *testing.T) {
	b := newBed(t, player.Config{})
	b.EndUtterance()
	b.say(80*ms, 0)
	b.now = b.now.Add(40 * ms)
	b.played(0, 40*ms)
	b.EndUtterance() // it goes on
	b.wantUtterances()
	b.now = b.now.Add(40 * ms)
	b.played(1, 40*ms)
	first := b.now
	b.EndUtterance()
	b.wantUtterances(player.Utterance{Began: first.Add(-80 * ms), Ended: first, Heard: 80 * ms})
	b.say(40*ms, 0)
	b.now = b.now.Add(40 * ms)
	b.played(2, 40*ms)
	b.EndUtterance()
	b.wantUtterances(player.Utterance{Began: first, Ended: first.Add(40 * ms), Heard: 40 * ms})
}

// A switch that can play nothing is told of, and nothing is hoped for after three pieces. One error alone is
// that of a transfer, or of a hangup.
func TestPlaybackErrors(t *testing.T) {
	b := newBed(t, player.Config{})
	fail := func(n int) {
		b.say(40*ms, 0)
		b.wantPlays(n + 1)
		b.done(n, "PLAYBACK ERROR", 0)
		b.advance(0)
	}
	fail(0)
	b.wantState(player.State{})
	fail(1)
	b.wantLog("bot's audio not played by the switch")
	b.wantState(player.State{Lost: 40 * ms})
	b.say(40*ms, 0)
	b.played(2, 40*ms)
	fail(3)
	fail(4)
	b.wantState(player.State{Lost: 80 * ms})
	fail(5)
	b.wantState(player.State{Lost: 120 * ms, Mute: true})
}

// A bot that speaks in real time costs what the caller says, which the log says once.
func TestSmallPieces(t *testing.T) {
	b := newBed(t, player.Config{})
	for n := range 300 {
		b.say(20*ms, 0)
		b.advance(20 * ms)
		b.played(n, 20*ms)
		if got := b.logs.FilterMessage("bot's audio comes in small pieces").Len(); got != n/199 && n != 199 && n != 200 {
			t.Fatalf("%d lines after %d pieces", got, n+1)
		}
	}
}
