package sink

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sys/unix"
)

// The load comes from a second process, so that what is measured here is the
// receiver's CPU alone. Each receiver is run in turn on the same load.

func benchWarm() time.Duration { // connect, first second unpaced, steady state
	if testing.Short() { // only that it runs
		return 1500 * time.Millisecond
	}
	return 3 * time.Second
}

func benchTime() time.Duration {
	if testing.Short() {
		return time.Second
	}
	return 5 * time.Second
}

// BenchmarkReceivers gives the CPU of a stream-second of 20 ms frames at 8 kHz for the
// sink, for a bare TCP reader that reads 200 ms apart and writes to files, and for a
// plain coder/websocket loop to a buffered file; and the sink's as a ratio to both. The
// Node server that many start from is measured too if node and its package ws are there:
//
//	npm install --prefix DIR ws
//	NODE_PATH=DIR/node_modules go test -run '^$' -bench Receivers -benchtime 1x ./sink
func BenchmarkReceivers(b *testing.B) {
	loads := []int{50, 200, 1000, 2000}
	if testing.Short() {
		loads = loads[:2]
	}
	for _, streams := range loads {
		b.Run(strconv.Itoa(streams), func(b *testing.B) {
			var bare, plain, sink, node float64
			for b.Loop() {
				bare += measureReceiver(b, streams, bareReceiver)
				plain += measureReceiver(b, streams, plainReceiver)
				sink += measureReceiver(b, streams, sinkReceiver)
				if streams <= maxNodeStreams {
					node += measureNode(b, streams)
				}
			}
			n := float64(b.N)
			if node > 0 {
				b.ReportMetric(node/n, "node-ms/stream-s")
				b.ReportMetric(sink/node, "sink/node")
			}
			b.ReportMetric(bare/n, "bare-ms/stream-s")
			b.ReportMetric(plain/n, "plain-ms/stream-s")
			b.ReportMetric(sink/n, "sink-ms/stream-s")
			b.ReportMetric(sink/bare, "sink/bare")
			b.ReportMetric(sink/plain, "sink/plain")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkMemory gives the memory of a live stream: heap and stacks.
func BenchmarkMemory(b *testing.B) {
	const streams = 500
	var perStream float64
	for b.Loop() {
		before := inUse()
		urls, stop := sinkReceiver(b, streams)
		end := startSender(b, urls)
		elapse(benchWarm())
		perStream += float64(inUse()-before) / streams / 1024
		end()
		stop()
	}
	b.ReportMetric(perStream/float64(b.N), "KiB/stream")
	b.ReportMetric(0, "ns/op")
}

func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// receiver takes streams at URLs until stop. A URL without a path is bare TCP.
type receiver func(b *testing.B, streams int) (urls []string, stop func())

func measureReceiver(b *testing.B, streams int, r receiver) float64 {
	urls, stop := r(b, streams)
	defer stop()
	end := startSender(b, urls)
	defer end()
	elapse(benchWarm())
	before := cpuTime(b)
	elapse(benchTime())
	return float64(cpuTime(b)-before) / float64(time.Millisecond) / benchTime().Seconds() / float64(streams)
}

func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func listenTCP(b *testing.B) net.Listener {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	return ln
}

func repeatURL(u string, n int) []string {
	urls := make([]string, n)
	for i := range urls {
		urls[i] = u
	}
	return urls
}

func bareReceiver(b *testing.B, streams int) ([]string, func()) {
	ln, dir := listenTCP(b), b.TempDir()
	var all sync.WaitGroup
	all.Go(func() {
		for i := 0; ; i++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() { readBare(c, filepath.Join(dir, strconv.Itoa(i))) })
		}
	})
	return repeatURL(ln.Addr().String(), streams), func() { ln.Close(); all.Wait() }
}

func readBare(c net.Conn, path string) {
	defer c.Close()
	f, err := os.Create(path)
	if err != nil {
		return
	}
	defer f.Close()
	buf := make([]byte, 8<<10)
	for {
		n, err := c.Read(buf)
		if _, werr := f.Write(buf[:n]); err != nil || werr != nil {
			return
		}
		elapse(200 * time.Millisecond)
	}
}

func plainReceiver(b *testing.B, streams int) ([]string, func()) {
	dir := b.TempDir()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer ws.CloseNow()
		f, err := os.CreateTemp(dir, "")
		if err != nil {
			return
		}
		defer f.Close()
		out := bufio.NewWriter(f)
		defer out.Flush()
		for {
			_, msg, err := ws.Read(context.Background())
			if err != nil {
				return
			}
			if _, err := out.Write(msg); err != nil {
				return
			}
		}
	}))
	return repeatURL(strings.TrimPrefix(srv.URL, "http://")+"/x", streams), srv.Close
}

func sinkReceiver(b *testing.B, streams int) ([]string, func()) {
	cfg := testConfig(b)
	ln := listenTCP(b)
	cfg.Advertise = "ws://" + ln.Addr().String()
	bench := serveOn(b, cfg, ln, nil, looseDisk{})
	var urls []string
	for range streams {
		urls = append(urls, strings.TrimPrefix(bench.expect(testCall(newID())).URL(), "ws://"))
	}
	return urls, bench.stop
}

// senderEnv tells the test binary to be a sender instead, and stampEnv that each of its frames
// begins with the time at which it is sent.
const (
	senderEnv = "TAPDECK_TEST_SENDER"
	stampEnv  = "TAPDECK_TEST_STAMP"
)

// startSender streams to each URL from another process until end is called.
func startSender(b *testing.B, urls []string) (end func()) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestSender$")
	cmd.Env = append(os.Environ(), senderEnv+"=1")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	if _, err := fmt.Fprintf(in, "%s\n\n", strings.Join(urls, "\n")); err != nil {
		b.Fatal(err)
	}
	return func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	}
}

// TestSender is the second process of the benchmarks: it streams until its standard
// input ends.
func TestSender(t *testing.T) {
	if os.Getenv(senderEnv) == "" {
		t.Skip("this is the load of the benchmarks, which start it")
	}
	in := bufio.NewScanner(os.Stdin)
	stop := make(chan struct{})
	var all sync.WaitGroup
	for i := 0; in.Scan() && in.Text() != ""; i++ {
		u := in.Text()
		all.Go(func() { sendTo(t, u, time.Duration(i%20)*time.Millisecond, stop) })
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	close(stop)
	all.Wait()
}

func sendTo(t *testing.T, u string, offset time.Duration, stop <-chan struct{}) {
	addr, path, isWS := strings.Cut(u, "/")
	bench := &testbed{t: t, dial: func() (net.Conn, error) { return net.Dial("tcp", addr) }}
	var c net.Conn
	if isWS {
		s, _ := bench.request("/" + path)
		c = s.c
	} else {
		var err error
		if c, err = bench.dial(); err != nil {
			t.Error(err)
			return
		}
	}
	defer c.Close()
	pcm := speech(1, 160)
	message := encodeFrame(fin|opBinary, pcm)
	stamped := os.Getenv(stampEnv) != ""
	elapse(offset)
	tick := time.NewTicker(frame)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-stop:
			return
		}
		if stamped {
			binary.LittleEndian.PutUint64(pcm, uint64(time.Now().UnixNano()))
			message = encodeFrame(fin|opBinary, pcm)
		}
		if _, err := c.Write(message); err != nil {
			return
		}
	}
}
