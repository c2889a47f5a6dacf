package sink

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"
	"tapdeck/sink/track"
)

// recoverCopy recovers a copy of what is in a directory now, as if its process had just died,
// and returns the record and the labels of its cue points.
func recoverCopy(t *testing.T, dir string) (record store.Record, cues []string, frames []int64) {
	t.Helper()
	dead := filepath.Join(t.TempDir(), "dead")
	if err := os.CopyFS(dead, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	rec := recoverDir(t, dead)
	if rec.Published() != 1 {
		t.Fatalf("recovered %v", rec)
	}
	_, h := readWAV(t, rec.Files[0].WAV)
	for _, c := range h.Cues {
		cues, frames = append(cues, c.Label), append(frames, c.Frame)
	}
	return readRecord(t, rec.Files[0].Record), cues, frames
}

// A process that dies leaves what it knew of a call a second before: the timeline, the marks,
// and what the sink saw.
func TestSidecarFollowsTheCall(t *testing.T) {
	for _, start := range []string{"stream_start", "stream"} { // of a flat plan, and of steps
		t.Run(start, func(t *testing.T) { testSidecarFollowsTheCall(t, start) })
	}
}

func testSidecarFollowsTheCall(t *testing.T, start string) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		dir := b.sink.cfg.Load().Directory
		r := b.expect(testCall(testID))
		sofar := r.call
		sofar.Timeline.Add("answer", 0)
		sofar.Timeline.Add(start, 0)
		sofar.Timeline.Add("pause", 0) // in the ms in which the stream connects
		r.Note(sofar)
		s := b.connect(r)
		s.play(speech(1, 8000))
		r.Mark("prompt start")
		s.play(speech(1, 8000*2))
		sofar.Timeline.Add("prompt", 1000)
		sofar.Timeline.Add("listen", 3000)
		sofar.Restarts = 1
		r.Note(sofar)
		r.Mark("prompt end")
		s.play(speech(1, 8000*2))
		record, cues, frames := recoverCopy(t, dir)
		var names []string
		for _, m := range record.Timeline {
			names = append(names, m.Name)
		}
		if want := []string{"answer", start, "stream_connected", "pause", "first_audio", "prompt", "listen"}; !slices.Equal(names, want) || *record.Timeline.At("listen") != 3000 {
			t.Errorf("timeline %v, want %v", record.Timeline, want)
		}
		if record.Restarts != 1 || record.Connections != 1 || !record.Recovered || record.Result != "aborted" || record.Err == "" {
			t.Errorf("record %+v", record)
		}
		if !slices.Equal(cues, []string{"prompt start", "prompt end"}) || near(frames[0], 8000) > 160 || near(frames[1], 24000) > 160 {
			t.Errorf("cues %v at %v", cues, frames)
		}
		s.drop()
		awaitGone(t, r, 1)
		r.Mark("too late")
		s = b.connect(r)
		s.play(speech(1, 8000*2))
		if record, cues, _ = recoverCopy(t, dir); record.Connections != 2 || len(record.Gaps) != 0 && record.Gaps[0].MS == 0 || !slices.Contains(cues, "too late") {
			t.Errorf("cues %v, record %+v", cues, record)
		}
		s.hangUp()
		b.finish(r)
	})
}

// A gap is in the sidecar, too, if nothing else becomes known.
func TestSidecarHasGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		s := b.connect(r)
		s.play(speech(1, 8000*3))
		elapse(2 * time.Second)
		s.play(speech(1, 8000*3))
		record, _, _ := recoverCopy(t, b.sink.cfg.Load().Directory)
		checkGaps(t, record.Sound, track.Gap{AtMS: 3000, MS: 2000, Reason: track.GapNoFrames})
		s.hangUp()
		b.finish(r)
	})
}

func near(a, b int64) int64 { return max(a-b, b-a) }

// The sidecar of a quiet call is left alone: what is new is written once.
func TestSidecarIsWrittenSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writes := 0
		ln := newPipeListener()
		b := serveOn(t, testConfig(t), ln, ln.dial, &sinktest.BadDisk{Match: jsonExt + partExt, Seen: func(step, path string) {
			if step == "writeat" && strings.HasSuffix(path, jsonExt+partExt) {
				writes++
			}
		}})
		r := b.expect(testCall(testID))
		s := b.connect(r)
		s.play(speech(1, 8000*3))
		synctest.Wait()
		if writes != 1 { // the first audio
			t.Errorf("%d writes", writes)
		}
		r.Note(r.call)
		r.Mark("a")
		r.Mark("b")
		s.play(speech(1, 8000*10))
		synctest.Wait()
		if writes != 2 {
			t.Errorf("%d writes", writes)
		}
		r.Stopping()
		s.hangUp()
		b.finish(r)
		if writes != 3 { // the record
			t.Errorf("%d writes", writes)
		}
	})
}

// A sidecar that a Recover has open for a moment is written later.
func TestSidecarIsLockedForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipeListener()
		d := &sinktest.BadDisk{Match: jsonExt + partExt, Step: "open", Err: store.ErrLocked}
		b := serveOn(t, testConfig(t), ln, ln.dial, d)
		r := b.expect(testCall(testID))
		s := b.connect(r)
		s.play(speech(1, 8000))
		r.Mark("while it is locked")
		s.play(speech(1, 8000*3))
		synctest.Wait()
		d.Mended.Store(true)
		s.play(speech(1, 8000*2))
		synctest.Wait()
		if _, cues, _ := recoverCopy(t, b.sink.cfg.Load().Directory); !slices.Contains(cues, "while it is locked") {
			t.Errorf("cues %v", cues)
		}
		s.hangUp()
		b.finish(r)
		if n := b.logs.FilterMessage("sidecar not written").Len(); n > 0 {
			t.Errorf("%d lines", n)
		}
	})
}

// A sidecar that can't be written is reported once, and the call goes on.
func TestSidecarCanNotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipeListener()
		b := serveOn(t, testConfig(t), ln, ln.dial, &sinktest.BadDisk{Match: jsonExt + partExt, Step: "open", Err: os.ErrPermission})
		r := b.expect(testCall(testID))
		s := b.connect(r)
		for range 3 {
			r.Mark("a")
			s.play(speech(1, 8000*2))
			elapse(time.Second)
		}
		s.hangUp()
		record := b.finish(r)
		lines := b.logs.FilterMessage("sidecar not written").FilterLevelExact(zap.WarnLevel).Len()
		if lines != 1 || record.AudioMS < 6000 {
			t.Errorf("%d lines, record %+v", lines, record)
		}
	})
}
