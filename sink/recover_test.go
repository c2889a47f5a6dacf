package sink

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"
)

// Recover runs over and over while recordings begin, stream and end, and touches none.
func TestRecoverBesideServe(t *testing.T) {
	cfg := testConfig(t)
	b := serve(t, cfg)
	dead := leftover(t, cfg.Directory, testID, speech(1, 8000))
	ctx, cancel := context.WithCancel(context.Background())
	var recovering, calls sync.WaitGroup
	for range 2 {
		recovering.Go(func() { recoverOften(t, ctx, b.sink) })
	}
	pcm := speech(2, 1600)
	var mu sync.Mutex
	var records []store.Record
	for range 8 {
		calls.Go(func() {
			for range 10 {
				r := b.expect(testCall(newID()))
				s := b.connect(r)
				s.audio(pcm)
				s.hangUp()
				record := b.finish(r)
				mu.Lock()
				records = append(records, record)
				mu.Unlock()
			}
		})
	}
	calls.Wait()
	cancel()
	recovering.Wait()
	for _, record := range records {
		if got, _ := readWAV(t, b.path(record.WAV)); !bytes.Equal(got, pcm) {
			t.Errorf("%s: %d bytes", record.WAV, len(got))
		}
		if saved := b.saved(record); saved.Recovered || saved.Result != "completed" {
			t.Errorf("saved %+v", saved)
		}
		os.Remove(b.path(record.WAV))
		os.Remove(strings.TrimSuffix(b.path(record.WAV), wavExt) + jsonExt)
	}
	if record := readRecord(t, dead+jsonExt); !record.Recovered || record.Result != "aborted" {
		t.Errorf("the dead one's record: %+v", record)
	}
	if left, _ := os.ReadDir(filepath.Dir(dead)); len(left) != 2 {
		t.Errorf("more than the dead one's files: %v", left)
	}
}

func recoverOften(t *testing.T, ctx context.Context, s *Sink) {
	for ctx.Err() == nil {
		rec, err := s.Recover(context.Background())
		if err != nil {
			t.Error(err)
		}
		for _, f := range rec.Files {
			if f.Action != store.ActionLive && f.Err == nil && !strings.Contains(f.Part, testID) {
				t.Errorf("%v", f)
			}
			if f.Err != nil {
				t.Errorf("%v", f)
			}
		}
	}
}

// Neither a running recording nor one whose record is still to come is touched.
func TestRecoverLeavesTheLivingAlone(t *testing.T) {
	cfg := testConfig(t)
	b := serve(t, cfg)
	running, ended := b.expect(testCall(testID)), b.expect(testCall(newID()))
	s := b.connect(running)
	s.audio(speech(1, 160))
	b.connect(ended).hangUp()
	if err := ended.Finish(context.Background()); err != nil {
		t.Fatal(err)
	}
	await(t, running, "heard", func(st State) bool { return !st.FirstAudioAt.IsZero() })
	rec, err := b.sink.Recover(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range rec.Files {
		if f.Action != store.ActionLive {
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

// A WAV that could not be published has its record; once it can be, that record is
// published, and there is no second.
func TestRecoverTakesARecordBack(t *testing.T) {
	cfg := testConfig(t)
	ln := newPipeListener()
	d := &sinktest.BadDisk{Match: testID + wavExt, Step: "rename", Err: errors.New("read-only")}
	b := serveOn(t, cfg, ln, ln.dial, d)
	r := b.expect(testCall(testID))
	s := b.connect(r)
	s.audio(speech(1, 160))
	s.hangUp()
	wantError(t, r.Finish(context.Background()), d.Err)
	record, err := r.Save(endedCall(r, "completed"))
	if err != nil || !strings.HasSuffix(record.WAV, partExt) {
		t.Fatalf("%v, WAV %q", err, record.WAV)
	}
	rec := recoverDir(t, cfg.Directory)
	base := b.path(callName(testID, r.call.Started))
	got := readRecord(t, base+jsonExt)
	if got.WAV != strings.TrimSuffix(record.WAV, partExt) || got.Result != "completed" || !got.Recovered {
		t.Errorf("%v, record %+v", rec, got)
	}
	if left, _ := os.ReadDir(filepath.Dir(base)); len(left) != 2 {
		t.Errorf("the folder holds %v", left)
	}
}

func TestRecoverMetricAndLog(t *testing.T) {
	cfg := testConfig(t)
	leftover(t, cfg.Directory, testID, speech(1, 800))
	core, logs := observer.New(zap.InfoLevel)
	reg := prometheus.NewRegistry()
	s := New(cfg, zap.New(core), reg)
	if _, err := s.Recover(context.Background()); err != nil {
		t.Fatal(err)
	}
	said := logs.FilterMessage("recording recovered").FilterField(zap.String("call", testID)).FilterLevelExact(zapcore.WarnLevel)
	if said.Len() != 1 || said.All()[0].ContextMap()["hint"] == nil {
		t.Errorf("log %v", logs.All())
	}
	if got := (&testbed{t: t, reg: reg}).metric("tapdeck_sink_recordings_total", "recovered"); got != 1 {
		t.Errorf("recovered %v", got)
	}
}
