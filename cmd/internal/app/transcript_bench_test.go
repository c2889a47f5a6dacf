package app

import (
	"context"
	"errors"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/config"
	"tapdeck/controller"
	"tapdeck/controller/esl"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim/recogniser"
	"tapdeck/controller/transcript"
	"tapdeck/sink"
)

// The load of BenchmarkTranscribed: so many calls, and a recogniser of this wire.
const (
	transcribedCalls = "TAPDECK_TEST_TRANSCRIBED"
	transcribedWire  = "TAPDECK_TEST_TRANSCRIBED_WIRE"
)

// BenchmarkTranscribed gives what the daemon alone needs for calls that are transcribed, and for
// the same calls with a bare tap, whose reader forgets what it reads: one that has each frame at once, as a bot
// does, and one that waits as long as a transcription does. Simulated switch and recogniser are another
// process on the same cores. -benchtime 1x is meant.
func BenchmarkTranscribed(b *testing.B) {
	calls := 200
	if testing.Short() { // only that it runs
		calls = 10
	}
	for _, mode := range []struct {
		name, wire string
		tap        *controller.TapOptions
	}{
		{"recorded only", "", nil},
		{"bare tap", "", &controller.TapOptions{Caller: true}},
		{"bare tap of 200 ms", "", &controller.TapOptions{Caller: true, Latency: 200 * time.Millisecond}},
		{"deepgram", transcript.FormatDeepgram, nil},
		{"vosk", transcript.FormatVosk, nil},
	} {
		b.Run(mode.name, func(b *testing.B) {
			for b.Loop() {
				measureTranscribed(b, calls, mode.wire, mode.tap)
			}
		})
	}
}

func measureTranscribed(b *testing.B, calls int, wire string, tap *controller.TapOptions) {
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	}
	load := startLoad(b, "TestTranscribedLoad", transcribedCalls+"="+strconv.Itoa(calls), transcribedWire+"="+wire)
	service := transcript.DefaultService()
	url := load.line()
	if wire != "" {
		service.URL, service.Format = url, wire
	}
	d := startParts(b, service, tap, calls)
	debug.FreeOSMemory() // of what ran before
	before := used()
	load.say(d)
	load.line() // all run
	begin := used()
	time.Sleep(measured)
	end := used()
	load.end()
	seconds := float64(calls) * measured.Seconds()
	b.ReportMetric((end.cpu-begin.cpu).Seconds()*1000/seconds, "cpu-ms/call-s")
	b.ReportMetric(float64(end.mallocs-begin.mallocs)/seconds, "allocs/call-s")
	b.ReportMetric(float64(end.resident-before.resident)/1024/float64(calls), "KiB/call")
	b.ReportMetric(0, "ns/op")
}

// startParts runs sink and controller until the benchmark ends, and returns where calls come in. With
// tap, each recording has one that is read.
func startParts(b *testing.B, service transcript.Service, tap *controller.TapOptions, calls int) (address string) {
	directory := b.TempDir() // which is removed when all has ended
	ctx, cancel := context.WithCancelCause(context.Background())
	var serving sync.WaitGroup
	b.Cleanup(func() {
		cancel(errors.New("the benchmark is over"))
		serving.Wait()
	})
	c := config.Default()
	c.Sink.MinFree, c.Sink.Directory, c.ESL.MaxCalls = 0, directory, calls
	ln, events := apptest.ListenAnywhere(b), apptest.ListenAnywhere(b)
	c.Sink.Advertise = "ws://" + ln.Addr().String()
	reg := prometheus.NewRegistry()
	s := sink.New(sinkConfig(c), zap.NewNop(), reg)
	plan := controller.Plan{
		Name: "default", OnStreamFailure: controller.FailureHangup, Transcribe: service,
		Stream: controller.StreamPlan(config.Default().Plans[config.DefaultPlan].Stream),
		Steps:  []flow.Step{&flow.Answer{}, &flow.Stream{}, &flow.Listen{For: 5 * time.Minute}, &flow.Hangup{}},
	}
	r := tapping{recorder{sink: s, lost: &atomic.Int64{}}, tap, &serving}
	settings := controller.DefaultConfig()
	settings.MaxCalls = calls
	ctl := controller.New(settings, r, func(controller.Variables, string) (controller.Plan, []error) { return plan, nil }, zap.NewNop(), reg)
	serving.Go(func() { _ = s.Serve(ctx, ln) })
	serving.Go(func() { _ = ctl.Serve(ctx, events, esl.NewServer(eslConfig(c), zap.NewNop(), reg)) })
	return events.Addr().String()
}

// tapping is a recorder whose recordings are read, if there are options.
type tapping struct {
	recorder
	options *controller.TapOptions
	readers *sync.WaitGroup
}

func (t tapping) Expect(info controller.Info, stream controller.StreamPlan) (controller.Recording, error) {
	rec, err := t.recorder.Expect(info, stream)
	if err == nil && t.options != nil {
		ear := rec.Tap(*t.options)
		t.readers.Go(func() {
			defer ear.Close()
			p := make([]byte, 3200)
			for range ear.Ready() {
				for {
					sound, err := ear.Read(p)
					if err != nil {
						return
					}
					if sound.Bytes == 0 && sound.Gap == 0 {
						break
					}
				}
			}
		})
	}
	return rec, err
}

// TestTranscribedLoad is the second process of BenchmarkTranscribed: it says its recogniser's URL, reads where
// the daemon is, says when all calls run, and ends them when its standard input ends.
func TestTranscribedLoad(t *testing.T) {
	calls, err := strconv.Atoi(os.Getenv(transcribedCalls))
	if err != nil {
		t.Skip("this is the load of BenchmarkTranscribed, which starts it")
	}
	wire := os.Getenv(transcribedWire)
	server := &recogniser.Server{Format: recogniser.Format(wire), Deaf: true, Count: true}
	url, stop := server.Start()
	defer stop()
	placeLoad(t, url, calls, func() bool { return wire == "" || len(server.Connections()) == calls })
}
