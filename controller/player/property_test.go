package player_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/controller/player"

	"go.uber.org/zap"
)

// bot says numbered samples as it likes, and remembers what.
type bot struct {
	t      *testing.T
	p      *player.Player
	lead   time.Duration
	random *rand.Rand

	mu      sync.Mutex
	samples int       // said
	came    []said    // in order
	cleared []cleared // in order
	marks   []botMark // in order
	echoed  int
}

type said struct {
	from, to int
	at       time.Time
}

// cleared is one before a sample.
type cleared struct {
	before int
	at     time.Time
}

type botMark struct {
	after   int // samples
	at      time.Time
	clears  int // clears before it
	echoed  time.Time
	cleared bool
}

func (b *bot) play(d time.Duration) {
	pcm := numbered(d, b.samples)
	n := len(pcm) / 2
	b.came = append(b.came, said{b.samples, b.samples + n, time.Now()})
	b.samples += n
	b.p.Play(pcm, 8000)
}

func (b *bot) mark() {
	i := len(b.marks)
	b.mu.Lock()
	b.marks = append(b.marks, botMark{after: b.samples, at: time.Now(), clears: len(b.cleared)})
	b.mu.Unlock()
	b.p.Mark(func(cleared bool) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.echoed != i {
			b.t.Errorf("mark %d is echoed after %d", i, b.echoed)
		}
		b.echoed++
		b.marks[i].echoed, b.marks[i].cleared = time.Now(), cleared
	})
}

// say does one thing.
func (b *bot) say() {
	switch n := b.random.IntN(100); {
	case n < 45:
		b.play(20 * ms)
	case n < 60:
		b.play(time.Duration(b.random.IntN(1600)) * 125 * time.Microsecond)
	case n < 64:
		b.play(time.Duration(b.random.IntN(3000)) * ms)
	case n < 66:
		for range 50 {
			b.play(125 * time.Microsecond)
		}
	case n < 84:
		b.mark()
	case n < 87:
		b.p.Clear()
		b.cleared = append(b.cleared, cleared{b.samples, time.Now()})
	case n < 88:
		for range 30 {
			b.p.Clear()
			b.cleared = append(b.cleared, cleared{b.samples, time.Now()})
		}
	case n < 98:
		time.Sleep(time.Duration(b.random.IntN(100)) * ms)
	default:
		time.Sleep(time.Duration(b.random.IntN(4000)) * ms)
	}
}

// Whatever a bot does, its caller hears what it said and did not clear, in order, sample for sample, and its
// marks come back when they should.
func TestWhatIsSaidIsHeard(t *testing.T) {
	for seed := range uint64(24) {
		f := faults{deafBreak: seed%5 == 3, drops: seed%4 == 2}
		if seed%3 == 1 {
			f.late = 20 * ms
		}
		method := player.MethodStream
		if seed%2 == 1 {
			method, f.drops = player.MethodFiles, false
		}
		c := player.Config{Rate: 8000, Method: method, Limit: time.Hour, Lead: leads[seed/4%uint64(len(leads))]}
		t.Run(fmt.Sprintf("%d %s %v %v", seed, method, f, c.Lead), func(t *testing.T) {
			c.Directory = t.TempDir()
			synctest.Test(t, func(t *testing.T) { converse(t, seed, c, f) })
		})
	}
}

// leads are those that players have: most have none.
var leads = []time.Duration{0, 200 * ms, 0, 60 * ms, 0, time.Second}

// converse has a bot talk for a while, then lets it end.
func converse(t *testing.T, seed uint64, c player.Config, f faults) {
	random := rand.New(rand.NewPCG(seed, 1))
	s := &simulated{t: t, random: rand.New(rand.NewPCG(seed, 2)), faults: f, events: make(chan func(*player.Player), 1000), files: map[string][]byte{}}
	if c.Method == player.MethodStream {
		c.Directory = ""
	}
	p := player.New(c, s, zap.NewNop(), nil)
	s.p = p
	b := &bot{t: t, p: p, lead: c.Lead, random: random}
	stop := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() { s.run(stop) })
	running.Go(func() { call(t, s, stop) })
	for range 300 {
		b.say()
	}
	for deadline := time.Now().Add(time.Hour); p.State().Queued > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Second)
	}
	time.Sleep(10 * time.Second)
	close(stop)
	running.Wait()
	b.check(s, p)
	p.Close()
}

func (b *bot) check(s *simulated, p *player.Player) {
	if st := p.State(); st.Queued != 0 || st.Marks != 0 || st.Lost != 0 || st.Refused != 0 || st.Playing {
		b.t.Errorf("at the end: %+v", st)
	}
	if b.echoed != len(b.marks) {
		b.t.Errorf("%d of %d marks came back", b.echoed, len(b.marks))
	}
	var heard time.Duration
	for _, u := range p.Utterances() {
		heard += u.Heard
	}
	if want := time.Duration(len(s.heard)) * tick; heard != want && !s.faults.deafBreak {
		b.t.Errorf("utterances of %v, heard %v", heard, want)
	}
	heardAt := b.checkHeard(s)
	b.checkMarks(heardAt)
}

