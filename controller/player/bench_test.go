package player_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tapdeck/controller/player"

	"go.uber.org/zap"
)

// instant is a switch that names at once, and plays at once.
type instant struct {
	p      *player.Player
	events chan func()
	n      int // playbacks

	holds         atomic.Bool  // what is given now plays on
	came, cleared atomic.Int64 // when, in ns since the epoch: 0 if the command for it was given
	speak, clears []time.Duration
}

func (s *instant) Play(string) (string, error) {
	note(&s.came, &s.speak)
	s.n++
	id := strconv.Itoa(s.n)
	if s.holds.Load() {
		return id, nil
	}
	s.events <- func() {
		s.p.Completed(player.Completion{ID: id, Played: player.Played{Response: "FILE PLAYED", Heard: 20 * ms}, At: time.Now()})
	}
	return id, nil
}

func (s *instant) Break() error {
	note(&s.cleared, &s.clears)
	return nil
}

func (s *instant) Send(text []byte) error {
	note(&s.came, &s.speak)
	const before = len(`{"type":"streamAudio","data":{"audioDataType":"raw","sampleRate":8000,"tapdeck":"`)
	tag := string(text[before : before+bytes.IndexByte(text[before:], '"')])
	s.events <- func() { s.p.Named(`{"tapdeck":"`+tag+`","file":"/tmp/x.tmp.r8"}`, time.Now()) }
	return nil
}

func (s *instant) Live() bool { return true }

// note notes how long ago that is which now has its command.
func note(since *atomic.Int64, all *[]time.Duration) {
	if at := since.Swap(0); at != 0 {
		*all = append(*all, time.Duration(time.Now().UnixNano()-at))
	}
}

// BenchmarkPlayerChunk is what a chunk of 100 ms costs: queued, given, and heard.
func BenchmarkPlayerChunk(b *testing.B) {
	for _, method := range []player.Method{player.MethodStream, player.MethodFiles} {
		for _, rate := range []int{8000, 24000} {
			b.Run(fmt.Sprintf("%s/%d", method, rate), func(b *testing.B) {
				s := &instant{events: make(chan func(), 10)}
				s.p = player.New(player.Config{Rate: 8000, Method: method, Directory: b.TempDir()}, s, zap.NewNop(), nil)
				defer s.p.Close()
				audio, now := make([]byte, rate/5), time.Now()
				b.ReportAllocs()
				for b.Loop() {
					s.p.Play(audio, rate)
					for s.p.State().Queued > 0 {
						if err := s.p.Advance(now); err != nil {
							b.Fatal(err)
						}
						for len(s.events) > 0 {
							(<-s.events)()
						}
					}
				}
				b.ReportMetric(float64(s.n)/float64(b.N), "commands/op")
			})
		}
	}
}

// BenchmarkPlayerLatency is the time from a bot's audio to the command for it, and from a clear to the break, of 100
// calls at once, each with a goroutine for its bot and one for the call. Each bot speaks every 20 ms and clears once a second,
// for two seconds.
func BenchmarkPlayerLatency(b *testing.B) {
	for _, method := range []player.Method{player.MethodStream, player.MethodFiles} {
		b.Run(string(method), func(b *testing.B) {
			dir := b.TempDir()
			var mu sync.Mutex
			var speak, clears []time.Duration
			for b.Loop() {
				var calls sync.WaitGroup
				for range 100 {
					calls.Go(func() {
						s := talk(method, dir)
						mu.Lock()
						defer mu.Unlock()
						speak, clears = append(speak, s.speak...), append(clears, s.clears...)
					})
				}
				calls.Wait()
			}
			report(b, speak, "audio")
			report(b, clears, "clear")
		})
	}
}

// talk is one call.
func talk(method player.Method, dir string) *instant {
	s := &instant{events: make(chan func(), 10)}
	s.p = player.New(player.Config{Rate: 8000, Method: method, Directory: dir}, s, zap.NewNop(), nil)
	stop := make(chan struct{})
	var call sync.WaitGroup
	call.Go(func() { s.call(stop) })
	time.Sleep(time.Duration(rand.Int64N(int64(20 * ms))))
	for i := range 100 {
		s.came.Store(time.Now().UnixNano())
		s.p.Play(make([]byte, 320), 8000)
		time.Sleep(20 * ms)
		if i%50 == 49 {
			s.holds.Store(true)
			s.p.Play(make([]byte, 32000), 8000)
			time.Sleep(20 * ms)
			s.came.Store(0)
			s.cleared.Store(time.Now().UnixNano())
			s.p.Clear()
			time.Sleep(20 * ms)
			s.cleared.Store(0)
			s.holds.Store(false)
		}
	}
	close(stop)
	call.Wait()
	s.p.Close()
	return s
}

// call is the call's goroutine.
func (s *instant) call(stop <-chan struct{}) {
	for {
		select {
		case <-s.p.Wake():
		case <-s.p.Due():
		case said := <-s.events:
			said()
		case <-stop:
			return
		}
		_ = s.p.Advance(time.Now())
	}
}

func report(b *testing.B, all []time.Duration, what string) {
	if len(all) == 0 {
		b.Fatal("nothing was measured")
	}
	slices.Sort(all)
	for _, q := range []struct {
		name string
		of   float64
	}{{"p50", 0.5}, {"p99", 0.99}} {
		b.ReportMetric(float64(all[int(q.of*float64(len(all)-1))])/1e6, what+"-"+q.name+"-ms")
	}
}
