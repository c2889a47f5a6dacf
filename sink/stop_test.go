package sink

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"tapdeck/sink/store"
	"tapdeck/sink/track"
	"tapdeck/wav"
)

// A plan may stop its stream and start it again later in the call. The tests of this file run in
// fake time.

// pause stops a stream for so long, as a plan does, and starts it again.
func pause(b *testbed, r *Recording, s *socket, d time.Duration) *socket {
	b.t.Helper()
	began := time.Now()
	r.Stopping()
	s.hangUp()
	awaitGone(b.t, r, r.State().Connections)
	elapse(d - time.Since(began))
	r.Starting()
	return b.connect(r)
}

// checkQuietly fails if a call has lost anything, or somebody was told to look into it.
func checkQuietly(t *testing.T, b *testbed, record store.Record) {
	t.Helper()
	if record.MissingMS != 0 || len(record.Alarms) > 0 || record.Hint != "" || record.Err != "" {
		t.Errorf("missing %d ms, alarms %q, err %q, hint %q", record.MissingMS, record.Alarms, record.Err, record.Hint)
	}
	for _, line := range b.logs.All() {
		if line.Level >= zap.WarnLevel {
			t.Errorf("%s: %v", line.Message, line.ContextMap())
		}
	}
}

// The recording goes on in the same file; the time between is silence, is listed and is not
// missing, and a cue point in it and one after it are right.
func TestStoppedStreamStartsAgain(t *testing.T) {
	allPaces(t, func(t *testing.T, cfg Config, channels int) {
		b, r, s := heldCall(t, cfg, channels)
		url := r.URL()
		one := say(s, channels, 1, 2*time.Second)
		r.Stopping()
		one = append(one, say(s, channels, 4, 40*time.Millisecond)...) // what is late counts
		s.hangUp()
		if st := awaitGone(t, r, 1); st.LastEnd != EndClosed {
			t.Errorf("it ended by %q", st.LastEnd)
		}
		elapse(1960 * time.Millisecond)
		r.Mark("stopped")
		elapse(time.Second)
		r.Starting()
		elapse(150 * time.Millisecond)
		if r.URL() != url {
			t.Error("another URL")
		}
		s = b.connect(r)
		synctest.Wait()
		if st := r.State(); st.Connections != 2 || !st.Live || st.Err != nil {
			t.Errorf("state %+v", st)
		}
		two := say(s, channels, 2, 2*time.Second)
		r.Mark("again")
		three := say(s, channels, 3, time.Second)
		r.Stopping()
		s.hangUp()
		record := b.finish(r)
		checkGaps(t, record.Sound, track.Gap{AtMS: 2040, MS: 3110, Reason: track.GapStopped})
		checkQuietly(t, b, record)
		if record.AudioMS != 8150 || record.Connections != 2 {
			t.Errorf("sound %+v", record.Sound)
		}
		pcm, h := readWAV(t, b.path(record.WAV))
		if !bytes.Equal(pcm, bytes.Join([][]byte{one, silence(channels, 3110*time.Millisecond), two, three}, nil)) {
			t.Error("the WAV is not speech, silence, speech")
		}
		if diff := cmp.Diff([]wav.Cue{{Frame: 8 * 4000, Label: "stopped"}, {Frame: 8 * 7150, Label: "again"}}, h.Cues); diff != "" {
			t.Errorf("cues (-want +got):\n%s", diff)
		}
	})
}

// Any number of stops leaves the recording as long as the call.
func TestManyStops(t *testing.T) {
	allPaces(t, func(t *testing.T, cfg Config, channels int) {
		b, r, s := heldCall(t, cfg, channels)
		began := time.Now()
		for i := range 20 {
			say(s, channels, uint64(i), time.Duration(500+20*i)*time.Millisecond)
			s = pause(b, r, s, time.Duration(100+99*i)*time.Millisecond)
		}
		say(s, channels, 1, time.Second)
		length := time.Since(began)
		r.Stopping()
		s.hangUp()
		record := b.finish(r)
		checkQuietly(t, b, record)
		if d := time.Duration(record.AudioMS)*time.Millisecond - length; d.Abs() > 2*frame || len(record.Gaps) != 20 {
			t.Errorf("%d gaps; the WAV lasts %d ms, the call %v", len(record.Gaps), record.AudioMS, length)
		}
	})
}

// Without another start the WAV ends at the stop, however long the call goes on.
func TestStoppedForGood(t *testing.T) {
	allPaces(t, func(t *testing.T, cfg Config, channels int) {
		b, r, s := heldCall(t, cfg, channels)
		say(s, channels, 1, 2*time.Second)
		s = pause(b, r, s, time.Second)
		say(s, channels, 2, 2*time.Second)
		r.Stopping()
		s.hangUp()
		elapse(time.Minute)
		record := b.finish(r)
		checkGaps(t, record.Sound, track.Gap{AtMS: 2000, MS: 1000, Reason: track.GapStopped})
		checkQuietly(t, b, record)
		if record.AudioMS != 5000 {
			t.Errorf("the WAV lasts %d ms", record.AudioMS)
		}
	})
}

