package app

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/config"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
)

// loadEnv tells the test binary to be the load of BenchmarkTwoWay instead: so many calls, and their bots.
const loadEnv = "TAPDECK_TEST_TWO_WAY"

// BenchmarkTwoWay gives what the daemon alone needs for two-way calls: simulated switch and bots are
// another process on the same cores. Each caller says 50 frames a second, each bot speaks half of the
// time. -benchtime 1x is meant.
func BenchmarkTwoWay(b *testing.B) {
	counts := []int{100, 200, 300}
	if testing.Short() { // only that it runs
		counts = []int{10}
	}
	for _, n := range counts {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				measureTwoWay(b, n)
			}
		})
	}
}

// gcPercent is that of tapdeck serve.
const gcPercent = 40

func measureTwoWay(b *testing.B, calls int) {
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	}
	load := startLoad(b, "TestTwoWayLoad", loadEnv+"="+strconv.Itoa(calls))
	url := load.line()
	s := newTestDaemon(b, fmt.Sprintf(talkingCalls, url, bot.Twilio)+`
  talk: {steps: [answer, stream, agent: {url: "`+url+`", for: 5m}, hangup]}
`, func(c *config.Config) { c.ESL.MaxCalls = calls })
	debug.FreeOSMemory() // of what ran before
	before := used()
	load.say(s.listeners.ESL.Addr().String() + "/talk")
	load.line() // all talk
	begin := used()
	time.Sleep(measured)
	end := used()
	load.end()
	seconds := float64(calls) * measured.Seconds()
	b.ReportMetric((end.cpu-begin.cpu).Seconds()*1000/seconds, "cpu-ms/call-s")
	b.ReportMetric(float64(end.mallocs-begin.mallocs)/seconds, "allocs/call-s")
	b.ReportMetric(float64(end.resident-before.resident)/1024/float64(calls), "KiB/call")
	b.ReportMetric(0, "ns/op")
	for _, direction := range []string{"out", "in"} {
		b.ReportMetric(s.added(direction, .5), direction+"-p50-ms")
		b.ReportMetric(s.added(direction, .99), direction+"-p99-ms")
	}
}

// load is the other process, which is told and tells a line at a time.
type load struct {
	b   *testing.B
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startLoad runs a test of this package as the other process.
func startLoad(b *testing.B, test string, env ...string) *load {
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	return &load{b, cmd, in, bufio.NewReader(out)}
}

func (l *load) line() string {
	text, err := l.out.ReadString('\n')
	if err != nil {
		l.b.Fatalf("the load said %q: %v", text, err)
	}
	return strings.TrimSpace(text)
}

func (l *load) say(text string) {
	if _, err := fmt.Fprintln(l.in, text); err != nil {
		l.b.Fatal(err)
	}
}

// end ends the calls, and returns when all have ended.
func (l *load) end() {
	l.in.Close()
	_, _ = io.Copy(io.Discard, l.out)
	if err := l.cmd.Wait(); err != nil {
		l.b.Error(err)
	}
}

// TestTwoWayLoad is the second process of BenchmarkTwoWay: it says its bot's URL, reads where the
// daemon is, says when all calls talk, and ends them when its standard input ends.
func TestTwoWayLoad(t *testing.T) {
	calls, err := strconv.Atoi(os.Getenv(loadEnv))
	if err != nil {
		t.Skip("this is the load of BenchmarkTwoWay, which starts it")
	}
	clears := &clearTimes{of: map[string][]time.Time{}}
	server := startBot(t, bot.Options{Count: true, Behaviour: clears.speakHalf})
	placeLoad(t, server.URL(), calls, func() bool { return len(server.Sessions()) == calls })
}

// placeLoad says a URL, reads where the daemon is, places calls, says when all of them run, and ends them when
// standard input ends.
func placeLoad(t *testing.T, url string, calls int, run func() bool) {
	fmt.Println(url)
	in := bufio.NewReader(os.Stdin)
	address, err := in.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	sw := switchsim.New(switchsim.Config{})
	defer sw.Wait()
	for i := range calls {
		call, err := sw.Dial(t.Context(), switchsim.CallSpec{Address: strings.TrimSpace(address), Voice: switchsim.ToneVoice(8000, 200+i, 0.3)})
		if err != nil {
			t.Fatal(err)
		}
		defer call.Hangup()
		time.Sleep(40 * time.Millisecond) // 25 a second
	}
	apptest.Until(t, "all calls to run", run)
	fmt.Println("all run")
	_, _ = io.Copy(io.Discard, in)
}
