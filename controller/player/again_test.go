package player_test

import (
	"bytes"
	"slices"
	"testing"

	"tapdeck/controller/player"
)

// sentFrom are the numbers of the first samples of what was sent, from message n on.
func (b *bed) sentFrom(n int) (first []int) {
	for _, s := range b.sent[n:] {
		first = append(first, int(s.Data.Audio[0])|int(s.Data.Audio[1])<<8-1)
	}
	return first
}

// dropped is a bed whose stream has dropped and come back while chunk 0 played, chunk 1 waited in the switch, and chunk 2
// was being named.
func dropped(t *testing.T) *bed {
	b := stream(t)
	b.say(40*ms, 0)
	b.name(0)
	b.say(200*ms, 320)
	b.name(1)
	b.say(300*ms, 1920)
	b.mark("a")
	b.wantPlays(2)
	b.wantSent(2)
	b.Connected(b.now)
	b.advance(20 * ms)
	return b
}

// What a stream that dropped takes along is sent again, in its place.
func TestNotFoundIsSentAgain(t *testing.T) {
	b := dropped(t)
	b.played(0, 40*ms)
	b.wantSent(2) // nothing comes behind what may be gone
	b.done(1, "FILE NOT FOUND", 40*ms)
	b.wantMarks("")
	b.wantState(player.State{Queued: 500 * ms, Marks: 1})
	b.wantSent(3)
	if !bytes.Equal(b.sent[2].Data.Audio, b.sent[1].Data.Audio) || b.sent[2].Data.Tag == b.sent[1].Data.Tag {
		t.Errorf("sent %v", b.sent[2])
	}
	b.name(1) // of before
	b.wantPlays(2)
	b.name(2)
	b.wantPlays(3)
	b.wantSent(4)
	b.name(3)
	b.played(2, 200*ms)
	b.wantMarks("")
	b.played(3, 300*ms)
	b.wantMarks("a")
	b.wantState(player.State{})
}

// Of what was given and has begun, no harm comes from a stream's end.
func TestWhatPlaysIsNotHeldBack(t *testing.T) {
	b := dropped(t)
	b.played(0, 40*ms)
	b.advance(99 * ms)
	b.wantSent(2)
	b.advance(ms)
	b.wantSent(3)
	if got := b.sentFrom(2); !slices.Equal(got, []int{1920}) {
		t.Errorf("samples %d are sent", got)
	}
}

// What is being named is sent behind what was not found, if that is told later.
func TestNotFoundWhileTheNextIsNamed(t *testing.T) {
	b := stream(t)
	b.say(40*ms, 0)
	b.name(0)
	b.say(300*ms, 320)
	b.wantSent(2)
	b.done(0, "FILE NOT FOUND", 0)
	b.name(1)
	b.wantPlays(1)
	b.name(2)
	b.name(3)
	b.wantPlays(3)
	if got := b.sentFrom(0); !slices.Equal(got, []int{0, 320, 0, 320}) {
		t.Errorf("samples %d are sent", got)
	}
}

// What was heard meanwhile is not followed by what was before it: that is lost.
func TestNotFoundBeforeWhatIsHeard(t *testing.T) {
	b := stream(t)
	b.say(40*ms, 0)
	b.name(0)
	b.say(300*ms, 320)
	b.mark("a")
	b.name(1)
	b.say(300*ms, 2720)
	b.done(0, "FILE NOT FOUND", 0)
	b.wantSent(2)
	b.wantState(player.State{Playing: true, Queued: 640 * ms, Marks: 1})
	b.played(1, 300*ms)
	b.wantMarks("a")
	b.wantLog("chunk not found by the switch")
	b.wantState(player.State{Queued: 300 * ms, Lost: 40 * ms})
	b.wantSent(3)
	if got := b.sentFrom(2); !slices.Equal(got, []int{2720}) {
		t.Errorf("samples %d are sent", got)
	}
}

// Two of them are sent again in their order, and not for ever.
func TestNotFoundAgainAndAgain(t *testing.T) {
	b := stream(t)
	b.say(40*ms, 0)
	b.name(0)
	b.say(300*ms, 320)
	b.mark("a")
	b.name(1)
	for i := range 3 {
		n := 2 + 2*i
		b.done(n-2, "FILE NOT FOUND", 0)
		b.wantSent(n)
		b.done(n-1, "FILE NOT FOUND", 0)
		b.wantSent(n + 1)
		b.name(n)
		b.wantSent(n + 2)
		b.name(n + 1)
		b.wantPlays(n + 2)
	}
	b.done(6, "FILE NOT FOUND", 0)
	b.wantMarks("")
	b.done(7, "FILE NOT FOUND", 0)
	b.wantMarks("a")
	b.wantState(player.State{Lost: 340 * ms})
	b.wantSent(8)
}

// A clear drops what is to be sent again.
func TestClearOfWhatWasNotFound(t *testing.T) {
	b := stream(t)
	b.say(40*ms, 0)
	b.name(0)
	b.say(40*ms, 320)
	b.name(1)
	b.mark("a")
	b.done(0, "FILE NOT FOUND", 0)
	b.Clear()
	b.wantMarks("a!")
	b.advance(0)
	b.wantState(player.State{Cleared: 1})
	b.say(20*ms, 0)
	b.wantSent(3)
}