// After the second start everything is as before the stop: a lost socket, a hold, and a socket
// that was lost before the stop are gaps and missing.
func TestLossesAroundAStop(t *testing.T) {
	allPaces(t, func(t *testing.T, cfg Config, channels int) {
		b, r, s := heldCall(t, cfg, channels)
		say(s, channels, 1, 2*time.Second)
		s.drop()
		dropped := time.Now()
		awaitGone(t, r, 1)
		elapse(time.Second - time.Since(dropped))
		r.Stopping()
		elapse(2 * time.Second)
		r.Starting()
		s = b.connect(r)
		say(s, channels, 2, 2*time.Second)
		s.drop()
		dropped = time.Now()
		awaitGone(t, r, 2)
		elapse(time.Second - time.Since(dropped))
		s = b.connect(r)
		say(s, channels, 3, 2*time.Second)
		elapse(time.Second)
		say(s, channels, 4, 2*time.Second)
		r.Stopping()
		s.hangUp()
		record := b.finish(r)
		checkGaps(t, record.Sound,
			track.Gap{AtMS: 2000, MS: 1000, Reason: track.GapReconnect}, track.Gap{AtMS: 3000, MS: 2000, Reason: track.GapStopped},
			track.Gap{AtMS: 7000, MS: 1000, Reason: track.GapReconnect}, track.Gap{AtMS: 10000, MS: 1000, Reason: track.GapNoFrames})
		if record.AudioMS != 13000 || record.MissingMS != 3000 {
			t.Errorf("sound %+v", record.Sound)
		}
		if n := b.logs.FilterMessage("stream ended abnormally").Len(); n != 2 {
			t.Errorf("%d lines about 2 lost sockets", n)
		}
	})
}

// A stop in a hold ends the hold.
func TestStopInAHold(t *testing.T) {
	allPaces(t, func(t *testing.T, cfg Config, channels int) {
		b, r, s := heldCall(t, cfg, channels)
		say(s, channels, 1, 3*time.Second)
		elapse(time.Second)
		s = pause(b, r, s, 2*time.Second)
		say(s, channels, 2, 8*time.Second)
		r.Stopping()
		s.hangUp()
		record := b.finish(r)
		checkGaps(t, record.Sound, track.Gap{AtMS: 3000, MS: 1000, Reason: track.GapNoFrames}, track.Gap{AtMS: 4000, MS: 2000, Reason: track.GapStopped})
		if record.AudioMS != 14000 || record.MissingMS != 1000 || len(record.Alarms) > 0 {
			t.Errorf("sound %+v, alarms %q", record.Sound, record.Alarms)
		}
	})
}

// What a second start does not bring is missing from then on, and the hint does not blame the
// network that was there.
func TestSecondStartBringsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		then  func(*testbed, *Recording)
		audio int64
		gaps  []track.Gap
	}{
		"no socket": {func(*testbed, *Recording) { elapse(5 * time.Second) }, 2000, nil},
		"stopped and started once more": {func(_ *testbed, r *Recording) {
			r.Stopping()
			elapse(time.Second)
			r.Starting()
			elapse(5 * time.Second)
		}, 2000, nil},
		"a socket without audio": {func(b *testbed, r *Recording) {
			s := b.connect(r)
			elapse(1990 * time.Millisecond)
			s.drop()
			awaitGone(b.t, r, 2)
			elapse(3010 * time.Millisecond)
		}, 5000, []track.Gap{{AtMS: 2000, MS: 3000, Reason: track.GapStopped}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, r, s := heldCall(t, testConfig(t), 1)
				say(s, 1, 1, 2*time.Second)
				r.Stopping()
				stopped := time.Now()
				s.hangUp()
				elapse(3*time.Second - time.Since(stopped))
				r.Starting()
				c.then(b, r)
				record := b.finish(r)
				checkGaps(t, record.Sound, c.gaps...)
				if record.AudioMS != c.audio || record.MissingMS != 5000 {
					t.Errorf("sound %+v", record.Sound)
				}
				if diff := cmp.Diff([]string{AlarmShort}, record.Alarms); diff != "" || !strings.Contains(record.Hint, "the stream was down") {
					t.Errorf("hint %q, alarms (-want +got):\n%s", record.Hint, diff)
				}
			})
		})
	}
}

// A first stream that brought nothing before it was stopped excuses no later loss.
func TestStopBeforeAnyAudio(t *testing.T) {
	allPaces(t, func(t *testing.T, cfg Config, channels int) {
		b, r, s := heldCall(t, cfg, channels)
		elapse(time.Second)
		s = pause(b, r, s, 2*time.Second)
		say(s, channels, 1, 2*time.Second)
		s.drop()
		dropped := time.Now()
		awaitGone(t, r, 2)
		elapse(2*time.Second - time.Since(dropped))
		s = b.connect(r)
		say(s, channels, 2, 2*time.Second)
		r.Stopping()
		s.hangUp()
		record := b.finish(r)
		checkGaps(t, record.Sound, track.Gap{AtMS: 2000, MS: 2000, Reason: track.GapReconnect})
		if diff := cmp.Diff([]string{AlarmShort}, record.Alarms); diff != "" || record.MissingMS != 2000 {
			t.Errorf("missing %d ms, alarms (-want +got):\n%s", record.MissingMS, diff)
		}
	})
}

