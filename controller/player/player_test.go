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
