package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// hungDisk is the machine's disk, of which one step hangs for testID's WAV.
type hungDisk struct {
	store.OSDisk
	step string
	free chan struct{} // closed when it goes on
}

func (d *hungDisk) hang(step, path string) {
	if step == d.step && strings.Contains(path, testID+wavExt) {
		<-d.free
	}
}

func (d *hungDisk) Create(path string) (store.File, error) {
	d.hang("create", path)
	f, err := d.OSDisk.Create(path)
	return &hungFile{f, d, path}, err
}

func (d *hungDisk) Rename(from, to string) error {
	d.hang("rename", from)
	return d.OSDisk.Rename(from, to)
}

type hungFile struct {
	store.File
	disk *hungDisk
	path string
}

func (f *hungFile) Write(p []byte) (int, error) {
	if len(p) > 1000 { // beyond the header
		f.disk.hang("write", f.path)
	}
	return f.File.Write(p)
}

func (f *hungFile) Sync() error {
	f.disk.hang("sync", f.path)
	return f.File.Sync()
}

// A disk that hangs holds up neither its call nor others, nor the end; what was
// recorded and what is known of the call are there once it answers again.
func TestHungDisk(t *testing.T) {
	for _, step := range []string{"create", "write", "sync", "rename"} {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &hungDisk{step: step, free: make(chan struct{})}
				ln := newPipeListener()
				cfg := testConfig(t)
				cfg.IdleTimeout = time.Hour
				b := serveOn(t, cfg, ln, ln.dial, d)
				good, bad := b.expect(testCall(newID())), b.expect(testCall(testID))
				g, s := b.connect(good), b.connect(bad)
				pcm := speech(1, 8000*3)
				s.audio(pcm[:32000])
				g.play(pcm)
				s.sendClose()
				checkHangs(t, b, bad)
				g.hangUp()
				if got, _ := readWAV(t, b.path(b.finish(good).WAV)); !bytes.HasPrefix(got, pcm) {
					t.Error("the other call has lost audio")
				}
				began := time.Now()
				b.stop()
				if took := time.Since(began); took > 2*cfg.PublishTimeout {
					t.Errorf("Serve ended after %v", took)
				}
				close(d.free)
				synctest.Wait()
				elapse(2 * closeTimeout)
				if rec := recoverDir(t, cfg.Directory); len(rec.Files) > 0 {
					t.Errorf("left: %v", rec)
				}
				record := readRecord(t, b.path(callName(testID, bad.call.Started))+jsonExt)
				got, _ := readWAV(t, b.path(record.WAV))
				if record.Recovered || record.Result != "completed" || len(got) < 8000 || !bytes.HasPrefix(pcm, got[:min(len(got), 32000)]) {
					t.Errorf("%d bytes, record %+v", len(got), record)
				}
			})
		})
	}
}

