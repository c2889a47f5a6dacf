package player_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/controller/player"
)

// The first chunk goes out at once, the next one with it, all else waits here.
func TestChunksOfABurst(t *testing.T) {
	b := newBed(t, player.Config{})
	b.say(5*time.Second, 0)
	b.wantLengths(40*ms, time.Second)
	b.wantState(player.State{Playing: true, Queued: 5 * time.Second})
	b.advance(time.Second)
	b.wantPlays(2)
	b.played(0, 40*ms)
	b.wantPlays(3)
	b.played(1, time.Second)
	b.wantLengths(time.Second, time.Second)
	b.wantState(player.State{Playing: true, Queued: 5*time.Second - 1040*ms})
}

// A bot that sends frames in real time has three short chunks with the switch at most.
func TestChunksOfFrames(t *testing.T) {
	b := newBed(t, player.Config{})
	for i := range 6 {
		b.say(20*ms, i*160)
	}
	b.wantLengths(20*ms, 20*ms, 20*ms)
	b.played(0, 20*ms)
	b.wantLengths(20*ms, 20*ms, 40*ms)
	b.played(1, 20*ms)
	b.wantLengths(20*ms, 40*ms, 20*ms)
}

func TestNoThirdChunkBesideALongOne(t *testing.T) {
	b := newBed(t, player.Config{})
	b.say(20*ms, 0)
	b.say(60*ms, 160)
	b.say(20*ms, 640)
	b.wantLengths(20*ms, 60*ms)
}

// Less than a frame waits for a frame's time, then it is filled up with silence.
func TestLessThanAFrame(t *testing.T) {
	b := newBed(t, player.Config{})
	b.say(5*ms, 0)
	b.advance(19 * ms)
	b.wantPlays(0)
	b.advance(ms)
	b.wantLengths(20 * ms)
	pcm, err := os.ReadFile(b.plays[0])
	if err != nil {
		t.Fatal(err)
	}
	if want := append(numbered(5*ms, 0), make([]byte, 240)...); !bytes.Equal(pcm, want) {
		t.Error("it is not the audio with silence behind")
	}
}

// As long as something else plays, it waits until that is nearly over.
func TestLessThanAFrameBehindALongChunk(t *testing.T) {
	b := newBed(t, player.Config{})
	b.say(525*ms, 0)
	b.wantLengths(40*ms, 480*ms)
	b.now = b.now.Add(40 * ms)
	b.played(0, 40*ms)
	b.advance(400 * ms)
	b.wantPlays(2)
	b.say(5*ms, 525*8)
	b.advance(39 * ms)
	b.wantPlays(2)
	b.advance(ms)
	b.wantLengths(480*ms, 20*ms)
	if pcm, _ := os.ReadFile(b.plays[2]); !bytes.Equal(pcm[:160], numbered(10*ms, 520*8)) {
		t.Error("what came later was not joined to it")
	}
}

