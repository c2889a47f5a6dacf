package player_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tapdeck/controller/player"
)

// tick is when a session does something: F80.
const tick = 20 * ms

// faults are what a simulated switch does wrong.
type faults struct {
	deafBreak bool          // each first break has no effect
	late      time.Duration // events come up to so much later
	drops     bool          // the stream drops and comes back
}

// simulated is a switch that plays as FACTS.md says: in ticks, without gaps, and with a break that says nothing of what it drops.
// It is run by its own goroutine, in the time of a synctest bubble.
type simulated struct {
	t      *testing.T
	random *rand.Rand
	faults faults
	events chan func(*player.Player) // to the call's goroutine
	p      *player.Player

	mu       sync.Mutex
	files    map[string][]byte // that the module has written
	named    int               // how many
	queue    []*playback
	playing  *playback
	breaks   int  // commands
	breaking bool // at the next tick
	down     bool
	last     time.Time // of the latest event: they come in order
	heard    []heard
	commands []time.Time // of Play and Send
}

type playback struct {
	id, file string
	pcm      []byte
	at       int
}

// heard is what was heard in one tick.
type heard struct {
	at  time.Time
	pcm []byte
}

func (s *simulated) Play(file string) (string, error) {
	given := s.p.Given()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, time.Now())
	id := strconv.Itoa(s.random.Int())
	s.queue = append(s.queue, &playback{id: id, file: file})
	pcm, _ := s.read(file)
	given = append(given, time.Duration(len(pcm)/2)*time.Second/8000)
	if n := len(given); n > 3 || n == 3 && slices.Max(given) >= 60*ms {
		s.t.Errorf("the switch has playbacks of %v", given)
	}
	return id, nil
}

func (s *simulated) read(file string) ([]byte, bool) {
	if pcm, ok := s.files[file]; ok {
		return pcm, true
	}
	pcm, err := os.ReadFile(file)
	return pcm, err == nil
}

func (s *simulated) Break() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.breaks++
	if s.faults.deafBreak && s.breaks%2 == 1 {
		return nil
	}
	s.queue = nil
	s.breaking = s.playing != nil
	return nil
}

func (s *simulated) Send(text []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return player.ErrNoStream
	}
	s.commands = append(s.commands, time.Now())
	var m sent
	if err := json.Unmarshal(text, &m); err != nil {
		s.t.Errorf("message: %v", err)
	}
	s.named++
	file := fmt.Sprintf("/tmp/x_%d.tmp.r8", s.named)
	s.files[file] = m.Data.Audio
	s.event(time.Duration(s.random.Int64N(int64(21*ms))), func(p *player.Player) {
		p.Named(fmt.Sprintf(`{"audioDataType":"raw","sampleRate":8000,"tapdeck":%q,"file":%q}`, m.Data.Tag, file), time.Now())
	})
	return nil
}

func (s *simulated) Live() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.down
}

// event has something told to the player, after all that was told before.
func (s *simulated) event(after time.Duration, tell func(*player.Player)) {
	if s.faults.late > 0 {
		after += time.Duration(s.random.Int64N(int64(s.faults.late)))
	}
	at := time.Now().Add(after)
	if at.Before(s.last) {
		at = s.last
	}
	s.last = at.Add(1)
	time.AfterFunc(time.Until(at), func() { s.events <- tell })
}

// run plays until stop is closed.
func (s *simulated) run(stop <-chan struct{}) {
	s.mu.Lock()
	phase := time.Duration(s.random.Int64N(int64(tick)))
	s.mu.Unlock()
	time.Sleep(phase)
	clock := time.NewTicker(tick)
	defer clock.Stop()
	for {
		select {
		case <-stop:
			return
		case <-clock.C:
			s.tick()
		}
	}
}

func (s *simulated) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.drops && s.random.IntN(80) == 0 {
		s.drop()
	}
	if p := s.playing; p != nil && (s.breaking || p.at >= len(p.pcm)) {
		s.complete(p, "FILE PLAYED")
	}
	s.breaking = false
	for s.playing == nil && len(s.queue) > 0 {
		p := s.queue[0]
		s.queue = s.queue[1:]
		pcm, ok := s.read(p.file)
		if p.pcm = pcm; !ok {
			s.complete(p, "FILE NOT FOUND")
			continue
		}
		s.playing = p
	}
	if p := s.playing; p != nil {
		n := min(320, len(p.pcm)-p.at)
		s.heard = append(s.heard, heard{time.Now(), p.pcm[p.at : p.at+n]})
		p.at += n
	}
}

func (s *simulated) complete(p *playback, response string) {
	s.playing = nil
	c := player.Completion{ID: p.id, Played: player.Played{Response: response, Heard: time.Duration(p.at/2) * time.Second / 8000}}
	s.event(0, func(pl *player.Player) {
		c.At = time.Now()
		pl.Completed(c)
	})
}

// drop has the stream away for a while, in which nothing can be sent, and its files for ever (F168).
func (s *simulated) drop() {
	s.down = true
	clear(s.files)
	time.AfterFunc(time.Duration(s.random.Int64N(1+s.random.Int64N(int64(2*time.Second)))), func() {
		s.mu.Lock()
		s.down = false
		s.mu.Unlock()
		s.events <- func(p *player.Player) { p.Connected(time.Now()) }
	})
}

// call is a call's goroutine.
func call(t *testing.T, s *simulated, stop <-chan struct{}) {
	p := s.p
	for {
		select {
		case <-p.Wake():
		case <-p.Due():
		case tell := <-s.events:
			tell(p)
		case <-stop:
			return
		}
		if err := p.Advance(time.Now()); err != nil {
			t.Error(err)
		}
	}
}

// spoken is what was heard, without silence: a number for each sample.
func (s *simulated) spoken() (all []int, at []time.Time) {
	for _, h := range s.heard {
		for i := 0; i+1 < len(h.pcm); i += 2 {
			if v := int(h.pcm[i]) | int(h.pcm[i+1])<<8; v != 0 {
				all = append(all, v-1)
				at = append(at, h.at)
			}
		}
	}
	return all, at
}

func (f faults) String() string {
	var all []string
	if f.deafBreak {
		all = append(all, "deaf break")
	}
	if f.late > 0 {
		all = append(all, "late events")
	}
	if f.drops {
		all = append(all, "stream drops")
	}
	return strings.Join(all, ", ")
}
