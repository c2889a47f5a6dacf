package sink

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// leftover makes what a crash leaves: a recording of so much speech that was flushed
// but not finished, and its sidecar. It returns the path without extension.
func leftover(t *testing.T, dir, id string, pcm []byte) string {
	t.Helper()
	s := &store{disk: osDisk{}, dir: dir}
	call := testCall(id)
	f, name, err := s.createPart(callName(id, call.Started))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tk, err := newTake(f, call.Format, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tk.write(pcm), tk.flush()); err != nil {
		t.Fatal(err)
	}
	record := newRecord(call)
	record.WAV = filepath.ToSlash(name) + wavExt
	if err := s.saveSidecar(name, &record); err != nil {
		t.Fatal(err)
	}
	return s.path(name)
}

func recoverDir(t *testing.T, dir string) Recovery {
	t.Helper()
	rec, err := RecoverDir(context.Background(), dir, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestRecover(t *testing.T) {
	pcm := speech(1, 8000)
	for name, c := range map[string]struct {
		damage func(t *testing.T, base string)
		action string
		bytes  int // of audio in the end, -1 if there is no WAV
		known  bool
	}{
		"as it was":  {func(*testing.T, string) {}, ActionPublished, 16000, true},
		"no sidecar": {removing(jsonExt + partExt), ActionPublished, 16000, false},
		"half a sidecar": {func(t *testing.T, base string) {
			truncate(t, base+jsonExt+partExt, reserved+40)
		}, ActionPublished, 16000, false},
		"audio beyond the header's sizes": {func(t *testing.T, base string) {
			change(t, base+wavExt+partExt, func(b []byte) []byte { return append(b, pcm[:1601]...) })
		}, ActionPublished, 17600, true},
		"cut in the audio": {func(t *testing.T, base string) {
			truncate(t, base+wavExt+partExt, 4001)
		}, ActionPublished, -2, true},
		"sizes of zero": {func(t *testing.T, base string) {
			change(t, base+wavExt+partExt, func(b []byte) []byte { clear(b[4:8]); return b })
		}, ActionPublished, 16000, true},
		"a header of zeros": {func(t *testing.T, base string) {
			change(t, base+wavExt+partExt, func(b []byte) []byte { clear(b[:len(b)-len(pcm)]); return b })
		}, ActionPublished, 16000, true},
		"something else": {func(t *testing.T, base string) {
			change(t, base+wavExt+partExt, func([]byte) []byte { return []byte(strings.Repeat("no wave\n", 100)) })
		}, ActionLeft, -1, true},
		"empty": {func(t *testing.T, base string) { truncate(t, base+wavExt+partExt, 0) }, ActionPublished, 0, true},
		"empty, no sidecar": {func(t *testing.T, base string) {
			truncate(t, base+wavExt+partExt, 0)
			removing(jsonExt+partExt)(t, base)
		}, ActionLeft, -1, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			base := leftover(t, dir, testID, pcm)
			c.damage(t, base)
			before, _ := os.ReadFile(base + wavExt + partExt)
			rec := recoverDir(t, dir)
			if len(rec.Files) == 0 || rec.Files[0].Action != c.action {
				t.Fatalf("recovery %+v, want %s", rec, c.action)
			}
			if c.action == ActionLeft {
				after, err := os.ReadFile(base + wavExt + partExt)
				if err != nil || !bytes.Equal(before, after) {
					t.Errorf("the file has changed: %v", err)
				}
				return
			}
			got, _ := readWAV(t, base+wavExt)
			if c.bytes >= 0 && len(got) != c.bytes || !bytes.HasPrefix(append(pcm, pcm...), got) {
				t.Errorf("%d bytes of audio, want %d", len(got), c.bytes)
			}
			record := readRecord(t, base+jsonExt)
			sum := sha256.Sum256(got)
			if !record.Recovered || record.Result != "aborted" || record.Call != testID ||
				record.AudioSHA256 != hex.EncodeToString(sum[:]) || record.AudioMS != int64(len(got)/16) {
				t.Errorf("record %+v", record)
			}
			if (record.Caller == "1001") != c.known {
				t.Errorf("caller %q", record.Caller)
			}
			if again := recoverDir(t, dir); len(again.Files) != 0 {
				t.Errorf("a second recovery found %+v", again)
			}
		})
	}
}

func removing(ext string) func(*testing.T, string) {
	return func(t *testing.T, base string) {
		if err := os.Remove(base + ext); err != nil {
			t.Fatal(err)
		}
	}
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

func change(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, f(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A crash between any two steps of the publication loses nothing and doubles nothing.
func TestRecoverBetweenTheStepsOfPublication(t *testing.T) {
	pcm := speech(1, 800)
	link := func(t *testing.T, from, to string) {
		if err := os.Link(from, to); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		crash func(t *testing.T, base string)
		want  []string // extensions in the end
	}{
		"linked, not removed": {func(t *testing.T, base string) {
			link(t, base+wavExt+partExt, base+wavExt)
		}, []string{jsonExt, wavExt}},
		"WAV published": {func(t *testing.T, base string) {
			link(t, base+wavExt+partExt, base+wavExt)
			removing(wavExt+partExt)(t, base)
		}, []string{jsonExt, wavExt}},
		"record half written": {func(t *testing.T, base string) {
			link(t, base+wavExt+partExt, base+wavExt)
			removing(wavExt+partExt)(t, base)
			change(t, base+jsonExt+partExt, func(b []byte) []byte {
				if err := os.WriteFile(base+jsonExt+newExt, b[reserved:reserved+20], 0o600); err != nil {
					t.Fatal(err)
				}
				return b
			})
		}, []string{jsonExt, wavExt}},
		"record published": {func(t *testing.T, base string) {
			link(t, base+wavExt+partExt, base+wavExt)
			removing(wavExt+partExt)(t, base)
			link(t, base+jsonExt+partExt, base+jsonExt)
		}, []string{jsonExt, wavExt}},
		"no WAV at all": {removing(wavExt + partExt), []string{jsonExt}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			base := leftover(t, dir, testID, pcm)
			c.crash(t, base)
			recoverDir(t, dir)
			if diff := cmp.Diff(c.want, extensions(t, base)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			readRecord(t, base+jsonExt)
		})
	}
}

// extensions returns those of the files that a call has.
func extensions(t *testing.T, base string) []string {
	t.Helper()
	files, err := os.ReadDir(filepath.Dir(base))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range files {
		all = append(all, strings.TrimPrefix(f.Name(), testID))
	}
	return all
}

// Neither a running recording nor one whose record is still to come is touched.
func TestRecoverLeavesTheLivingAlone(t *testing.T) {
	cfg := testConfig(t)
	b := serve(t, cfg)
	running, ended := b.expect(testCall(testID)), b.expect(testCall(newID()))
	s := b.connect(running)
	s.audio(speech(1, 160))
	b.connect(ended).hangUp()
	if _, err := ended.Finish(context.Background()); err != nil {
		t.Fatal(err)
	}
	await(t, running, "heard", func(st State) bool { return !st.FirstAudioAt.IsZero() })
	rec, err := b.sink.Recover(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range rec.Files {
		if f.Action != ActionLive {
			t.Errorf("%+v", f)
		}
	}
	if len(rec.Files) == 0 {
		t.Error("nothing was found")
	}
	s.hangUp()
	for _, r := range []*Recording{running, ended} {
		if record := b.finish(r); record.Recovered || b.saved(record).Recovered {
			t.Errorf("record %+v", record)
		}
	}
	if rec := recoverDir(t, cfg.Directory); len(rec.Files) != 0 {
		t.Errorf("left behind: %+v", rec)
	}
}

func TestRecoverMetricAndLog(t *testing.T) {
	cfg := testConfig(t)
	leftover(t, cfg.Directory, testID, speech(1, 800))
	core, logs := observer.New(zap.InfoLevel)
	reg := prometheus.NewRegistry()
	s, err := New(cfg, zap.New(core), reg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recover(context.Background()); err != nil {
		t.Fatal(err)
	}
	if logs.FilterMessage("recording recovered").FilterField(zap.String("call", testID)).Len() != 1 {
		t.Errorf("log %v", logs.All())
	}
	if got := (&bench{t: t, reg: reg}).metric("tapdeck_sink_recordings_total", "recovered"); got != 1 {
		t.Errorf("recovered %v", got)
	}
}

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
		if !bytes.HasPrefix(pcm, got) {
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
			sent[pathID(path)] = n
		})
	}
	<-end
	kill()
	close(stop)
	all.Wait()
	return sent
}

func streamUntil(t *testing.T, addr, path string, pcm []byte, stop <-chan struct{}) (sent int) {
	b := &bench{t: t, dial: func() (net.Conn, error) { return net.Dial("tcp", addr) }}
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
	b := serveOn(t, cfg, ln, nil, osDisk{})
	for range 50 {
		fmt.Println(b.expect(testCall(newID())).URL())
	}
	select {}
}
