package sink

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"tapdeck/sink/store"
)

// childDir tells the test binary to be a sink in this directory instead.
const childDir = "TAPDECK_TEST_SINK_DIRECTORY"

// A process with 50 running recordings is killed; at most the last second of each is
// lost, and what was said of its calls is known.
func TestKilledProcess(t *testing.T) {
	if dir := os.Getenv(childDir); dir != "" {
		beSink(t, dir)
		return
	}
	const calls = 50
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledProcess$")
	cmd.Env = append(os.Environ(), childDir+"="+dir, "TMPDIR="+t.TempDir()) // a killed process clears up nothing
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var urls []string
	for range calls {
		var u string
		if _, err := fmt.Fscanln(out, &u); err != nil {
			t.Fatal(err)
		}
		urls = append(urls, u)
	}
	pcm := speech(7, 8000*4)
	if len(withoutGaps(pcm)) != len(pcm) {
		t.Fatal("what is sent looks as if it had gaps")
	}
	sent := streamAll(t, urls, pcm, 3500*time.Millisecond, func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
	})
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()

	rec := recoverDir(t, dir)
	if rec.Published() != calls || rec.Left() != 0 {
		t.Fatalf("%d published, %d left, want %d: %+v", rec.Published(), rec.Left(), calls, rec.Files)
	}
	for _, f := range rec.Files {
		got, _ := readWAV(t, f.WAV)
		if !bytes.HasPrefix(pcm, withoutGaps(got)) {
			t.Errorf("%s holds something else than what was sent", f.WAV)
		}
		record := readRecord(t, f.Record)
		if lost := sent[record.Call] - len(got); mono8.Duration(int64(lost)/2) > 1200*time.Millisecond { // 1 s, and a loaded machine
			t.Errorf("%s: %v were lost", record.Call, mono8.Duration(int64(lost)/2))
		}
		if !record.Recovered || record.Caller != "1001" {
			t.Errorf("record %+v", record)
		}
	}
}

// withoutGaps is mono 8 kHz audio without the silence that stands for frames which a loaded machine has sent late.
func withoutGaps(pcm []byte) (rest []byte) {
	const least = 8000 * 2 / 10 // bytes in 0.1 s
	for len(pcm) > 0 {
		sound := bytes.IndexByte(pcm, 0)
		if sound < 0 {
			return append(rest, pcm...)
		}
		rest, pcm = append(rest, pcm[:sound]...), pcm[sound:]
		quiet := len(pcm) - len(bytes.TrimLeft(pcm, "\x00"))
		if quiet < least {
			rest = append(rest, pcm[:quiet]...)
		} else if len(rest)%2 == 1 { // the upper half of the last sample
			rest = append(rest, 0)
		}
		pcm = pcm[quiet:]
		if quiet >= least && len(pcm)%2 == 1 { // the lower half of the next sample
			rest = append(rest, 0)
		}
	}
	return rest
}

// streamAll streams PCM to each URL in real time for d, then calls kill, and returns
// how many bytes were sent to each call.
func streamAll(t *testing.T, urls []string, pcm []byte, d time.Duration, kill func()) map[string]int {
	sent := map[string]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	end := time.After(d)
	stop := make(chan struct{})
	for _, u := range urls {
		all.Go(func() {
			addr, path, _ := strings.Cut(strings.TrimPrefix(u, "ws://"), "/")
			n := streamUntil(t, addr, "/"+path, pcm, stop)
			mu.Lock()
			defer mu.Unlock()
			sent[strings.Split(path, "/")[1]] = n
		})
	}
	<-end
	kill()
	close(stop)
	all.Wait()
	return sent
}

func streamUntil(t *testing.T, addr, path string, pcm []byte, stop <-chan struct{}) (sent int) {
	b := &testbed{t: t, dial: func() (net.Conn, error) { return net.Dial("tcp", addr) }}
	s, _ := b.request(path)
	tick := time.NewTicker(frame)
	defer tick.Stop()
	for len(pcm) >= sent+320 {
		if _, err := s.c.Write(encodeFrame(fin|opBinary, pcm[sent:sent+320])); err != nil {
			return sent
		}
		sent += 320
		select {
		case <-tick.C:
		case <-stop:
			return sent
		}
	}
	return sent
}

// beSink is a daemon that expects 50 calls, says where, and runs until it is killed.
func beSink(t *testing.T, dir string) {
	cfg := testConfig(t)
	cfg.Directory = dir
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Advertise = "ws://" + ln.Addr().String()
	b := serveOn(t, cfg, ln, nil, store.OSDisk{})
	for range 50 {
		fmt.Println(b.expect(testCall(newID())).URL())
	}
	select {}
}