// A recording whose disk hangs and then responds is reported as what has become of it, by its
// record and by a line.
func TestHungDiskResponds(t *testing.T) {
	full := errors.New("no space")
	for name, c := range map[string]struct {
		step, ext string // of the first failure, after which nothing fails
		panics    bool
		level     zapcore.Level
		hint, err string
		wav       string // extension of what the record names
	}{
		"well":               {"", "", false, zap.InfoLevel, "", "", wavExt},
		"not published":      {"rename", wavExt + partExt, false, zap.ErrorLevel, hintWritten, "no space", wavExt + partExt},
		"panics":             {"rename", wavExt + partExt, true, zap.ErrorLevel, hintWritten, "a defect of tapdeck", wavExt + partExt},
		"record not renamed": {"rename", jsonExt + partExt, false, zap.ErrorLevel, hintLateRecord, "", wavExt},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				free := make(chan struct{})
				d := &sinktest.BadDisk{Match: testID + c.ext, Step: c.step, Err: full}
				d.Seen = func(step, path string) {
					if step != "rename" || !strings.HasSuffix(path, testID+wavExt+partExt) {
						return
					}
					<-free
					if c.panics {
						panic("told to")
					}
				}
				ln := newPipeListener()
				b := serveOn(t, testConfig(t), ln, ln.dial, d)
				r := b.expect(testCall(testID))
				s := b.connect(r)
				s.play(speech(1, 8000))
				s.hangUp()
				wantError(t, r.Finish(t.Context()), ErrDiskHangs)
				call := endedCall(r, "completed")
				call.Err = "the prompt failed; " + r.finish.err.Error()
				_, _ = r.Save(call)
				close(free)
				synctest.Wait()
				lines := b.logs.FilterMessage("disk responded after the timeout").All()
				if len(lines) != 1 || lines[0].Level != c.level {
					t.Fatalf("lines %v", lines)
				}
				if hint, _ := lines[0].ContextMap()["hint"].(string); hint != c.hint {
					t.Errorf("hint %q", hint)
				}
				d.Mended.Store(true)
				base := b.path(callName(testID, r.call.Started))
				path := base + jsonExt
				if name == "record not renamed" {
					path += partExt
				}
				record := readRecord(t, path)
				if record.AudioMS != 1000 || b.path(record.WAV) != base+c.wav || !sinktest.Exists(b.path(record.WAV)) {
					t.Errorf("record %+v", record)
				}
				if !strings.HasPrefix(record.Err, "the prompt failed") || !strings.Contains(record.Err, c.err) || strings.Contains(record.Err, ErrDiskHangs.Error()) {
					t.Errorf("err %q", record.Err)
				}
			})
		})
	}
}

// A process that dies while the disk hangs leaves the record of a call that was over.
func TestKilledWhileTheDiskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &hungDisk{step: "sync", free: make(chan struct{})}
		ln := newPipeListener()
		b := serveOn(t, testConfig(t), ln, ln.dial, d)
		r := b.expect(testCall(testID))
		s := b.connect(r)
		s.play(speech(1, 8000))
		s.hangUp()
		checkHangs(t, b, r)
		if record, _, _ := recoverCopy(t, b.sink.cfg.Load().Directory); record.Result != "completed" || record.AudioMS != 1000 || !record.Recovered {
			t.Errorf("record %+v", record)
		}
		close(d.free)
		synctest.Wait()
	})
}

// checkHangs finishes and saves a recording on a disk that hangs.
func checkHangs(t *testing.T, b *testbed, r *Recording) {
	t.Helper()
	began, most := time.Now(), r.cfg.PublishTimeout
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	wantError(t, r.Finish(ctx), ErrDiskHangs)
	record, err := r.Save(endedCall(r, "completed"))
	wantError(t, err, ErrDiskHangs)
	if took := time.Since(began); took < most || took > most+2*time.Second {
		t.Errorf("Finish and Save took %v", took)
	}
	if record.Result != "completed" || record.Err == "" || r.currentPart() != nil && record.WAV != r.currentPart().WAV() {
		t.Errorf("record %+v", record)
	}
	if b.logs.FilterMessage("recording not saved").FilterField(zap.String("call", r.call.Call)).Len() != 1 {
		t.Error("nothing is logged")
	}
}

// faultyListener panics at its n-th Audio.
type faultyListener struct{ n int }

func (l *faultyListener) Audio(int64, []byte) {
	if l.n--; l.n == 0 {
		panic("audio")
	}
}

func (l *faultyListener) Gap(int64, int64, string) {}

// A panic ends its stream alone, with its TCP connection; what was recorded is kept, and
// so is what comes on the next socket.
func TestPanicEndsOneStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		bad, good := b.expect(testCall(testID)), b.expect(testCall(newID()))
		bad.open().Tell(&faultyListener{3})
		s, g := b.connect(bad), b.connect(good)
		pcm := speech(1, 160*3)
		s.play(pcm)
		s.awaitEnd()
		st := awaitGone(t, bad, 1)
		if st.LastEnd != EndPanic || b.metric("tapdeck_sink_stream_ends_total", string(EndPanic)) != 1 {
			t.Errorf("state %+v", st)
		}
		if n := b.logs.FilterMessage("stream panicked").FilterField(zap.String("call", testID)).Len(); n == 0 {
			t.Error("nothing is logged")
		}
		s = b.connect(bad)
		s.play(pcm)
		s.hangUp()
		got, _ := readWAV(t, b.path(b.finish(bad).WAV))
		if !bytes.HasPrefix(got, pcm) || !bytes.HasSuffix(got, pcm) || len(got) < 2*len(pcm) {
			t.Errorf("%d bytes were kept", len(got))
		}
		g.hangUp()
		b.finish(good)
	})
}