// Starting says nothing if the stream was not stopped, or the recording is finished.
func TestStartingAtTheWrongTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r, s := heldCall(t, testConfig(t), 1)
		times := func() (ended time.Time, stopped track.Stop) {
			synctest.Wait()
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.ended, r.stopped
		}
		synctest.Wait() // until the track is open, which would be told of a stop
		r.Starting()
		if _, stopped := times(); stopped != (track.Stop{}) {
			t.Errorf("a stop %+v that was none", stopped)
		}
		say(s, 1, 1, 2*time.Second)
		s.drop()
		dropped := time.Now()
		awaitGone(t, r, 1)
		elapse(time.Second - time.Since(dropped))
		r.Stopping()
		ended, _ := times()
		record := b.finish(r)
		r.Starting()
		if at, stopped := times(); at != ended || !r.stopping.Load() || stopped != (track.Stop{}) {
			t.Errorf("ended %v, stopping %v, stopped %+v: the call of a recording that is finished goes on", at, r.stopping.Load(), stopped)
		}
		if record.AudioMS != 2000 || record.MissingMS != 1000 {
			t.Errorf("sound %+v", record.Sound)
		}
	})
}

// A process that is killed while the stream is stopped, or after it was started again, leaves
// the audio and what is known of the call by then.
func TestKilledAroundAStop(t *testing.T) {
	allPaces(t, func(t *testing.T, cfg Config, channels int) {
		b, r, s := heldCall(t, cfg, channels)
		one := say(s, channels, 1, 2*time.Second)
		r.Mark("before the stop")
		r.Stopping()
		stopped := time.Now()
		s.hangUp()
		soon := killed(t, b, channels)
		elapse(time.Second)
		call := r.call
		call.Timeline.Add("prompt", 3000)
		r.Note(call) // the next step
		between := killed(t, b, channels)
		elapse(3*time.Second - time.Since(stopped))
		r.Starting()
		s = b.connect(r)
		two := say(s, channels, 2, 3*time.Second)
		after := killed(t, b, channels)
		r.Stopping()
		s.hangUp()
		b.finish(r)

		for _, k := range []kill{soon, between} {
			if !bytes.Equal(k.pcm, one) || len(k.record.Gaps) > 0 {
				t.Errorf("between: %d bytes, record %+v", len(k.pcm), k.record)
			}
		}
		if between.record.Timeline.At("prompt") == nil || len(between.cues) != 1 || between.cues[0].Frame != 16000 {
			t.Errorf("between: cues %v, record %+v", between.cues, between.record)
		}
		checkGaps(t, after.record.Sound, track.Gap{AtMS: 2000, MS: 3000, Reason: track.GapStopped})
		all := bytes.Join([][]byte{one, silence(channels, 3*time.Second), two}, nil)
		if !bytes.HasPrefix(all, after.pcm) || len(all)-len(after.pcm) > 2*channels*8000 {
			t.Errorf("after: %d bytes of %d", len(after.pcm), len(all))
		}
		if after.record.Timeline.At("prompt") == nil {
			t.Errorf("after: record %+v", after.record)
		}
		for _, k := range []kill{soon, between, after} {
			if k.record.MissingMS != 0 || len(k.record.Alarms) > 0 || !k.record.Recovered {
				t.Errorf("record %+v", k.record)
			}
		}
	})
}

// kill is what Recover makes of a process that was killed.
type kill struct {
	record store.Record
	pcm    []byte
	cues   []wav.Cue
}

// killed recovers a copy of what a sink has on its disk now, with one recording.
func killed(t *testing.T, b *testbed, channels int) kill {
	t.Helper()
	synctest.Wait()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(b.path(""))); err != nil {
		t.Fatal(err)
	}
	rec := recoverDir(t, dir)
	if rec.Published() != 1 || len(rec.Files) != 1 {
		t.Fatalf("recovered %v", fmt.Sprint(rec.Files))
	}
	k := kill{record: readRecord(t, rec.Files[0].Record)}
	pcm, h := readWAV(t, rec.Files[0].WAV)
	if h.Format.Channels != channels {
		t.Errorf("format %v", h.Format)
	}
	k.pcm, k.cues = pcm, h.Cues
	return k
}

// Of a socket that brings nothing more, and that nobody closes before the call is over, no line
// says so: the hint does.
func TestSocketThatWentDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r, s := heldCall(t, testConfig(t), 1)
		say(s, 1, 1, 2*time.Second)
		elapse(6 * time.Second)
		r.Stopping()
		s.drop()
		awaitGone(t, r, 1)
		record := b.finish(r)
		if record.AudioMS != 2000 || record.MissingMS == 0 || !strings.Contains(record.Hint, "went dead") {
			t.Errorf("sound %+v, hint %q", record.Sound, record.Hint)
		}
	})
}
