package sink

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/store"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// panicDisk panics at one step of the files of a call whose paths end so.
func panicDisk(step, ext string) *sinktest.BadDisk {
	d := &sinktest.BadDisk{}
	d.Match = testID
	d.Seen = func(at, path string) {
		if at == step && strings.HasSuffix(path, testID+ext) && !d.Mended.Load() {
			panic("told to")
		}
	}
	return d
}

// A panic while a recording is published, or its record saved, is an error of this recording;
// its audio and the other calls are kept.
func TestPanicWhilePublishing(t *testing.T) {
	for name, d := range map[string]*sinktest.BadDisk{
		"sync":          panicDisk("sync", wavExt+partExt),
		"rename":        panicDisk("rename", wavExt+partExt),
		"record":        panicDisk("sync", jsonExt+partExt),
		"record's name": panicDisk("rename", jsonExt+partExt),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := newPipeListener()
				cfg := testConfig(t)
				b := serveOn(t, cfg, ln, ln.dial, d)
				bad, good := b.expect(testCall(testID)), b.expect(testCall(newID()))
				s, g := b.connect(bad), b.connect(good)
				pcm := speech(1, 8000)
				s.play(pcm)
				s.hangUp()
				g.play(pcm)
				err := bad.Finish(context.Background())
				record, errSave := bad.Save(endedCall(bad, "completed"))
				if err == nil && errSave == nil || record.Result != "completed" || record.AudioMS != 1000 {
					t.Errorf("%v, %v, record %+v", err, errSave, record)
				}
				checkPanicLog(t, b.logs, "recording panicked")
				g.hangUp()
				b.finish(good)
				b.stop()
				d.Mended.Store(true)
				recoverDir(t, cfg.Directory) // another process's: no lock is left behind
				saved := readRecord(t, b.path(callName(testID, bad.call.Started))+jsonExt)
				if got, _ := readWAV(t, b.path(saved.WAV)); !bytes.Equal(got, pcm) || saved.Caller != "1001" {
					t.Errorf("%d bytes, record %+v", len(got), saved)
				}
			})
		})
	}
}

// The end of Serve publishes what remains; a panic there ends nothing else.
func TestPanicAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipeListener()
		b := serveOn(t, testConfig(t), ln, ln.dial, panicDisk("rename", wavExt+partExt))
		bad, good := b.expect(testCall(testID)), b.expect(testCall(newID()))
		s, g := b.connect(bad), b.connect(good)
		s.play(speech(1, 160))
		g.play(speech(1, 160))
		go s.awaitEnd()
		go g.awaitEnd()
		b.stop()
		checkPanicLog(t, b.logs, "recording panicked")
		if b.logs.FilterMessage("recording saved").Len() != 1 {
			t.Error("the other call's recording is not published")
		}
		elapse(time.Second)
	})
}

// A panic of the work that comes after the timeout ends nothing.
func TestPanicOfLateWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		free := make(chan struct{})
		err := withTimeout(time.Second, zap.New(core), func() error { <-free; panic("told to") })
		wantError(t, err, ErrDiskHangs)
		close(free)
		synctest.Wait()
		if n := logs.FilterMessage("recording panicked").Len(); n != 1 {
			t.Errorf("%d lines", n)
		}
	})
}

// A file whose recovery panics stays, and the others are recovered.
func TestPanicInRecover(t *testing.T) {
	dir := t.TempDir()
	bad := leftover(t, dir, testID, speech(1, 160))
	good := leftover(t, dir, newID(), speech(1, 160))
	core, logs := observer.New(zap.DebugLevel)
	rec, err := store.New(dir, panicDisk("rename", wavExt+partExt)).Recover(context.Background(), zap.New(core))
	if err != nil || rec.Published() != 1 || rec.Left() != 1 || !sinktest.Exists(good+wavExt) || !sinktest.Exists(bad+wavExt+partExt) {
		t.Errorf("%v, %v", rec, err)
	}
	checkPanicLog(t, logs, "recovery panicked")
	if logs.FilterMessage("recording not recovered").FilterField(zap.String("call", testID)).Len() != 1 {
		t.Errorf("no line names the call: %v", logs.All())
	}
}

func checkPanicLog(t *testing.T, logs *observer.ObservedLogs, message string) {
	t.Helper()
	lines := logs.FilterMessage(message).FilterLevelExact(zap.ErrorLevel).All()
	if len(lines) != 1 {
		t.Fatalf("%d lines: %v", len(lines), logs.All())
	}
	fields := lines[0].ContextMap()
	stack, _ := fields["stack"].(string)
	hint, _ := fields["hint"].(string)
	if !strings.Contains(stack, "panicDisk") || hint == "" {
		t.Errorf("stack %q, hint %q", stack, hint)
	}
}