// A line that strangers can cause carries its kind, for the daemon's logger: the cause, and
// the call only if it is expected, so that strangers can't make kinds.
func TestLinesOfStrangersAreMarked(t *testing.T) {
	b := serve(t, testConfig(t))
	one, two := b.expect(testCall(testID)), b.expect(testCall(newID()))
	for _, id := range []string{testID, two.call.Call, newID()} {
		s, _ := b.request("/stream/" + id + "/x")
		s.drop()
	}
	want := []string{"wrong_ticket " + testID, "wrong_ticket " + two.call.Call, "wrong_ticket"}
	if diff := cmp.Diff(want, kinds(b.logs.FilterMessage("stream refused"))); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	hasHints(t, b)
	b.finish(one)
	b.finish(two)
}

// kinds are those of marked lines.
func kinds(logs *observer.ObservedLogs) (all []string) {
	for _, e := range logs.All() {
		for _, f := range e.Context {
			if f.Key == "ratelog" && f.Type == zapcore.SkipType {
				all = append(all, f.String)
			}
		}
	}
	return all
}

func hasHints(t testing.TB, b *testbed) {
	t.Helper()
	for _, e := range b.logs.All() {
		if hint, _ := e.ContextMap()["hint"].(string); e.Level >= zap.WarnLevel && hint == "" {
			t.Errorf("no hint: %s %v", e.Message, e.ContextMap())
		}
	}
}

// Every label is there before its first count.
func TestMetricsBeginAtZero(t *testing.T) {
	b := serve(t, testConfig(t))
	families, err := b.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, f := range families {
		got[f.GetName()] = len(f.GetMetric())
	}
	for name, want := range map[string]int{
		"tapdeck_sink_alarms_total": 7, "tapdeck_sink_recordings_total": 3,
		"tapdeck_sink_stream_ends_total": 14, "tapdeck_sink_refused_total": 11,
	} {
		if got[name] != want {
			t.Errorf("%s has %d values, want %d", name, got[name], want)
		}
	}
}

// The record of a call that ended well is known after a full disk: one that takes its
// sidecar's place, and one that is too long for that.
func TestRecordOfAFullDiskIsKept(t *testing.T) {
	for step, match := range map[string]string{
		"write": jsonExt + newExt, "create": jsonExt + newExt, "sync": jsonExt + newExt, "rename": jsonExt,
	} {
		for _, text := range []string{"", strings.Repeat("long ", 4<<10/5)} {
			if text == "" && step != "rename" { // nothing else can fail for it
				continue
			}
			t.Run(fmt.Sprintf("%s, %d bytes", step, len(text)), func(t *testing.T) {
				cfg := testConfig(t)
				ln := newPipeListener()
				full := errors.New("no space")
				b := serveOn(t, cfg, ln, ln.dial, &sinktest.BadDisk{Match: match, Step: step, Err: full})
				r := b.expect(testCall(testID))
				s := b.connect(r)
				s.audio(speech(1, 160))
				s.text(text)
				s.hangUp()
				if err := r.Finish(context.Background()); err != nil {
					t.Fatal(err)
				}
				call := endedCall(r, "completed")
				call.HangupCause = "NORMAL_CLEARING"
				record, err := r.Save(call)
				wantError(t, err, full)
				if record.Result != "completed" || record.AudioMS != 20 {
					t.Errorf("record %+v", record)
				}
				recoverDir(t, cfg.Directory)
				got := b.saved(record)
				if got.Result != "completed" || got.HangupCause != "NORMAL_CLEARING" || !got.Recovered || got.AudioSHA256 != record.AudioSHA256 {
					t.Errorf("recovered %+v", got)
				}
			})
		}
	}
}