// The timer is set for what waits.
func TestDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, player.Config{})
		begun := time.Now()
		b.now = begun
		b.say(5*ms, 0)
		<-b.Wake()
		if at := (<-b.Due()).Sub(begun); at != 20*ms {
			t.Errorf("due after %v", at)
		}
		b.advance(20 * ms)
		b.wantPlays(1)
		if at := (<-b.Due()).Sub(begun); at != 5040*ms { // to look whether it has ended
			t.Errorf("due after %v", at)
		}
	})
}

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
	b.advance(100 * ms)
	if b.breaks != 2 || b.done(0, "FILE PLAYED", 40*ms) {
		t.Errorf("%d breaks, or it is still known", b.breaks)
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

func TestTheLimitDropsTheOldest(t *testing.T) {
	b := newBed(t, player.Config{Limit: time.Second})
	b.say(40*ms, 0)
	b.mark("a")
	b.File("prompt.wav", nil)
	b.Player.Play(numbered(1500*ms, 1000), 8000)
	b.mark("b")
	b.wantState(player.State{Playing: true, Queued: 1040 * ms, Marks: 2, Refused: 500 * ms})
	b.wantLog("bot's audio refused")
	b.played(0, 40*ms)
	b.played(1, time.Second)
	b.wantMarks("a")
	pcm, _ := os.ReadFile(b.plays[2])
	if len(pcm) < 2 || binary.LittleEndian.Uint16(pcm) != uint16(1000+4000+1) {
		t.Errorf("the newest second was not kept")
	}
}

// A mark before which all was dropped is due with what is before that.
func TestMarkOfDroppedAudio(t *testing.T) {
	b := newBed(t, player.Config{Limit: 100 * ms})
	b.Player.Play(numbered(100*ms, 0), 8000)
	b.mark("a")
	b.Player.Play(numbered(100*ms, 0), 8000)
	b.advance(0)
	b.wantMarks("a")
	b.wantState(player.State{Playing: true, Queued: 100 * ms, Refused: 100 * ms})
}

func TestPiecesOfAnySize(t *testing.T) {
	b := newBed(t, player.Config{})
	for _, two := range [][]byte{numbered(20*ms, 0), numbered(20*ms, 160)} {
		for ; len(two) > 0; two = two[2:] {
			b.Player.Play(append(two[:2:2], 77), 8000) // an odd last byte
		}
	}
	b.advance(0)
	b.wantLengths(40 * ms)
	if pcm, _ := os.ReadFile(b.plays[0]); !bytes.Equal(pcm, numbered(40*ms, 0)) {
		t.Error("it is not what was queued")
	}
	b.Player.Play([]byte{1}, 8000)
	b.Player.Play(nil, 8000)
	b.advance(time.Second)
	b.wantPlays(1)
}

// 20 ms at any rate make a chunk at once, and the last 2 ms of it follow by themselves.
func TestOtherRates(t *testing.T) {
	b := newBed(t, player.Config{})
	var tone []byte
	for i := range 24000 / 50 {
		tone = binary.LittleEndian.AppendUint16(tone, uint16(int16(10000*math.Sin(float64(i)/5))))
	}
	b.Player.Play(tone, 24000)
	b.advance(0)
	b.wantLengths(20 * ms)
	b.advance(time.Second)
	b.wantLengths(20 * ms) // what comes would be joined to its end
	b.played(0, 20*ms)
	b.wantLengths(20 * ms)
	b.played(1, 20*ms)
	b.advance(time.Second)
	b.wantPlays(2)
	b.Player.Play(tone, 24000)
	b.Player.Play(make([]byte, 4*ms*8*2/ms), 8000) // the rate changes: the end of the tone comes before it
	b.wantState(player.State{Queued: 26 * ms})
	b.Player.Play(tone, 24000)
	b.Clear()
	b.Player.Play(make([]byte, 960), 24000)
	b.advance(0)
	if pcm, _ := os.ReadFile(b.plays[2]); !bytes.Equal(pcm, make([]byte, 320)) {
		t.Error("after a clear, something of before is heard")
	}
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
	b.advance(100 * ms)
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

func TestClose(t *testing.T) {
	b := newBed(t, player.Config{})
	var files int
	note := func(player.Played) { files++ }
	b.say(1040*ms, 0)
	b.mark("a")
	b.File("x.wav", note)
	b.Close()
	b.wantMarks("a!")
	if files != 1 || len(b.files()) != 0 {
		t.Errorf("%d files are done, %v are there", files, b.files())
	}
	b.say(time.Second, 0)
	b.mark("b")
	b.File("y.wav", note)
	b.Clear()
	b.Connected(b.now)
	b.Named("{}", b.now)
	if b.done(0, "FILE PLAYED", 40*ms) {
		t.Error("after the end something is ours")
	}
	b.Close()
	b.wantMarks("a! b!")
	b.wantPlays(2)
	b.wantState(player.State{})
	if b.breaks != 0 || files != 2 {
		t.Errorf("%d breaks, %d files", b.breaks, files)
	}
}

// The connection with the switch is over.
func TestCommandError(t *testing.T) {
	b := newBed(t, player.Config{})
	b.err = errGone
	b.Player.Play(numbered(time.Second, 0), 8000)
	if err := b.Advance(b.now); !errors.Is(err, errGone) {
		t.Errorf("error %v", err)
	}
	b.err = nil
	b.advance(0)
	b.err = errGone
	b.Clear()
	if err := b.Advance(b.now); !errors.Is(err, errGone) {
		t.Errorf("error %v", err)
	}
	b.Close()
	if f := b.files(); len(f) != 0 {
		t.Errorf("files %v", f)
	}
}