// checkHeard compares, and returns when each sample was heard, if it was.
func (b *bot) checkHeard(s *simulated) []time.Time {
	heardAt := make([]time.Time, b.samples)
	spoken, at := s.spoken()
	next, clears := 0, 0
	for i, v := range spoken {
		for v != next%65535 { // the rest was cleared
			if clears == len(b.cleared) {
				b.t.Fatalf("sample %d is heard, want %d", v, next)
			}
			next = max(next, b.cleared[clears].before)
			clears++
		}
		heardAt[next] = at[i]
		next++
	}
	for _, c := range b.cleared[clears:] {
		next = max(next, c.before)
	}
	if next != b.samples {
		b.t.Errorf("%d of %d samples were heard or cleared", next, b.samples)
	}
	b.checkClears(s, heardAt)
	b.checkPauses(s, heardAt)
	return heardAt
}

// checkClears: nothing from before a clear is heard later than the break's tick, of which the second one may be
// the first that counts.
func (b *bot) checkClears(s *simulated, heardAt []time.Time) {
	if s.faults.deafBreak {
		return
	}
	begin := 0
	for _, c := range b.cleared {
		for i := begin; i < c.before; i++ {
			if heardAt[i].Sub(c.at) > tick {
				b.t.Errorf("sample %d is heard %v after its clear", i, heardAt[i].Sub(c.at))
				return
			}
		}
		begin = c.before
	}
}

// checkPauses: there is no silence while there is something to say that came in time.
func (b *bot) checkPauses(s *simulated, heardAt []time.Time) {
	enough := 110*ms + b.lead // less than a frame, its naming, a tick, and events that are late
	if s.faults.drops || s.faults.deafBreak {
		return
	}
	came := make([]time.Time, b.samples)
	for _, m := range b.came {
		for i := m.from; i < m.to; i++ {
			came[i] = m.at
		}
	}
	var before time.Time // the latest sample that was heard
	for i, at := range heardAt {
		if at.IsZero() {
			continue
		}
		ready := came[i]
		if before.Add(tick).After(ready) {
			ready = before.Add(tick)
		}
		if late := at.Sub(ready); late > enough {
			b.t.Errorf("sample %d is heard %v later than it could be", i, late)
			return
		}
		before = at
	}
}

// checkMarks: each comes after all that was said before it, and soon.
func (b *bot) checkMarks(heardAt []time.Time) {
	for i, m := range b.marks {
		if m.cleared && (m.clears == len(b.cleared) || b.cleared[m.clears].at.After(m.echoed)) {
			b.t.Errorf("mark %d is cleared, but nothing was", i)
		}
		if m.cleared || m.after == 0 {
			continue
		}
		begin := 0
		if m.clears > 0 {
			begin = b.cleared[m.clears-1].before
		}
		if begin == m.after { // nothing was before it
			continue
		}
		last := heardAt[m.after-1]
		if last.IsZero() || m.echoed.Before(last) {
			b.t.Errorf("mark %d comes at %v, what is before it is heard at %v", i, m.echoed, last)
		}
		if m.at.After(last) {
			last = m.at
		}
		if late := m.echoed.Sub(last); late > 300*ms+b.lead {
			b.t.Errorf("mark %d comes %v late", i, late)
		}
	}
}

// What is long enough for a chunk is with the switch at the moment at which it came.
func TestTheFirstChunkGoesOutAtOnce(t *testing.T) {
	for _, method := range []player.Method{player.MethodStream, player.MethodFiles} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			s := &simulated{t: t, random: rand.New(rand.NewPCG(1, 1)), events: make(chan func(*player.Player), 10), files: map[string][]byte{}}
			p := player.New(player.Config{Rate: 8000, Method: method, Directory: dir}, s, zap.NewNop(), nil)
			s.p = p
			stop := make(chan struct{})
			var running sync.WaitGroup
			running.Go(func() { call(t, s, stop) })
			for _, rate := range []int{8000, 16000, 24000} {
				time.Sleep(123 * ms)
				p.Play(make([]byte, rate/50*2), rate)
				came := time.Now()
				synctest.Wait()
				if n := len(s.commands); n != 1 || s.commands[0] != came {
					t.Errorf("%s: commands at %v, audio at %v", method, s.commands, came)
				}
				s.commands = nil
				p.Clear()
				synctest.Wait()
			}
			close(stop)
			running.Wait()
			p.Close()
		})
	}
}
