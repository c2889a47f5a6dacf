package app

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/config"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
)

// BenchmarkConversations runs many two-way calls in this process: each caller says 50 frames a
// second, each bot speaks half of the time and clears every third time. CPU, allocations and memory are those of all
// that runs: daemon, simulated switch and bots. Of "recorded only" there is no bot: the
// difference is what conversations add, with both their ends. -benchtime 1x is meant.
func BenchmarkConversations(b *testing.B) {
	counts := []int{50, 100, 200, 300}
	if testing.Short() { // only that it runs
		counts = counts[:1]
	}
	for _, n := range counts {
		for _, talk := range []bool{true, false} {
			name := fmt.Sprintf("%d/talking", n)
			if !talk {
				name = fmt.Sprintf("%d/recorded only", n)
			}
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					converse(b, n, talk)
				}
			})
		}
	}
}

// measured is how long a benchmark's calls are measured.
const measured = 10 * time.Second

// usage is what this process has used.
type usage struct {
	cpu      time.Duration
	mallocs  uint64
	resident int64 // bytes
}

func used() usage {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	var pages, resident int64
	statm, _ := os.ReadFile("/proc/self/statm")
	_, _ = fmt.Sscan(string(statm), &pages, &resident)
	return usage{time.Duration(r.Utime.Nano() + r.Stime.Nano()), m.Mallocs, resident * int64(os.Getpagesize())}
}

func converse(b *testing.B, calls int, talk bool) {
	clears := &clearTimes{of: map[string][]time.Time{}}
	server := startBot(b, bot.Options{Count: true, Behaviour: clears.speakHalf})
	s := newTestDaemon(b, fmt.Sprintf(talkingCalls, server.URL(), bot.Twilio)+`
  listen: {steps: [answer, stream, listen: 5m, hangup]}
  talk: {steps: [answer, stream, agent: {url: "`+server.URL()+`", for: 5m}, hangup]}
`, func(c *config.Config) { c.ESL.MaxCalls = calls })
	path := map[bool]string{true: "/talk", false: "/listen"}[talk]
	debug.FreeOSMemory() // of what ran before
	before := used()
	placed := make([]*switchsim.Call, calls)
	for i := range placed {
		placed[i] = s.place(switchsim.CallSpec{Address: s.listeners.ESL.Addr().String() + path, Voice: switchsim.ToneVoice(8000, 200+i, 0.3)})
		time.Sleep(40 * time.Millisecond) // 25 a second
	}
	apptest.Until(b, "all calls to run", func() bool {
		return !talk && len(s.controller.Calls()) == calls || len(server.Sessions()) == calls
	})
	begin := used()
	time.Sleep(measured)
	end := used()
	for _, call := range placed {
		call.Hangup()
	}
	for _, call := range placed {
		clears.compare(call.Wait())
	}
	seconds := float64(calls) * measured.Seconds()
	b.ReportMetric((end.cpu-begin.cpu).Seconds()*1000/seconds, "cpu-ms/call-s")
	b.ReportMetric(float64(end.mallocs-begin.mallocs)/seconds, "allocs/call-s")
	b.ReportMetric(float64(end.resident-before.resident)/1024/float64(calls), "KiB/call")
	b.ReportMetric(0, "ns/op")
	if talk {
		for _, direction := range []string{"out", "in"} {
			b.ReportMetric(s.added(direction, .5), direction+"-p50-ms")
			b.ReportMetric(s.added(direction, .99), direction+"-p99-ms")
		}
		slices.Sort(clears.took)
		at := func(q float64) float64 { return clears.took[int(q*float64(len(clears.took)-1))].Seconds() * 1000 }
		b.ReportMetric(at(.5), "clear-p50-ms")
		b.ReportMetric(at(.99), "clear-p99-ms")
	}
}

// clearTimes are when bots cleared, by the call's SID, and how long after it the switch was told.
type clearTimes struct {
	mu   sync.Mutex
	of   map[string][]time.Time
	took []time.Duration
}

// speakHalf is a bot that speaks a second of two, at once as bots send it, and clears in the middle of every third.
func (c *clearTimes) speakHalf(s *bot.Session) bot.Hooks {
	pcm := bot.Tone(8000, 660, time.Second)
	return bot.Hooks{Run: func() {
		for n := 1; s.Sleep(500 * time.Millisecond); n++ {
			s.PlayIn(pcm, 100*time.Millisecond)
			s.Sleep(500 * time.Millisecond)
			if n%3 == 0 {
				c.mu.Lock()
				c.of[s.Call().CallSID] = append(c.of[s.Call().CallSID], time.Now())
				c.mu.Unlock()
				s.Clear()
			}
			s.Sleep(time.Second)
		}
	}}
}

// compare notes how long after each clear the switch had the command of it.
func (c *clearTimes) compare(r switchsim.Report) {
	c.mu.Lock()
	defer c.mu.Unlock()
	clears := c.of["CA"+strings.ReplaceAll(r.UUID, "-", "")]
	for i, command := range r.Commands {
		if strings.Contains(command, "uuid_break") && len(clears) > 0 && !r.CommandedAt[i].Before(clears[0]) {
			c.took = append(c.took, r.CommandedAt[i].Sub(clears[0]))
			clears = clears[1:]
		}
	}
}

// added is a quantile of tapdeck_agent_added_seconds, in ms, as Prometheus would say it.
func (s *testDaemon) added(direction string, q float64) float64 {
	families, err := s.registry.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "tapdeck_agent_added_seconds" && m.GetLabel()[0].GetValue() == direction {
				return 1000 * quantile(m.GetHistogram(), q)
			}
		}
	}
	return 0
}

func quantile(h *dto.Histogram, q float64) float64 {
	rank, from, below := q*float64(h.GetSampleCount()), 0., uint64(0)
	for _, b := range h.GetBucket() {
		if n := b.GetCumulativeCount(); float64(n) >= rank {
			return from + (b.GetUpperBound()-from)*(rank-float64(below))/float64(n-below)
		}
		from, below = b.GetUpperBound(), b.GetCumulativeCount()
	}
	return from
}
