package sink

import (
	"encoding/binary"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tapdeck/wav"
)

// BenchmarkTapFrame is what a frame of 20 ms costs from the track to its reader, and that it
// allocates nothing.
func BenchmarkTapFrame(b *testing.B) {
	for _, left := range []bool{false, true} {
		b.Run("left "+strconv.FormatBool(left), func(b *testing.B) {
			r := &Recording{format: mono8}
			if left {
				r.format = wav.Format{SampleRate: 8000, Channels: 2}
			}
			tap, pcm, p := r.Tap(TapOptions{Left: left}), speech(1, 160*r.format.Channels), make([]byte, 320)
			at := int64(0)
			b.ReportAllocs()
			for b.Loop() {
				tap.audio(at, pcm)
				if read, err := tap.Read(p); err != nil || read.Bytes != 320 {
					b.Fatal(read, err)
				}
				at += 160
			}
		})
	}
}

// BenchmarkTapLatency is the time from when another process writes a frame to its socket until
// a tap's reader has it, of 100 streams that all have a tap, and of one that alone has one.
//
//	go test -run '^$' -bench TapLatency -benchtime 1x ./sink
func BenchmarkTapLatency(b *testing.B) {
	b.Setenv(stampEnv, "1")
	for _, tapped := range []int{1, 100} {
		b.Run(strconv.Itoa(tapped)+" of 100", func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				_, late := measureTaps(b, 100, tapped, 1)
				took = append(took, late...)
			}
			slices.Sort(took)
			for name, share := range map[string]float64{"p50-µs": 0.5, "p99-µs": 0.99, "max-µs": 1} {
				b.ReportMetric(float64(took[int(share*float64(len(took)-1))].Microseconds()), name)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkTapCost is the CPU of a stream-second with so many live taps on every stream, and with
// one on one of 100 streams: the others pay nothing for it.
//
//	go test -run '^$' -bench TapCost -benchtime 1x ./sink
func BenchmarkTapCost(b *testing.B) {
	const streams = 100
	for b.Loop() {
		none, _ := measureTaps(b, streams, 0, 0)
		one, _ := measureTaps(b, streams, 1, 1)
		all, _ := measureTaps(b, streams, streams, 1)
		four, _ := measureTaps(b, streams, streams, 4)
		b.ReportMetric(none, "none-ms/stream-s")
		b.ReportMetric((one-none)*streams, "one-of-100-ms/s")
		b.ReportMetric(all, "each-ms/stream-s")
		b.ReportMetric((four-all)/3, "one-more-ms/stream-s")
	}
	b.ReportMetric(0, "ns/op")
}

// measureTaps gives the CPU, in ms, of a stream-second, and how late each frame was read.
func measureTaps(b *testing.B, streams, tapped, each int) (cpu float64, late []time.Duration) {
	cfg := testConfig(b)
	ln := listenTCP(b)
	cfg.Advertise = "ws://" + ln.Addr().String()
	bench := serveOn(b, cfg, ln, nil, looseDisk{})
	defer bench.stop()
	var urls []string
	var readers []*tapTimer
	var all sync.WaitGroup
	for i := range streams {
		r := bench.expect(testCall(newID()))
		urls = append(urls, strings.TrimPrefix(r.URL(), "ws://"))
		for range each {
			if i < tapped {
				t := &tapTimer{tap: r.Tap(TapOptions{}), from: time.Now().Add(benchWarm())}
				readers = append(readers, t)
				all.Go(t.read)
			}
		}
	}
	end := startSender(b, urls)
	elapse(benchWarm())
	before := cpuTime(b)
	elapse(benchTime())
	cpu = float64(cpuTime(b)-before) / float64(time.Millisecond) / benchTime().Seconds() / float64(streams)
	for _, t := range readers {
		t.tap.Close()
	}
	all.Wait()
	end()
	for _, t := range readers {
		late = append(late, t.late...)
	}
	return cpu, late
}

// tapTimer reads a tap frame by frame, and notes how late each is, once all are warm.
type tapTimer struct {
	tap  *Tap
	from time.Time
	late []time.Duration
}

func (t *tapTimer) read() {
	p := make([]byte, 320)
	for range t.tap.Ready() {
		for {
			read, err := t.tap.Read(p)
			if err == io.EOF {
				return
			}
			if read.Bytes == 0 {
				break
			}
			if now := time.Now(); now.After(t.from) {
				t.late = append(t.late, now.Sub(time.Unix(0, int64(binary.LittleEndian.Uint64(p)))))
			}
		}
	}
}
