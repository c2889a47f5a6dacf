package player_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/controller/player"

	"go.uber.org/zap"
)

// leading is a bed whose utterances begin with so much.
func leading(t *testing.T, lead time.Duration) *bed {
	return newBed(t, player.Config{Method: player.MethodFiles, Directory: t.TempDir(), Lead: lead})
}

// An utterance begins with what the lead says, and goes on with what has come until it is nearly over.
func TestLead(t *testing.T) {
	b := leading(t, 200*ms)
	for i := range 9 {
		b.say(20*ms, i)
		b.advance(20 * ms)
	}
	b.wantPlays(0)
	b.say(20*ms, 9)
	b.wantLengths(200 * ms)
	for i := range 5 {
		b.advance(20 * ms)
		b.say(20*ms, i)
	}
	b.advance(19 * ms)
	b.wantPlays(1)
	b.advance(ms)
	b.wantLengths(200*ms, 100*ms)
	b.say(20*ms, 0)
	b.played(0, 200*ms)
	b.wantPlays(2)
	b.advance(20 * ms)
	b.wantLengths(100*ms, 20*ms)
	b.say(20*ms, 0) // too late to be longer
	b.played(1, 100*ms)
	b.wantLengths(20*ms, 20*ms)
}

// A second goes to the switch at once, at the begin and later.
func TestLeadOfMuch(t *testing.T) {
	b := leading(t, 500*ms)
	b.say(2500*ms, 0)
	b.wantLengths(time.Second, time.Second)
	b.played(0, time.Second)
	b.wantPlays(2)
	b.advance(920 * ms)
	b.wantLengths(time.Second, 500*ms)
}

// What is less than the lead begins once the bot sends nothing more, or at once if a mark or a file is behind it.
func TestLeadOfLittle(t *testing.T) {
	b := leading(t, time.Second)
	b.say(50*ms, 0)
	b.advance(59 * ms)
	b.wantPlays(0)
	b.say(10*ms, 400)
	b.advance(59 * ms)
	b.wantPlays(0)
	b.advance(ms)
	b.wantLengths(60 * ms)
	b.played(0, 60*ms)
	b.say(60*ms, 0)
	b.mark("a")
	b.advance(0)
	b.wantLengths(60 * ms)
	b.played(1, 60*ms)
	b.wantMarks("a")
	b.say(40*ms, 0)
	b.File("x.wav", nil)
	b.advance(0)
	b.wantPlays(4)
	b.say(40*ms, 0) // while a file plays, nobody knows for how long
	b.wantPlays(4)
	b.advance(60 * ms)
	b.wantPlays(4)
	b.played(2, 40*ms)
	b.wantPlays(5)
}

// What was cleared counts for nothing: the next utterance has a lead of its own.
func TestLeadAfterClear(t *testing.T) {
	b := leading(t, 100*ms)
	b.say(80*ms, 0)
	b.Clear()
	b.say(80*ms, 0)
	b.wantPlays(0)
	b.say(20*ms, 0)
	b.wantLengths(100 * ms)
}

// A bot that speaks in real time is played in chunks that are nearly as long as the lead.
func TestChunksOfABotInRealTime(t *testing.T) {
	for lead, most := range map[time.Duration]int{0: 400, 200 * ms: 90, 500 * ms: 30, time.Second: 15} { // chunks in 8 s
		synctest.Test(t, func(t *testing.T) {
			s := &simulated{t: t, random: rand.New(rand.NewPCG(1, 2)), events: make(chan func(*player.Player), 1000), files: map[string][]byte{}}
			p := player.New(player.Config{Rate: 8000, Method: player.MethodStream, Lead: lead}, s, zap.NewNop(), nil)
			s.p = p
			stop := make(chan struct{})
			var running sync.WaitGroup
			running.Go(func() { s.run(stop) })
			running.Go(func() { call(t, s, stop) })
			for i := range 400 {
				p.Play(numbered(20*ms, i*160), 8000)
				time.Sleep(20 * ms)
			}
			time.Sleep(3 * time.Second)
			close(stop)
			running.Wait()
			spoken, _ := s.spoken()
			want := make([]int, 400*160)
			for i := range want {
				want[i] = i % 65535
			}
			if !slices.Equal(spoken, want) {
				t.Errorf("lead %v: heard %d samples of %d, or others", lead, len(spoken), len(want))
			}
			if n := s.named; n > most || lead == 0 && n < 200 {
				t.Errorf("lead %v: %d chunks, want at most %d", lead, n, most)
			} else {
				t.Logf("lead %v: %d chunks", lead, n)
			}
			p.Close()
		})
	}
}
